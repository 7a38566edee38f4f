"""Numbers cross the wire digit by digit."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from system_apis.connectors.netsuite.body import decoded, encoded

exact = st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**15), max_value=10**15)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | exact,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), plain))
def test_what_is_sent_is_what_would_be_read(body: dict[str, object]) -> None:
    assert decoded(encoded(body).encode()) == body


def test_an_amount_is_a_number_with_all_its_digits() -> None:
    assert (
        encoded({"amount": Decimal("2400.0200"), "creditLimit": Decimal("1E+5")}) == '{"amount":2400.0200,"creditLimit":100000}'
    )
    assert decoded(b'{"amount": 0.100000000000000000001}') == {"amount": Decimal("0.100000000000000000001")}


@pytest.mark.parametrize("wrong", [1.5, Decimal("NaN"), Decimal("Infinity"), object(), {"a": [0.1]}])
def test_a_binary_float_and_no_number_are_not_sent(wrong: object) -> None:
    with pytest.raises(TypeError):
        encoded(wrong)


def test_text_stays_text() -> None:
    assert json.loads(encoded({"memo": 'a "b" \\ \n é', "zip": "00501"})) == {"memo": 'a "b" \\ \n é', "zip": "00501"}


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null", b'"x"', b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_object_is_none(content: bytes) -> None:
    assert decoded(content) is None
