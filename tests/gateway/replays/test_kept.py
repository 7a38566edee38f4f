"""What is kept comes back as it was, to whoever has the key, for the row it was kept in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.sealing import BadSeal, Seal
from gateway.replays.kept import Kept, opened, sealed

SEAL = Seal(b"k" * 32)
BYTES = st.binary(max_size=20)
HEADERS = st.lists(st.tuples(BYTES, BYTES), max_size=4).map(tuple)


@given(st.builds(Kept, st.integers(100, 599), HEADERS, st.binary(max_size=200), st.frozensets(st.text(max_size=8), max_size=3)))
def test_an_answer_comes_back_as_it_was(kept: Kept) -> None:
    assert opened(sealed(kept, SEAL, "id"), SEAL, "id") == kept


def test_nothing_of_it_can_be_read_in_the_database() -> None:
    secret = sealed(Kept(201, ((b"location", b"/orders/4711"),), b'{"email": "jo@acme.example"}', frozenset()), SEAL, "id")

    assert b"acme" not in secret
    assert b"4711" not in secret


@pytest.mark.parametrize(("seal", "id"), [(Seal(b"x" * 32), "id"), (SEAL, "another")])
def test_it_opens_with_its_key_and_in_its_place_only(seal: Seal, id: str) -> None:
    with pytest.raises(BadSeal):
        opened(sealed(Kept(200, (), b"", frozenset()), SEAL, "id"), seal, id)
