"""What a contract grants is what a caller gets: so many calls in so much time, told each time, refused in the words of the draft.

draft-ietf-httpapi-ratelimit-headers-10: the fields are structured fields (RFC 9651), the refusal is `quota-exceeded`.
"""

import re

import pytest

from tests.contract_tests.contract_files import Promise, promises
from tests.contract_tests.door import Entrance, refused
from tests.gateway.conftest import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROMISES = promises()
EACH = pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.id)
LEFT = re.compile(r'"(?P<policy>[a-z-]+)";r=(?P<left>[0-9]+);t=(?P<seconds>[0-9]+)')


def _limit(promise: Promise) -> tuple[str, int, int]:
    """No plan but the default one is promised yet, and one limit in it: the tests below say so when that changes."""
    plans = promise.said["x-trivium-limits"]
    assert list(plans) == ["default"]
    (limit,) = plans["default"]
    return limit["policy"], limit["quota"], limit["window"]


def _left(answer: Answer) -> int:
    found = LEFT.fullmatch(answer.headers["ratelimit"])
    assert found is not None, answer.headers["ratelimit"]
    return int(found["left"])


async def _used_up(gate: Entrance, promise: Promise, client: str) -> str:
    """Spends the whole quota at the beginning of a window, and shows that the last call in it is served; answers the token."""
    _, quota, window = _limit(promise)
    gate.clock.pass_seconds(2 * window - gate.clock.now().timestamp() % window)
    token = gate.token(client=client)
    gate.spend(client, promise, quota - 1)
    answer = await gate.ask(promise, token=token)
    assert (answer.status, _left(answer)) == (200, 0)
    return token


@EACH
async def test_the_first_call_is_told_what_is_granted_and_what_is_left(gate: Entrance, promise: Promise) -> None:
    policy, quota, window = _limit(promise)

    answer = await gate.ask(promise, token=gate.token(client=f"first-{promise.id}"))

    assert answer.headers["ratelimit-policy"] == f'"{policy}";q={quota};w={window}'
    assert _left(answer) == quota - 1


@EACH
async def test_at_the_limit_the_call_is_refused_and_told_when_to_come_back(gate: Entrance, promise: Promise) -> None:
    policy, quota, window = _limit(promise)
    token = await _used_up(gate, promise, f"greedy-{promise.id}")
    before = gate.behind.reached

    answer = await gate.ask(promise, token=token)

    problem = refused(answer, 429, promise)
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["violated-policies"] == [policy]
    assert answer.headers["ratelimit-policy"] == f'"{policy}";q={quota};w={window}'
    assert _left(answer) == 0
    assert 1 <= int(answer.headers["retry-after"]) <= 2 * window
    assert gate.behind.reached == before


@EACH
async def test_who_comes_back_when_told_is_served(gate: Entrance, promise: Promise) -> None:
    client = f"patient-{promise.id}"
    token = await _used_up(gate, promise, client)
    wait = int((await gate.ask(promise, token=token)).headers["retry-after"])

    gate.clock.pass_seconds(wait)

    assert (await gate.ask(promise, token=gate.token(client=client))).status == 200


@EACH
async def test_one_caller_at_the_limit_costs_no_other_caller_anything(gate: Entrance, promise: Promise) -> None:
    await _used_up(gate, promise, f"loud-{promise.id}")

    answer = await gate.ask(promise, token=gate.token(client=f"quiet-{promise.id}"))

    assert answer.status == 200


@EACH
async def test_refused_calls_are_not_charged(gate: Entrance, promise: Promise) -> None:
    _, quota, _ = _limit(promise)
    client = f"clumsy-{promise.id}"
    unfit = f"{promise.target}{'&' if '?' in promise.target else '?'}unknown=1"

    statuses = [
        (await gate.ask(promise, token=gate.forged(client_id=client, scope="none:granted"))).status,
        (await gate.ask(promise, token=gate.token(client=client), target=unfit)).status,
    ]

    assert statuses == [403, 422]
    assert _left(await gate.ask(promise, token=gate.token(client=client))) == quota - 1


@EACH
async def test_the_contract_promises_the_fields(promise: Promise) -> None:
    refusal = (promise.answer(429) or {})["headers"]

    assert {"RateLimit", "RateLimit-Policy", "Retry-After", "X-Correlation-Id"} <= refusal.keys()
    for status in promise.said["responses"]:
        if status.startswith("2"):
            assert {"RateLimit", "RateLimit-Policy", "X-Correlation-Id"} <= (promise.answer(int(status)) or {})["headers"].keys()
