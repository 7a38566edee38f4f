import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce.ids import long_id
from system_apis.connectors.salesforce.ids import record_id

SHORT = st.text(string.ascii_letters + string.digits, min_size=15, max_size=15)


def test_the_checksum_is_that_of_the_developer_guide() -> None:
    assert record_id("001D000000IqhSL") == "001D000000IqhSLIAZ"


@given(SHORT)
def test_every_short_id_has_one_long_form_which_is_its_own(short: str) -> None:
    long = record_id(short)

    assert long == long_id(short)
    assert record_id(long) == long


@given(SHORT, st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", min_size=3, max_size=3))
def test_a_long_id_with_another_checksum_is_none(short: str, checksum: str) -> None:
    assert record_id(short + checksum) in (None, long_id(short))
    assert (record_id(short + checksum) is None) == (short + checksum != long_id(short))


@given(st.text())
def test_whatever_else_is_no_id(text: str) -> None:
    ascii_word = text.isascii() and text.isalnum() and len(text) in (15, 18)

    assert ascii_word or record_id(text) is None


@pytest.mark.parametrize(
    "near", ["001D000000IqhSL\n", " 001D000000IqhSL", "001D000000IqhS'", "００1D000000IqhSL", "001D000000IqhSLI"]
)
def test_what_only_looks_like_an_id_is_none(near: str) -> None:
    assert record_id(near) is None
