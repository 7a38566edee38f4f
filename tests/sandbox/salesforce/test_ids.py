"""Record ids: the checksum, and that both lengths name one record."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.salesforce import ids


def test_the_checksum_is_salesforces() -> None:
    assert ids.long_id("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert ids.full("001D000000IqhSL") == ids.full("001D000000IqhSLIAZ") == "001D000000IqhSLIAZ"


@given(st.integers(0, 62**5 - 2))
def test_ids_given_out_later_sort_later(number: int) -> None:
    assert ids.record_id("001", number) < ids.record_id("001", number + 1)


@given(st.integers(0, 62**5 - 1), st.integers(0, 14))
def test_a_change_of_case_is_noticed(number: int, position: int) -> None:
    id_ = ids.record_id("00k", number)
    swapped = id_[:position] + id_[position].swapcase() + id_[position + 1 :]

    assert ids.full(id_) == id_
    assert swapped == id_ or ids.full(swapped) is None


@given(st.text(max_size=20))
def test_anything_else_is_no_id(text: str) -> None:
    found = ids.full(text)

    assert found is None or (len(found) == 18 and found[:15] == text[:15])
