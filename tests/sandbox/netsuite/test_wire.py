"""Numbers are exact both ways, and nothing but JSON passes for JSON."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.netsuite.wire import NotJson, cents, number, read, text

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_reads_back_as_it_was_written(value: Any) -> None:
    assert read(text(value).encode()) == value


@given(VALUES)
def test_what_is_written_is_what_any_json_reader_reads(value: Any) -> None:
    assert json.loads(text(value), parse_float=Decimal) == value


def test_trailing_zeros_survive() -> None:
    assert text(read(b'{"amount": 0.10, "rate": 1200.00}')) == '{"amount":0.10,"rate":1200.00}'


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b"[" * 100_000, b"1e9999999999999999999999"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        read(body)


@pytest.mark.parametrize("value", [True, "1", None, Decimal("1e15"), 10**15, Decimal("1e-11")])
def test_a_field_takes_numbers_of_reasonable_size_only(value: Any) -> None:
    assert number(value) is None


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6))
def test_rounding_to_cents_is_half_up_and_within_half_a_cent(value: Decimal) -> None:
    assert abs(cents(value) - value) <= Decimal("0.005")
    assert cents(-value) == -cents(value)
