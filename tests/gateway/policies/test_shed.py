"""What goes first when a process has too much to do: as the contract and the plan say; health pages are never asked."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.contracts import BadContract
from gateway.policies.shed import shed
from gateway.shedding import Load
from kernel.sections.limits import Plan
from kernel.sections.shedding import Shedding
from kernel.settings import Settings

ORDERS = "/process/orders/v1/orders"
HELLO = "/process/orders/v1/hello"


def _swamped() -> Load:
    """Every call that may be refused is, nearly: the queue stands, and a great deal of each kind arrived."""
    load = Load(Shedding())
    for _ in range(30):
        load._arrived = [100, 100, 100, 0]
        load.observe(10)
    return load


def _priorities(contract: Any, **said: str) -> str:
    def prioritise(document: Any) -> None:
        for item in document["paths"].values():
            for operation in item.values():
                if operation["operationId"] in said:
                    operation["x-trivium-priority"] = said[operation["operationId"]]

    return str(contract(prioritise))


async def _served(house: Any, target: str, calls: int = 100) -> int:
    return sum([(await house.ask("GET", target)).status == 200 for _ in range(calls)])


async def test_a_refusal_says_so_early_and_when_to_come_back(build: Any) -> None:
    house = build(means={"load": _swamped()})
    answers = [await house.ask("GET", ORDERS) for _ in range(50)]
    refused = next(answer for answer in answers if answer.status == 503)

    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    assert refused.headers["retry-after"] in "12345"
    assert "ratelimit" not in refused.headers  # nothing was charged


async def test_health_pages_and_unknown_paths_are_answered_and_tokens_too(build: Any) -> None:
    async def token(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    house = build(means={"load": _swamped()}, mounts={"oauth": token})

    assert await _served(house, "/health/live") == 100
    assert await _served(house, "/health/ready") == 100
    assert await _served(house, "/metrics") == 100
    assert await _served(house, "/oauth/token") == 100
    assert {(await house.ask("GET", "/nothing/here")).status for _ in range(20)} == {404}
    assert await _served(house, ORDERS) < 40


async def test_operations_go_in_the_order_of_their_priority(build: Any, contract: Any) -> None:
    load = Load(Shedding())
    house = build(_priorities(contract, list_orders="critical", get_order="sheddable"), means={"load": load})
    for _ in range(3):
        load._arrived = [100, 100, 100, 0]
        load.observe(0.3)  # refuses 42 % in the end: all that is sheddable, and a part of what is normal

    assert await _served(house, f"{ORDERS}/o1") < 20
    assert await _served(house, ORDERS, 90) == 90


async def test_a_priority_nobody_knows_fails_the_start(build: Any, contract: Any) -> None:
    with pytest.raises(BadContract, match=r"list_orders: x-trivium-priority is 'vital'; it is one of sheddable, normal, "):
        build(_priorities(contract, list_orders="vital"), means={"load": Load(Shedding())})


async def test_lower_plans_go_before_higher_ones(build: Any) -> None:
    load = Load(Shedding())
    plans = {"trial": Plan(priority="sheddable"), "gold": Plan()}
    house = build(means={"load": load, "settings": Settings.model_construct(plans=plans)})
    load._arrived = [500, 500, 0, 0]
    load.observe(0.3)  # refuses 17 %: only of what is sheddable
    served = {}
    for plan in ("trial", "gold", "default", "unheard-of"):
        house.caller = replace(house.caller, plan=plan, client=plan)
        served[plan] = await _served(house, ORDERS, 100)

    assert served["trial"] < 90
    assert (served["gold"], served["default"], served["unheard-of"]) == (100, 100, 100)


async def test_the_default_plan_can_be_lowered_and_with_it_whoever_has_an_unknown_one(build: Any) -> None:
    load = _swamped()
    load._shares = [0.98, 0.0, 0.0, 0.0]
    settings = Settings.model_construct(plans={"default": Plan(priority="sheddable"), "gold": Plan()})
    house = build(means={"load": load, "settings": settings})
    served = {}
    for plan in ("gold", "default", "unheard-of"):
        house.caller = replace(house.caller, plan=plan, client=plan)
        served[plan] = await _served(house, ORDERS, 60)

    assert served["gold"] == 60
    assert max(served["default"], served["unheard-of"]) < 20


@pytest.mark.parametrize("end", ["answered", "cancelled", "raised"])
async def test_a_call_leaves_however_it_ends(build: Any, end: str) -> None:
    load, entered = Load(Shedding()), asyncio.Event()
    house = build(means={"load": load})

    async def misbehave(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        if end == "cancelled":
            await asyncio.Event().wait()
        if end == "raised":
            raise RuntimeError("broken")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    house.echo.instead = misbehave
    call = asyncio.create_task(house.ask("GET", ORDERS))
    await entered.wait()
    if end == "cancelled":
        call.cancel()
    await asyncio.wait([call], timeout=5)

    assert call.done()
    assert load.in_flight == 0


async def test_a_websocket_holds_no_place_while_it_is_open(operation: Any) -> None:
    load, under_way = Load(Shedding()), []

    async def look(call: Any) -> None:
        under_way.append(load.in_flight)

    for extensions in ({"x-trivium-websocket": True}, {}):
        policy = shed(load)(operation(extensions=extensions))
        assert policy is not None
        await policy(None, look)  # type: ignore[arg-type]

    assert under_way == [0, 1]
    assert load.in_flight == 0


async def test_without_shedding_nothing_is_asked(build: Any) -> None:
    house = build(means={"load": None})

    assert await _served(house, ORDERS, 90) == 90
