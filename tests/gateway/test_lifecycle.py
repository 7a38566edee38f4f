"""A lifecycle that contradicts itself, or cannot be read, is refused in words that say what to change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lifecycle import BadLifecycle, Lifecycle

DAYS = st.dates(datetime(2020, 1, 1).date(), datetime(2040, 1, 1).date())


def test_a_day_is_its_first_moment_and_a_time_keeps_its_zone() -> None:
    found = Lifecycle.of({"stage": "deprecated", "deprecated": "2026-01-31", "sunset": "2026-12-31T23:00:00+01:00"})

    assert found.deprecated == datetime(2026, 1, 31, tzinfo=UTC)
    assert found.sunset == datetime(2026, 12, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("retired", "object"),
        ({"stage": "retired", "sunest": "2026-01-01"}, "members"),
        ({"stage": "gone"}, "stage is one of"),
        ({"stage": "deprecated"}, "since when"),
        ({"sunset": "soon"}, "sunset is a date"),
        ({"sunset": 2026}, "sunset is a date"),
        ({"sunset": "2026-02-30"}, "sunset is a date"),
        ({"sunset": "2026-01-01T10:00:00"}, "time zone"),
        ({"published": "yesterday"}, "published is a date"),
        ({"stage": "deprecated", "deprecated": "2026-06-01", "sunset": "2026-05-31"}, "earlier"),
        ({"successor": "v2"}, "successor is a path"),
        ({"successor": '/v2>; rel="x"'}, "successor is a path"),
        ({"documentation": "http://docs.example.com"}, "documentation is a path"),
    ],
)
def test_what_cannot_be_meant_is_said(said: Any, word: str) -> None:
    with pytest.raises(BadLifecycle, match=word):
        Lifecycle.of(said)


@given(DAYS, DAYS)
def test_nobody_is_told_to_leave_before_being_warned(deprecated: Any, sunset: Any) -> None:
    said = {"stage": "deprecated", "deprecated": deprecated.isoformat(), "sunset": sunset.isoformat()}
    if sunset < deprecated:
        with pytest.raises(BadLifecycle):
            Lifecycle.of(said)
        return
    found = Lifecycle.of(said)

    assert found.sunset is not None
    assert not found.is_over(found.sunset - timedelta(microseconds=1))
    assert found.is_over(found.sunset)
