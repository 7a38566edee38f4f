"""Canaries: who is on which side stays there, shares are what they say, and the answer tells where it came from."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contracts import BadContract, parse, understood
from gateway.dispatch import InProcess
from gateway.pipeline import Call, Caller
from gateway.services.canary import chosen_by
from kernel.sections.services import Canary
from tests.gateway.services.conftest import catalog
from tests.gateway.upstreams.conftest import Talk

DOCUMENT = catalog({"/items": {"get": {"operationId": "list_items"}, "delete": {"operationId": "clear"}}})
NEW = ["http://new.internal"]


def call_of(client: str, **headers: str) -> Call:
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    caller = Caller(client, client, frozenset())
    return Call({"headers": listed}, None, None, None, {}, "c", caller=caller)  # type: ignore[arg-type]


def rule(**said: Any) -> Canary:
    return Canary.model_validate({"name": "new", "api": "services/catalog", "upstreams": NEW, **said})


def answering(text: bytes) -> Any:
    async def script(talk: Talk) -> None:
        while True:
            heads.append(await talk.request())
            await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    heads: list[bytes] = []
    script.heads = heads  # type: ignore[attr-defined]
    return script


def test_a_named_client_goes_there_and_nobody_else() -> None:
    chosen = chosen_by(rule(clients=["brave"]))

    assert chosen(call_of("brave"))
    assert not any(chosen(call_of(f"client-{number}")) for number in range(200))


@given(client=st.text(max_size=40), share=st.floats(0, 1))
def test_a_client_never_changes_sides(client: str, share: float) -> None:
    one, other = chosen_by(rule(share=share)), chosen_by(rule(share=share))

    assert len({one(call_of(client)) for _ in range(5)} | {other(call_of(client))}) == 1


@given(client=st.text(max_size=40), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_larger_share_moves_nobody_back(client: str, shares: tuple[float, float]) -> None:
    small, large = (chosen_by(rule(share=share)) for share in sorted(shares))

    assert not small(call_of(client)) or large(call_of(client))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_the_share_is_what_it_says(share: float) -> None:
    chosen = chosen_by(rule(share=share))
    there = sum(chosen(call_of(f"client-{number}")) for number in range(5000))

    assert abs(there / 5000 - share) < 0.03


def test_two_canaries_do_not_pick_the_same_clients() -> None:
    one, other = chosen_by(rule(share=0.5)), chosen_by(rule(name="other", share=0.5))
    both = sum(one(call_of(f"c{number}")) and other(call_of(f"c{number}")) for number in range(2000))

    assert 350 < both < 650


def test_within_a_client_a_header_may_divide() -> None:
    chosen = chosen_by(rule(share=0.5, key="X-User"))
    sides = {name: {chosen(call_of("portal", **{"x-user": name})) for _ in range(3)} for name in map(str, range(50))}

    assert all(len(side) == 1 for side in sides.values())
    assert {True, False} == {next(iter(side)) for side in sides.values()}


def test_by_request_each_call_is_decided_anew() -> None:
    chosen = chosen_by(rule(share=0.5, by="request"))

    assert {chosen(call_of("one")) for _ in range(200)} == {True, False}


async def test_its_answers_say_so(governing: Any, raw_upstream: Any) -> None:
    old, new = await raw_upstream(answering(b"old")), await raw_upstream(answering(b"new"))
    said = {"name": "next", "api": "services/catalog", "upstreams": [new.url], "clients": ["brave"], "operations": ["list_items"]}
    house, _ = await governing(DOCUMENT, old.url, canaries=[said])
    usual = await house.ask("GET", "/catalog/v1/items")
    house.caller = replace(house.caller, client="brave")
    brave, other = await house.ask("GET", "/catalog/v1/items"), await house.ask("DELETE", "/catalog/v1/items")

    assert (usual.body, usual.headers.get("x-trivium-canary")) == (b"old", None)
    assert (brave.body, brave.headers["x-trivium-canary"]) == (b"new", "next")
    assert other.body == b"old"
    assert new.script.heads[0].startswith(b"GET /items ")


ORDERS = """
openapi: 3.1.0
info: {title: Orders, version: %s.0.0, x-trivium-api: process/orders, x-trivium-layer: process}
paths:
  /process/orders/v%s/orders/{id}:
    get:
      operationId: get_order
      security: [{oauth2: [orders:read]}]
      x-trivium-limits: {default: [{policy: burst, quota: 100, window: 60}]}
      parameters: [{in: path, name: id, required: true, schema: {type: string}}]
components: {securitySchemes: {oauth2: {type: oauth2, flows: {clientCredentials: {tokenUrl: /t, scopes: {'orders:read': r}}}}}}
"""


def majors() -> list[Any]:
    return [operation for n in ("1", "2") for operation in understood(parse(ORDERS % (n, n)), f"v{n}.yaml")[0]]


async def test_another_version_of_our_own_is_called_under_its_own_path(governing: Any, raw_upstream: Any) -> None:
    upstream = await raw_upstream(answering(b""))
    said = {"name": "v2", "api": "process/orders", "version": "v2", "clients": ["brave"]}
    paths: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope["raw_path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    house, _ = await governing(DOCUMENT, upstream.url, canaries=[said], ours=majors(), targets={"process/orders": InProcess(app)})
    await house.ask("GET", "/process/orders/v1/orders/o%201")
    house.caller = replace(house.caller, client="brave")
    await house.ask("GET", "/process/orders/v1/orders/o%201")
    await house.ask("GET", "/process/orders/v2/orders/o%201")

    assert paths == [f"/process/orders/v{n}/orders/o%201".encode() for n in (1, 2, 2)]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"api": "services/other", "upstreams": NEW}, "no contract promises"),
        ({"operations": ["nothing"], "upstreams": NEW}, "has no nothing"),
        ({"version": "v9"}, "has no list_items in v9"),
    ],
)
async def test_one_that_speaks_of_what_is_not_there_stops_the_start(
    governing: Any, raw_upstream: Any, said: Any, reason: str
) -> None:
    upstream = await raw_upstream(answering(b""))

    with pytest.raises(BadContract, match=reason):
        await governing(DOCUMENT, upstream.url, canaries=[{"name": "bad", "api": "services/catalog", **said}])
