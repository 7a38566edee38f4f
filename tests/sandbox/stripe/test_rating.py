"""Amounts and periods: half up on the line, exact to the minor unit, and calendars that do not drift."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe import rating
from sandbox.stripe.periods import after, period_at

amounts = st.integers(-(10**12), 10**12)
percentages = st.decimals(0, 100, places=4)


@pytest.mark.parametrize(
    ("amount", "percentage", "inclusive", "expected"),
    [
        (6000, "19", False, (1140, 6000)),
        (7140, "19", True, (1140, 6000)),
        (50, "1", False, (1, 50)),
        (49, "1", False, (0, 49)),
        (-50, "1", False, (-1, -50)),
        (120000, "7.25", False, (8700, 120000)),
    ],
)
def test_tax_is_rounded_half_up(amount: int, percentage: str, inclusive: bool, expected: tuple[int, int]) -> None:
    assert rating.tax(amount, Decimal(percentage), inclusive) == expected


@given(amounts, percentages)
def test_an_inclusive_tax_and_its_base_make_up_the_amount(amount: int, percentage: Decimal) -> None:
    charged, taxable = rating.tax(amount, percentage, inclusive=True)

    assert charged + taxable == amount


@given(amounts, percentages, st.booleans())
def test_a_credit_bears_the_tax_of_its_charge_turned_round(amount: int, percentage: Decimal, inclusive: bool) -> None:
    charged, taxable = rating.tax(amount, percentage, inclusive)

    assert rating.tax(-amount, percentage, inclusive) == (-charged, -taxable)


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(1, 10**6), st.floats(0, 1))
def test_a_proration_is_within_the_amount_and_whole_at_the_start(amount: int, start: int, length: int, where: float) -> None:
    end = start + length
    at = start + int(length * where)

    assert 0 <= rating.prorated(amount, start, end, at) <= amount
    assert rating.prorated(amount, start, end, start) == amount
    assert rating.prorated(amount, start, end, end) == 0


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "expected"),
    [
        ("2026-01-31", "month", 1, "2026-02-28"),
        ("2026-01-31", "month", 2, "2026-03-31"),
        ("2024-02-29", "year", 1, "2025-02-28"),
        ("2024-02-29", "year", 4, "2028-02-29"),
        ("2026-03-28", "week", 1, "2026-04-04"),
        ("2026-01-15", "month", -1, "2025-12-15"),
    ],
)
def test_intervals_follow_the_calendar(anchor: str, interval: str, count: int, expected: str) -> None:
    assert after(at(anchor), interval, count) == at(expected)


@given(
    st.integers(at("2000-01-01"), at("2040-01-01")),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 3),
    st.integers(0, 2 * 366 * 86400),
)
def test_every_time_after_the_anchor_lies_in_its_period(anchor: int, interval: str, count: int, later: int) -> None:
    start, end = period_at(anchor, interval, count, anchor + later)

    assert start <= anchor + later < end
    assert period_at(anchor, interval, count, end)[0] == end
