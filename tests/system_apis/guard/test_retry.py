"""Retries pause longer each time, obey the platform, and stay a small share of the traffic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.problem import PlatformBusy
from kernel.settings import Patience
from system_apis.guard.breaker import Breaker, Verdict
from system_apis.guard.retry import Retries, RetryBudget
from tests.system_apis.guard.shop import BUSY, NO, OwnedClock

PATIENCE = Patience(attempts=4, first_pause=0.5, longest_pause=1.5, breaker_failures=1)
LATER = 1e9


def retries(clock: OwnedClock, dice: float = 1.0) -> Retries:
    return Retries(PATIENCE, Breaker("shop", PATIENCE, clock), clock, lambda: dice)


def test_pauses_double_up_to_the_longest(clock: OwnedClock) -> None:
    assert [retries(clock).pause_before_next(BUSY, n, LATER) for n in (1, 2, 3)] == [0.5, 1.0, 1.5]


def test_jitter_is_full(clock: OwnedClock) -> None:
    assert retries(clock, dice=0.0).pause_before_next(BUSY, 3, LATER) == 0


def test_the_platforms_own_wish_comes_on_top(clock: OwnedClock) -> None:
    assert retries(clock).pause_before_next(PlatformBusy("limit", retry_after=7), 1, LATER) == 7.5


def test_there_is_no_retry_of_a_refusal_nor_after_the_last_attempt_nor_past_the_end(clock: OwnedClock) -> None:
    assert retries(clock).pause_before_next(NO, 1, LATER) is None
    assert retries(clock).pause_before_next(BUSY, 4, LATER) is None
    assert retries(clock).pause_before_next(BUSY, 1, clock.monotonic() + 0.4) is None


def test_there_is_no_retry_while_the_breaker_is_open(clock: OwnedClock) -> None:
    breaker = Breaker("shop", PATIENCE, clock)
    breaker.settle(breaker.admit(), Verdict.FAILED)

    assert Retries(PATIENCE, breaker, clock, lambda: 0.0).pause_before_next(BUSY, 1, LATER) is None


@given(calls=st.integers(0, 500))
def test_retries_are_at_most_a_fifth_of_the_calls_and_a_few_more(calls: int) -> None:
    budget = RetryBudget(OwnedClock())
    for _ in range(calls):
        budget.called()

    granted = sum(budget.spend() for _ in range(1000))

    assert granted == 10 + calls // 5


@pytest.mark.parametrize(("seconds", "granted"), [(9, 0), (10, 0), (20, 10)])
def test_the_window_moves_on(clock: OwnedClock, seconds: int, granted: int) -> None:
    budget = RetryBudget(clock)
    while budget.spend():
        pass

    clock.seconds += seconds

    assert sum(budget.spend() for _ in range(20)) == granted
