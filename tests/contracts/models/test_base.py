"""The types that all models share accept what JSON Schema says of them, no more and no less."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.models.base import Day, Quantity


@pytest.mark.parametrize("value", [30, 30.0])
def test_a_whole_number_may_be_written_with_a_point(value):
    read = TypeAdapter(Quantity).validate_python(value)

    assert (read, type(read)) == (30, int)


@pytest.mark.parametrize("value", [30.5, True, "30", None, float("inf"), float("nan"), -1, 1_000_000_001.0])
def test_what_is_no_whole_number_in_bounds_is_refused(value):
    with pytest.raises(ValidationError):
        TypeAdapter(Quantity).validate_python(value)


@pytest.mark.parametrize("value", ["2026-06-15", date(2026, 6, 15)])
def test_a_day_is_read_as_it_is_written(value):
    assert TypeAdapter(Day).validate_python(value) == date(2026, 6, 15)


@pytest.mark.parametrize(
    "value", [0, 1_750_000_000, "0", "1750000000", "2026-06-15T00:00:00", "20260615", True, None, "2026-02-30"]
)
def test_a_number_is_no_day(value):
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(value)
