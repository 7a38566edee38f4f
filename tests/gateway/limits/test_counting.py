"""What is told is true: a call fits when it was said to, not a second earlier; and clocks that jump give nothing."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.limits.counting import CELLS, DAY, SECOND, Gcra, Period, Sliding, gap, judge, period
from gateway.pipeline import Limit

NOW = 1_772_366_400 * SECOND  # 2026-03-01T12:00:00Z
BURST = Limit("burst", 10, 60)
EVEN = Limit("even", 10, 60, kind="gcra", burst=3)


@settings(deadline=None)
@given(
    quota=st.integers(1, 50),
    window=st.integers(1, 3600),
    now=st.integers(0, 10**9),
    previous=st.integers(0, 99),
    count=st.integers(1, 99),
)
def test_the_told_wait_is_enough_and_not_a_second_too_long(quota: int, window: int, now: int, previous: int, count: int) -> None:
    limit = Limit("burst", quota, window)
    verdict = judge(limit, now, previous, count)
    assume(not verdict.remaining)
    held = count if verdict.admitted else count - 1

    def fits(wait: int) -> bool:
        later = now + wait
        ahead = later // (window * 1000) - now // (window * 1000)
        return judge(limit, later, [previous, held, 0][ahead], held + 1 if ahead == 0 else 1).admitted

    assert fits(verdict.reset * 1000)
    assert verdict.reset == 1 or not fits(verdict.reset * 1000 - 1000)


@given(quota=st.integers(1, 10**6), share=st.integers(1, 10**6), window=st.integers(1, 86_400))
def test_a_gap_keeps_any_stretch_of_a_window_within_the_quota(quota: int, share: int, window: int) -> None:
    limit = Limit("even", quota, window, kind="gcra", burst=min(quota, share))
    most = limit.burst + (window * SECOND - 1) // gap(limit)  # all of the burst at once, then a call in every gap

    assert most <= quota


def test_the_window_before_weighs_in_until_it_has_slid_out() -> None:
    cell = Sliding()
    for _ in range(10):
        cell.look(BURST, NOW)
        cell.take()
    half = [cell.look(BURST, NOW + 90 * SECOND)]
    for _ in range(5):
        cell.take()
        half.append(cell.look(BURST, NOW + 90 * SECOND))

    assert [(verdict.admitted, verdict.remaining) for verdict in half] == [
        (True, 4), (True, 3), (True, 2), (True, 1), (True, 0), (False, 0),
    ]  # fmt: skip
    assert cell.look(BURST, NOW + 210 * SECOND).remaining == 9


def test_evenly_spread_calls_come_after_the_burst_one_by_one() -> None:
    cell, admitted = Gcra(), []
    for second in range(121):
        if cell.look(EVEN, NOW + second * SECOND).admitted:
            cell.take()
            admitted.append(second)

    assert admitted[:3] == [0, 1, 2]
    assert admitted[3:6] == [8, 15, 23]
    assert len([second for second in admitted if second < 60]) == 10


@pytest.mark.parametrize(("kind", "begin", "length"), [("day", 12 * 3600, 1), ("month", 12 * 3600, 31)])
def test_a_period_is_that_of_the_calendar(kind: str, begin: int, length: int) -> None:
    first, following = period(kind, NOW)

    assert NOW - first == begin * SECOND
    assert following - first == length * DAY
    assert period(kind, following)[0] == following
    assert period(kind, following - 1) == (first, following)


@pytest.mark.parametrize(
    "limit", [BURST, EVEN, Limit("daily", 10, kind="day"), Limit("monthly", 10, kind="month")], ids=lambda limit: limit.kind
)
@given(back=st.integers(1, 400 * DAY))
def test_a_clock_that_is_put_back_gives_no_quota_back(limit: Limit, back: int) -> None:
    cell, now = CELLS[limit.kind](), NOW
    while cell.look(limit, now).admitted:
        cell.take()

    assert not cell.look(limit, now - back).admitted
    assert not cell.look(limit, now - back).admitted


@pytest.mark.parametrize("limit", [BURST, EVEN], ids=lambda limit: limit.kind)
def test_a_clock_that_had_run_ahead_by_a_day_does_not_close_the_door_for_a_day(limit: Limit) -> None:
    cell = CELLS[limit.kind]()
    while cell.look(limit, NOW + DAY).admitted:
        cell.take()
    cell.look(limit, NOW)

    assert cell.look(limit, NOW + 121 * SECOND).admitted


def test_a_day_that_was_counted_ahead_counts_for_the_day_it_is() -> None:
    limit, cell = Limit("daily", 3, kind="day"), Period()
    for _ in range(2):
        cell.look(limit, NOW + 40 * DAY)
        cell.take()
    back = cell.look(limit, NOW)

    assert (back.remaining, back.reset) == (0, 12 * 3600)
    assert cell.look(limit, NOW + DAY).remaining == 2
