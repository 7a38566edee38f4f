"""A client that is bound to networks is refused from anywhere else, whatever it says about itself, as soon as it is bound."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from gateway.pipeline import Call, Operation
from gateway.policies.addresses import Bindings, bind_addresses
from gateway.proxies import Proxies
from kernel.problem import Forbidden
from tests.gateway.conftest import CALLER, ask

ORDERS = "/process/orders/v1/orders"
HERE, ELSEWHERE = ip_network("192.0.2.0/24"), ip_network("198.51.100.0/24")  # `ask` calls from 192.0.2.7


def _from(app: Any, address: str | None) -> Any:
    async def moved(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": None if address is None else (address, 1)}, receive, send)

    return moved


async def test_a_bound_client_calls_from_its_networks_or_not_at_all(build: Callable[..., Any]) -> None:
    inside = build(means={"networks": {"acme": (ELSEWHERE, HERE)}})
    outside = build(means={"networks": {"acme": (ELSEWHERE,)}})
    allowed, refused = await inside.ask("GET", ORDERS), await outside.ask("GET", ORDERS)

    assert (allowed.status, refused.status) == (200, 403)
    assert "network" in refused.json()["fix"]
    assert "192.0.2.7" not in refused.body.decode()
    assert outside.echo.scopes == []


async def test_a_client_that_is_bound_to_nothing_calls_from_nowhere(build: Callable[..., Any]) -> None:
    assert (await build(means={"networks": {"acme": ()}}).ask("GET", ORDERS)).status == 403


async def test_others_call_from_anywhere(build: Callable[..., Any]) -> None:
    assert (await build(means={"networks": {"other": (ELSEWHERE,)}}).ask("GET", ORDERS)).status == 200


async def test_a_change_holds_for_the_next_call(build: Callable[..., Any]) -> None:
    bindings: dict[str, Any] = {}
    house = build(means={"networks": bindings})
    before = await house.ask("GET", ORDERS)
    bindings["acme"] = (ELSEWHERE,)
    bound = await house.ask("GET", ORDERS)
    del bindings["acme"]
    after = await house.ask("GET", ORDERS)

    assert (before.status, bound.status, after.status) == (200, 403, 200)


@pytest.mark.parametrize(
    ("address", "network", "status"),
    [
        ("::ffff:192.0.2.7", "192.0.2.0/24", 200),
        ("192.0.2.7", "::ffff:192.0.2.0/120", 200),
        ("::ffff:198.51.100.1", "192.0.2.0/24", 403),
        ("2001:db8::1", "2001:db8::/64", 200),
        ("2001:db8:1::1", "2001:db8::/64", 403),
        ("fe80::1%eth0", "fe80::/10", 200),
        ("2001:db8::1", "0.0.0.0/0", 403),
        ("192.0.2.7", "::/0", 403),
        (None, "0.0.0.0/0", 403),
        ("/run/door.sock", "0.0.0.0/0", 403),
    ],
)
async def test_an_address_is_what_it_is_however_it_is_written(
    build: Callable[..., Any], address: str | None, network: str, status: int
) -> None:
    house = build(means={"networks": {"acme": (ip_network(network),)}})

    assert (await ask(_from(house.app, address), "GET", ORDERS)).status == status


@pytest.mark.parametrize(
    "header", ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"]
)
async def test_what_a_caller_says_of_its_address_does_not_let_it_in(build: Callable[..., Any], header: str) -> None:
    said = "for=198.51.100.1" if header == "forwarded" else "198.51.100.1"
    house = build(means={"networks": {"acme": (ELSEWHERE,)}}, proxies=Proxies(["10.0.0.0/8"]))

    assert (await house.ask("GET", ORDERS, {header: said})).status == 403


async def test_behind_our_proxy_the_callers_own_address_counts(build: Callable[..., Any]) -> None:
    house = build(means={"networks": {"acme": (ELSEWHERE,)}}, proxies=Proxies(["10.0.0.0/8"]))
    behind = _from(house.app, "10.0.0.1")
    allowed = await ask(behind, "GET", ORDERS, {"x-forwarded-for": "198.51.100.1"})
    spoofed = await ask(behind, "GET", ORDERS, {"x-forwarded-for": "198.51.100.1, 203.0.113.4"})
    silent = await ask(behind, "GET", ORDERS)

    assert (allowed.status, spoofed.status, silent.status) == (200, 403, 403)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(0, 32), st.booleans())
async def test_nobody_outside_the_networks_gets_in_and_nobody_inside_is_kept_out(
    operation: Callable[..., Operation], caller: Any, around: Any, prefix: int, mapped: bool
) -> None:
    network = ip_network((around, prefix), strict=False)
    bindings: Bindings = {"acme": (network,)}

    assert await _admitted(operation, bindings, f"::ffff:{caller}" if mapped else str(caller)) == (caller in network)


async def _admitted(operation: Callable[..., Operation], bindings: Bindings, address: str) -> bool:
    policy = bind_addresses(bindings)(operation())
    assert policy is not None
    call = Call({"type": "http", "headers": [], "client": (address, 1)}, _idle, _unsent, operation(), {}, "", CALLER)
    try:
        await policy(call, _admit)
    except Forbidden:
        return False
    return True


async def _admit(call: Call) -> None:
    return None


async def _idle() -> Message:
    raise AssertionError("nothing is read")


async def _unsent(message: Message) -> None:
    raise AssertionError("nothing is sent")
