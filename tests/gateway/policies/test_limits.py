"""What a caller is told about limits: the current fields on every answer, and a refusal that says how long to wait."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from gateway.contracts import BadContract
from gateway.limits.grants import Grants
from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import StoreAway
from gateway.limits.tally import LimitMetrics
from gateway.pipeline import Call, Limit, Operation, Policy
from gateway.policies.limits import spend_limit
from kernel.sections.limits import Changed, Granted, Limits, Plan
from kernel.settings import Settings

HELLO = "/process/orders/v1/hello"


async def test_every_answer_says_what_the_limit_is_and_what_is_left(house: Any) -> None:
    answers = [await house.submit({"quote": "q"}) for _ in range(3)]

    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"burst";q=3;w=60'}
    assert [answer.headers["ratelimit"] for answer in answers] == [
        '"burst";r=2;t=60', '"burst";r=1;t=60', '"burst";r=0;t=61',
    ]  # fmt: skip


async def test_a_call_too_many_is_the_quota_exceeded_problem(house: Any) -> None:
    for _ in range(3):
        await house.submit({"quote": "q"})
    answer = await house.submit({"quote": "q"})
    body = answer.json()

    assert answer.status == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert body["violated-policies"] == ["burst"]
    assert answer.headers["ratelimit"] == f'"burst";r=0;t={answer.headers["retry-after"]}'
    assert len(house.echo.scopes) == 3


async def test_after_the_told_wait_a_call_is_admitted(house: Any, clock: Any) -> None:
    for _ in range(3):
        await house.submit({"quote": "q"})
    wait = int((await house.submit({"quote": "q"})).headers["retry-after"])
    clock.pass_seconds(wait - 1)
    early = await house.submit({"quote": "q"})
    clock.pass_seconds(1)
    due = await house.submit({"quote": "q"})

    assert (early.status, due.status) == (429, 200)


async def test_every_client_and_every_operation_has_its_own(house: Any) -> None:
    for _ in range(3):
        await house.submit({"quote": "q"})
    elsewhere = await house.ask("GET", "/process/orders/v1/orders")
    house.caller = replace(house.caller, client="globex")
    other = await house.submit({"quote": "q"})

    assert elsewhere.status == 200
    assert other.headers["ratelimit"] == '"burst";r=2;t=60'


@pytest.mark.parametrize(("plan", "quota"), [("gold", 5), ("default", 3), ("unheard-of", 3)])
async def test_the_plan_chooses_the_limit_and_an_unknown_one_the_default(house: Any, plan: str, quota: int) -> None:
    house.caller = replace(house.caller, plan=plan)

    assert (await house.submit({"quote": "q"})).headers["ratelimit-policy"] == f'"burst";q={quota};w=60'


async def test_callers_without_a_name_are_told_apart_by_address(house: Any, asking: Any) -> None:
    async def from_elsewhere(scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = ("192.0.2.99", 1)
        await house.app(scope, receive, send)

    here = [(await house.ask("GET", HELLO)).status for _ in range(3)]
    there = await asking(from_elsewhere, "GET", HELLO)

    assert here == [200, 200, 429]
    assert there.status == 200


async def test_several_limits_are_one_list(build: Any, contract: Any) -> None:
    def daily(document: Any) -> None:
        document["paths"]["/process/orders/v1/orders"]["post"]["x-trivium-limits"]["default"] = [
            {"policy": "burst", "quota": 3, "window": 60}, {"policy": "daily", "quota": 1, "window": 86400},
        ]  # fmt: skip

    house = build(contract(daily))
    first, second = await house.submit({"quote": "q"}), await house.submit({"quote": "q"})

    assert first.headers["ratelimit-policy"] == '"burst";q=3;w=60, "daily";q=1;w=86400'
    assert first.headers["ratelimit"] == '"burst";r=2;t=60, "daily";r=0;t=43201'
    assert second.json()["violated-policies"] == ["daily"]
    assert second.headers["ratelimit"].startswith('"burst";r=2;')


def _limited(contract: Any, *limits: dict[str, Any]) -> str:
    def limit(document: Any) -> None:
        document["paths"]["/process/orders/v1/orders"]["post"]["x-trivium-limits"]["default"] = list(limits)

    return str(contract(limit))


MONTHLY = {"policy": "monthly", "quota": 5, "period": "month"}
DAILY = {"policy": "daily", "quota": 4, "period": "day"}
PARALLEL = {"policy": "parallel", "concurrent": 2}
EVEN = {"policy": "burst", "quota": 100, "window": 60, "algorithm": "gcra", "burst": 10}


async def test_every_kind_of_limit_is_described_as_the_draft_has_it(build: Any, contract: Any) -> None:
    answer = await build(_limited(contract, EVEN, DAILY, MONTHLY, PARALLEL)).submit({"quote": "q"})

    described = '"burst";q=100;w=60, "daily";q=4;w=86400, "monthly";q=5, "parallel";q=2;qu="concurrent-requests"'
    assert answer.headers["ratelimit-policy"] == described
    left = '"burst";r=9;t=1, "daily";r=3;t=43200, "monthly";r=4;t=2635200, "parallel";r=1'
    assert answer.headers["ratelimit"] == left


async def test_who_violates_several_policies_is_told_of_all_and_waits_for_the_latest(build: Any, contract: Any) -> None:
    house = build(_limited(contract, {**DAILY, "quota": 1}, {"policy": "burst", "quota": 1, "window": 60}))
    answers = [await house.submit({"quote": "q"}) for _ in range(2)]

    assert answers[1].json()["violated-policies"] == ["burst", "daily"]
    assert answers[1].headers["ratelimit"] == '"burst";r=0;t=61, "daily";r=0;t=43200'
    assert answers[1].headers["retry-after"] == "43200"


async def test_as_many_calls_are_under_way_as_granted(build: Any, contract: Any) -> None:
    house, leave, entered = build(_limited(contract, PARALLEL)), asyncio.Event(), asyncio.Queue[None]()

    async def stay(scope: Any, receive: Any, send: Any) -> None:
        entered.put_nowait(None)
        await leave.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    house.echo.instead = stay
    under_way = [asyncio.create_task(house.submit({"quote": "q"})) for _ in range(2)]
    for _ in under_way:
        await entered.get()
    refused = await house.submit({"quote": "q"})
    leave.set()
    ended = [answer.status for answer in await asyncio.gather(*under_way)]

    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert refused.headers["ratelimit"] == '"burst";r=598;t=60, "parallel";r=0'  # the first is the estate's
    assert ended == [204, 204]
    assert (await house.submit({"quote": "q"})).status == 204


@pytest.mark.parametrize("end", ["cancelled", "raised", "late"])
async def test_a_call_gives_its_place_back_however_it_ends(build: Any, contract: Any, end: str) -> None:
    text = _limited(contract, {**PARALLEL, "concurrent": 1})
    house = build(text.replace("x-trivium-timeout: 5", "x-trivium-timeout: 0.05") if end == "late" else text)
    entered = asyncio.Event()

    async def misbehave(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        if end == "raised":
            raise RuntimeError("broken")
        await asyncio.Event().wait()

    house.echo.instead = misbehave
    call = asyncio.create_task(house.submit({"quote": "q"}))
    await entered.wait()
    if end == "cancelled":
        call.cancel()
    await asyncio.wait([call], timeout=5)
    house.echo.instead = None

    assert call.done()
    assert (await house.submit({"quote": "q"})).status == 200


async def test_a_call_that_is_refused_or_unfit_takes_no_place_and_no_quota(build: Any, contract: Any) -> None:
    house = build(_limited(contract, PARALLEL, DAILY))
    unfit = [(await house.submit({"wrong": 1})).status for _ in range(5)]
    house.caller = replace(house.caller, scopes=frozenset())
    refused = [(await house.submit({"quote": "q"})).status for _ in range(5)]
    house.caller = replace(house.caller, scopes=frozenset({"orders:write"}))

    assert (set(unfit), set(refused)) == ({422}, {403})
    assert (await house.submit({"quote": "q"})).headers["ratelimit"] == '"burst";r=599;t=60, "parallel";r=1, "daily";r=3;t=43200'


async def test_a_limit_in_the_shadow_is_measured_and_noted_but_nobody_is_told(build: Any, contract: Any) -> None:
    limiter = Limiter()
    house = build(_limited(contract, DAILY, {"policy": "burst", "quota": 1, "window": 3600, "shadow": True}), limiter=limiter)
    answers = [await house.submit({"quote": "q"}) for _ in range(3)]
    registry = CollectorRegistry()
    LimitMetrics(registry, limiter.tally)

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"daily";q=4;w=86400'}
    assert all("burst" not in answer.headers["ratelimit"] for answer in answers)
    labels = {"operation": "process.orders.v1.submit_order", "policy": "burst", "mode": "shadow"}
    assert registry.get_sample_value("trivium_limit_refusals_total", labels) == 2


async def test_what_a_shadow_limit_would_have_refused_is_in_the_receipt(operation: Any) -> None:
    watched = operation(limits={"default": (Limit("burst", 1, 60, shadow=True), Limit("daily", 9, kind="day"))})
    policy = spend_limit(Limiter(), Grants(Limits(default=()), {}))(watched)
    assert policy is not None
    calls = [await _through(policy, watched) for _ in range(2)]

    assert [call.facts for call in calls] == [None, {"limits_in_shadow": ["burst"]}]


async def _through(policy: Policy, operation: Operation) -> Call:
    async def nothing(*_: Any) -> Any:
        return None

    scope = {"type": "http", "headers": [], "client": ("192.0.2.7", 1)}
    call = Call(scope, nothing, nothing, operation, {}, "correlation")
    await policy(call, nothing)
    return call


async def test_plans_and_clients_of_the_settings_depart_from_the_contract(build: Any) -> None:
    limits = Limits(clients={"globex": Changed(limits=(Granted(policy="burst", quota=1, window=60),))})
    plans = {"silver": Plan(scale=3), "gold": Plan(scale=100)}
    house = build(means={"settings": Settings.model_construct(limits=limits, plans=plans)})
    described = {}
    for client, plan in (("acme", "default"), ("acme", "silver"), ("acme", "gold"), ("globex", "gold"), ("globex", "unheard-of")):
        house.caller = replace(house.caller, client=client, plan=plan)
        described[client, plan] = (await house.submit({"quote": "q"})).headers["ratelimit-policy"]

    assert described == {
        ("acme", "default"): '"burst";q=3;w=60', ("acme", "silver"): '"burst";q=9;w=60',
        ("acme", "gold"): '"burst";q=5;w=60',  # what the contract grants that very plan stays
        ("globex", "gold"): '"burst";q=1;w=60', ("globex", "unheard-of"): '"burst";q=1;w=60',
    }  # fmt: skip


async def test_a_contract_without_limits_inherits_those_of_the_estate(build: Any, contract: Any) -> None:
    def bare(document: Any) -> None:
        for item in document["paths"].values():
            for said in item.values():
                del said["x-trivium-limits"]

    house = build(contract(bare))

    assert (await house.submit({"quote": "q"})).headers["ratelimit-policy"] == '"burst";q=600;w=60'
    with pytest.raises(BadContract, match=r"nothing limits process\.orders\.v1\."):
        build(contract(bare), means={"settings": Settings.model_construct(limits=Limits(default=()))})


async def test_a_client_whom_nothing_would_limit_fails_the_start(build: Any) -> None:
    off = Limits(clients={"globex": Changed(limits=(Granted(policy="burst", off=True),))})

    with pytest.raises(BadContract, match=r"nothing limits .*, client globex"):
        build(means={"settings": Settings.model_construct(limits=off)})


@pytest.mark.parametrize(
    ("address", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True), ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True), ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)  # fmt: skip
async def test_whoever_has_a_network_of_ipv6_has_one_quota(house: Any, asking: Any, address: str, other: str, same: bool) -> None:
    def at(host: str) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["client"] = (host, 1)
            await house.app(scope, receive, send)

        return app

    for _ in range(2):
        await asking(at(address), "GET", HELLO)

    assert ((await asking(at(other), "GET", HELLO)).status == 429) == same


async def test_strangers_in_any_number_cost_a_client_no_counter(build: Any, asking: Any) -> None:
    house = build(limiter=Limiter(cap=40))
    for _ in range(3):
        await house.submit({"quote": "q"})

    def at(number: int) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["client"] = (f"192.0.{number // 250}.{number % 250}", 1)
            await house.app(scope, receive, send)

        return app

    for number in range(500):
        await asking(at(number), "GET", HELLO)

    assert (await house.submit({"quote": "q"})).status == 429


class Away:
    async def charge(self, client: str, allowance: Any) -> Any:
        raise StoreAway


@pytest.mark.parametrize(("outage", "status"), [("deny", 503), ("allow", 200), ("local", 200)])
async def test_limits_that_cannot_be_counted_shed_or_let_pass_as_set(build: Any, clock: Any, outage: Any, status: int) -> None:
    settings = Settings.model_construct(limits=Limits(outage=outage, processes=3))
    house = build(limiter=Limiter(Away(), clock=clock), means={"settings": settings})
    answer = await house.submit({"quote": "q"})
    told = answer.headers.get("ratelimit")

    assert answer.status == status
    assert told == ('"burst";r=0;t=61' if outage == "local" else None)
    if outage == "deny":
        assert answer.json()["type"].endswith("#temporary-reduced-capacity")
        assert answer.headers["retry-after"] == "1"
