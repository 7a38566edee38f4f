"""What an upstream's failures mean for the next calls, on a clock that the test owns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstreams.budget import RetryBudget
from gateway.upstreams.condition import Condition
from kernel.sections.services import Ejection

RULE = Ejection(failures=3, breaker=5, pause=10, longest_pause=60)


class Time:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture
def condition(now: Time) -> Condition:
    return Condition(RULE, now)


def fail(condition: Condition, times: int, *, others: bool = True) -> None:
    for _ in range(times):
        condition.begin()
        condition.failed(others=others)


def test_some_failures_in_a_row_take_it_out_of_turn(condition: Condition, now: Time) -> None:
    fail(condition, 2)
    before = condition.preferred
    fail(condition, 1)

    assert (before, condition.preferred, condition.possible) == (True, False, True)
    now.seconds += 10
    assert condition.preferred


def test_the_last_one_is_never_taken_out(condition: Condition) -> None:
    fail(condition, 4, others=False)

    assert condition.preferred


def test_a_success_forgets_what_was_before(condition: Condition) -> None:
    fail(condition, 2)
    condition.succeeded()
    fail(condition, 2)

    assert condition.preferred


def test_more_failures_open_the_breaker_and_then_one_call_is_a_trial(condition: Condition, now: Time) -> None:
    fail(condition, 5, others=False)
    closed = condition.possible
    now.seconds += 10
    trial = condition.possible
    condition.begin()

    assert (closed, trial, condition.possible) == (False, True, False)
    condition.succeeded()
    assert condition.preferred


def test_what_fails_again_at_once_pauses_twice_as_long_up_to_a_limit(condition: Condition, now: Time) -> None:
    pauses = []
    fail(condition, 5, others=False)
    for _ in range(5):
        pauses.append(condition.alone_for)
        now.seconds += condition.alone_for
        fail(condition, 1)

    assert pauses == [10, 20, 40, 60, 60]


def test_a_trial_that_was_given_up_leaves_room_for_another(condition: Condition, now: Time) -> None:
    fail(condition, 5, others=False)
    now.seconds += 10
    condition.begin()
    condition.abandoned()

    assert condition.possible


def test_what_the_checks_find_ill_is_used_only_if_nothing_else_is_there(condition: Condition) -> None:
    condition.healthy = False

    assert (condition.preferred, condition.possible) == (False, True)


def test_retries_are_a_share_of_the_calls_and_a_few_a_second(now: Time) -> None:
    budget = RetryBudget(0.1, 0.5, now)
    for _ in range(100):
        budget.call()

    assert sum(budget.take() for _ in range(100)) == 15
    now.seconds += 10
    assert sum(budget.take() for _ in range(100)) == 5


MOVES = st.lists(st.one_of(st.just("call"), st.just("retry"), st.floats(0, 12)), max_size=300)


@given(moves=MOVES, share=st.floats(0, 1), per_second=st.floats(0, 5))
def test_within_any_ten_seconds_there_are_never_more_than_that(moves: list[Any], share: float, per_second: float) -> None:
    now = Time()
    budget = RetryBudget(share, per_second, now)
    calls, retries = list[float](), list[float]()
    for move in moves:
        if move == "call":
            budget.call()
            calls.append(now.seconds)
        elif move == "retry":
            retries += [now.seconds] if budget.take() else []
        else:
            now.seconds += move
    for end in retries:
        recent = [at for at in retries if end - 5 < at <= end]
        possible = [at for at in calls if end - 10 <= at <= end]

        assert len(recent) <= share * len(possible) + per_second * 10 + 1e-6
