"""Past calls decided again differ exactly where the new configuration decides differently."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from gateway.configuration.bundle import Bundle
from gateway.configuration.check import Checked, checked
from gateway.configuration.holders import Holder
from gateway.configuration.plan import plan
from gateway.configuration.rehearsal import rehearse
from gateway.decisions.log import DecisionLog
from gateway.decisions.store import DecisionStore
from gateway.pipeline import Caller
from kernel.sections.decisions import Decisions
from kernel.settings import Settings
from tests.gateway.conftest import CONTRACT, FakeClock

ORDERS = "/process/orders/v1/orders"
HELLO = "/process/orders/v1/hello"


def _bundle(how: Callable[[Any], object] = lambda _: None) -> Bundle:
    document = yaml.safe_load(CONTRACT)
    how(document)
    return Bundle({}, {"v1.yaml": yaml.safe_dump(document)}, {})


def _checked(how: Callable[[Any], object] = lambda _: None) -> Checked:
    return checked(_bundle(how), Settings())


@pytest.fixture
async def calls(build: Any, clock: FakeClock, tmp_path: Path) -> Any:
    """A day's work: reads, orders, refusals of every kind; as the decision log has them."""
    store = DecisionStore("sqlite://", tmp_path)
    log = DecisionLog(store, Decisions(), clock, CollectorRegistry())
    house = build(decisions=log.under("now", Decisions()))
    for number in range(6):
        await house.ask("GET", f"{ORDERS}/o{number}")
    await house.ask("GET", f"{ORDERS}?limit=5")
    await house.submit({"quote": "q1"})
    await house.submit({"unknown": 1})  # 422 by its body, which is not kept
    await house.ask("GET", HELLO)
    await house.ask("GET", "/nowhere")
    await house.ask("GET", f"{ORDERS}/{'x' * 21}")
    house.caller = Caller("reader", "reader", frozenset({"orders:read"}))
    await house.submit({"quote": "q1"})
    await house.ask("GET", ORDERS)
    log.flush()
    yield list(store.newest(0, 1000))
    log.close()


async def _groups(calls: Any, how: Callable[[Any], object]) -> dict[tuple[str, str, str, str], int]:
    found = await rehearse(_checked(), _checked(how), calls)
    assert found.calls == len(calls) == 14
    return {key: group.count for key, group in found.groups.items()}


async def test_the_same_configuration_decides_everything_the_same(calls: Any) -> None:
    assert await _groups(calls, lambda _: None) == {}


async def test_a_further_scope_shuts_out_those_who_lack_it(calls: Any) -> None:
    def change(document: Any) -> None:
        document["paths"][ORDERS]["get"]["security"] = [{"oauth2": ["orders:write"]}]

    assert await _groups(calls, change) == {("process.orders.v1.list_orders", "reader", "admitted", "403 (scopes)"): 1}


async def test_a_scope_less_lets_the_refused_in(calls: Any) -> None:
    def change(document: Any) -> None:
        document["paths"][ORDERS]["post"]["security"] = [{"oauth2": ["orders:read"]}]

    assert await _groups(calls, change) == {("process.orders.v1.submit_order", "reader", "403 (scopes)", "admitted"): 1}


async def test_a_removed_operation_is_not_found(calls: Any) -> None:
    found = await _groups(calls, lambda document: document["paths"].pop(HELLO))

    assert found == {("process.orders.v1.say_hello", "anonymous", "admitted", "404 (route)"): 1}


async def test_a_lower_limit_refuses_the_calls_above_it(calls: Any) -> None:
    limits = {"default": [{"policy": "burst", "quota": 4, "window": 86400}]}
    path = f"{ORDERS}/{{order_id}}"
    found = await _groups(calls, lambda document: document["paths"][path]["get"].update({"x-trivium-limits": limits}))

    assert found == {("process.orders.v1.get_order", "acme", "admitted", "429 (limits)"): 2}


async def test_a_parameter_that_is_no_longer_known_is_refused(calls: Any) -> None:
    found = await _groups(calls, lambda document: document["paths"][ORDERS]["get"]["parameters"].pop(0))

    assert found == {("process.orders.v1.list_orders", "acme", "admitted", "422 (validation)"): 1}


async def test_a_smaller_body_and_another_media_type(calls: Any) -> None:
    small = await _groups(calls, lambda document: document["paths"][ORDERS]["post"].update({"x-trivium-max-body": 3}))

    def other(document: Any) -> None:
        content = document["paths"][ORDERS]["post"]["requestBody"]["content"]
        content["application/xml"] = content.pop("application/json")

    media = await _groups(calls, other)

    assert sum(small.values()) == 3  # acme's two, and the reader's, which the size now refuses before the scope does
    assert {key[3] for key in small} == {"413 (body)"}
    assert {(key[2], key[3]): count for key, count in media.items()} == {("admitted", "415 (validation)"): 2}


async def test_a_path_that_is_longer_than_allowed_now_was_known_by_its_path(calls: Any) -> None:
    def change(document: Any) -> None:
        document["paths"][f"{ORDERS}/{{order_id}}"]["get"]["parameters"][0]["schema"]["maxLength"] = 30

    assert await _groups(calls, change) == {("process.orders.v1.get_order", "acme", "422 (validation)", "admitted"): 1}


async def test_the_plan_tells_changes_and_calls_together(calls: Any) -> None:
    made = await plan(Settings(), _bundle(lambda document: document["paths"].pop(HELLO)), _bundle(), calls)
    said = made.json()

    assert said["operations"]["removed"] == [f"process.orders.v1.say_hello  GET {HELLO}"]
    assert said["calls"]["tried"] == 14
    (group,) = said["calls"]["groups"]
    assert (group["operation"], group["count"], len(group["examples"][0])) == ("process.orders.v1.say_hello", 1, 24)


async def test_the_plan_tells_which_clients_hold_what_nothing_asks_for_any_more() -> None:
    holders = [Holder("reader", frozenset({"orders:read"}), "default"), Holder("old", frozenset({"old:read"}), "gold")]

    def change(document: Any) -> None:
        for methods in document["paths"].values():
            for said in methods.values():
                said["security"] = [{"oauth2": ["orders:write"]}]
                said["x-trivium-limits"] = {"default": said["x-trivium-limits"]["default"]}

    made = await plan(Settings(), _bundle(change), _bundle(), [], holders=holders)

    assert list(made.clients) == [
        "reader holds orders:read, which no operation asks for",
        "old has the plan gold, which nothing describes: it is treated as default",
    ]


async def test_without_anything_in_force_everything_is_new() -> None:
    made = await plan(Settings(), _bundle(), None, [])

    assert len(made.changes.added) == 4
    assert made.before is None
