"""What a caller is told about limits: the current fields on every answer, and a refusal that says how long to wait."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.limiter import Limiter

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


async def test_limits_that_cannot_be_counted_shed_or_let_pass_as_set(build: Any, clock: Any) -> None:
    class Away:
        base_exceptions = ConnectionError

        async def get(self, key: str) -> int:
            raise ConnectionError

    denying = build(limiter=Limiter(Away(), clock=clock, outage="deny"))  # type: ignore[arg-type]
    allowing = build(limiter=Limiter(Away(), clock=clock, outage="allow"))  # type: ignore[arg-type]
    denied, allowed = await denying.submit({"quote": "q"}), await allowing.submit({"quote": "q"})

    assert denied.status == 503
    assert denied.json()["type"].endswith("#temporary-reduced-capacity")
    assert denied.headers["retry-after"] == "1"
    assert allowed.status == 200
    assert "ratelimit" not in allowed.headers
