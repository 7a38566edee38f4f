"""The reader of tokens fails in one way only, whatever it is given."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.jws import Malformed, parse


@given(st.binary(max_size=300) | st.from_regex(rb"[A-Za-z0-9_-]{1,90}(\.[A-Za-z0-9_-]{1,90}){0,4}", fullmatch=True))
def test_no_bytes_make_the_reader_fail_in_another_way(token: bytes) -> None:
    said = ""
    try:
        parse(token)
    except Malformed as refusal:
        said = str(refusal)

    assert '"' not in said  # it is quoted in a header
