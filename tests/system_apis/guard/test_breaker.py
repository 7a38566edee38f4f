"""The breaker opens after enough failures in a row, and one probe decides when it closes."""

import pytest

from kernel.problem import BadPlatformAnswer, PlatformDown, Problem
from kernel.settings import Patience
from system_apis.guard.breaker import Breaker, Verdict, verdict
from tests.system_apis.guard.shop import BROKEN, BUSY, DOWN, LOST, NO, OwnedClock


@pytest.fixture
def breaker(clock: OwnedClock) -> Breaker:
    return Breaker("shop", Patience(breaker_failures=3, breaker_seconds=5), clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.settle(breaker.admit(), Verdict.FAILED)


def test_failures_in_a_row_open_it_and_say_how_long(breaker: Breaker) -> None:
    fail(breaker, 3)

    with pytest.raises(PlatformDown) as refused:
        breaker.admit()
    assert refused.value.retry_after == 5


def test_an_answer_in_between_starts_the_count_again(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.settle(breaker.admit(), Verdict.ANSWERED)
    fail(breaker, 2)

    assert not breaker.open


def test_half_open_lets_a_single_probe_through_and_closes_on_its_answer(breaker: Breaker, clock: OwnedClock) -> None:
    fail(breaker, 3)
    clock.seconds += 5

    probe = breaker.admit()

    with pytest.raises(PlatformDown):
        breaker.admit()
    breaker.settle(probe, Verdict.ANSWERED)
    assert not breaker.open
    breaker.admit()


def test_a_failed_probe_opens_it_for_another_while(breaker: Breaker, clock: OwnedClock) -> None:
    fail(breaker, 3)
    clock.seconds += 5
    fail(breaker, 1)

    with pytest.raises(PlatformDown):
        breaker.admit()


def test_a_probe_that_is_called_off_makes_room_for_the_next(breaker: Breaker, clock: OwnedClock) -> None:
    fail(breaker, 3)
    clock.seconds += 5
    breaker.settle(breaker.admit(), Verdict.NOTHING)

    assert breaker.admit().probe


def test_late_failures_from_before_it_opened_do_not_prolong_the_pause(breaker: Breaker, clock: OwnedClock) -> None:
    slow = [breaker.admit() for _ in range(3)]
    fail(breaker, 3)
    clock.seconds += 4

    for ticket in slow:
        breaker.settle(ticket, Verdict.FAILED)

    clock.seconds += 1
    assert breaker.admit().probe


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, Verdict.ANSWERED),
        (NO, Verdict.ANSWERED),
        (BUSY, Verdict.ANSWERED),
        (BadPlatformAnswer("nonsense"), Verdict.ANSWERED),
        (DOWN, Verdict.FAILED),
        (LOST, Verdict.FAILED),
        (BROKEN, Verdict.FAILED),
        (KeyError("ours"), Verdict.NOTHING),
    ],
)
def test_only_a_platform_that_is_not_there_fails(error: Problem | KeyError | None, expected: Verdict) -> None:
    assert verdict(error) is expected
