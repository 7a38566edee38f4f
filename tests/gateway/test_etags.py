"""Entity tags are compared as RFC 9110 says: weakly for what was seen, strongly for what is overwritten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.etags import ABSENT, Current, holds, tag, tags, unchanged

THERE = Current(True, b'"a"')
WEAK = Current(True, b'W/"a"')
BODIES = st.binary(max_size=50)


@given(one=BODIES, other=BODIES)
def test_two_bodies_have_one_tag_exactly_when_they_are_one(one: bytes, other: bytes) -> None:
    assert (tag(one) == tag(other)) == (one == other)
    assert not tag(one).startswith(b"W/")


@given(body=BODIES)
def test_what_was_given_as_a_tag_is_recognised(body: bytes) -> None:
    given_ = tag(body)

    assert unchanged([(b"if-none-match", given_)], given_, None)
    assert holds(tags([(b"if-match", given_)], b"if-match"), None, Current(True, given_))


@pytest.mark.parametrize(
    ("said", "unchanged_"),
    [
        (b'"a"', True), (b'W/"a"', True), (b'"b"', False), (b'"b", W/"a"', True), (b'"b","a"', True), (b"*", True), (b"a", False),
        (b"", False), (b'"a', False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("own", [b'"a"', b'W/"a"'])
def test_what_was_seen_is_compared_weakly(said: bytes, unchanged_: bool, own: bytes) -> None:
    assert unchanged([(b"if-none-match", said)], own, None) is unchanged_


def test_a_repeated_header_is_one_list() -> None:
    assert unchanged([(b"if-none-match", b'"x"'), (b"accept", b"*/*"), (b"if-none-match", b'"a"')], b'"a"', None)


@pytest.mark.parametrize(
    ("since", "changed", "unchanged_"),
    [
        (b"Sun, 01 Mar 2026 12:00:00 GMT", b"Sun, 01 Mar 2026 12:00:00 GMT", True),
        (b"Sun, 01 Mar 2026 12:00:00 GMT", b"Sun, 01 Mar 2026 12:00:01 GMT", False),
        (b"yesterday", b"Sun, 01 Mar 2026 12:00:00 GMT", False),
        (b"Sun, 01 Mar 2026 12:00:00 GMT", None, False),
    ],
)
def test_a_date_is_compared_where_there_is_one(since: bytes, changed: bytes | None, unchanged_: bool) -> None:
    assert unchanged([(b"if-modified-since", since)], b'"a"', changed) is unchanged_


def test_a_date_does_not_count_beside_a_tag() -> None:
    date = b"Sun, 01 Mar 2026 12:00:00 GMT"

    assert not unchanged([(b"if-modified-since", date), (b"if-none-match", b'"b"')], b'"a"', date)


@pytest.mark.parametrize(
    ("match", "current", "may"),
    [
        ([b'"a"'], THERE, True), ([b'"b"'], THERE, False), ([b'W/"a"'], THERE, False), ([b'W/"a"'], WEAK, False),
        ([b'"a"'], WEAK, False), ([b"*"], THERE, True), ([b"*"], ABSENT, False), ([b'"a"'], ABSENT, False), ([], THERE, False),
        ([b'"a"'], Current(True), False), ([b"*"], Current(True), True),
    ],
)  # fmt: skip
def test_what_is_overwritten_is_compared_strongly(match: list[bytes], current: Current, may: bool) -> None:
    assert holds(match, None, current) is may


@pytest.mark.parametrize(
    ("none", "current", "may"),
    [([b"*"], ABSENT, True), ([b"*"], THERE, False), ([b'"a"'], WEAK, False), ([b'"b"'], THERE, True), ([b'"a"'], ABSENT, True)],
)
def test_what_must_not_be_there_may_not(none: list[bytes], current: Current, may: bool) -> None:
    assert holds(None, none, current) is may


def test_what_was_seen_goes_before_what_must_not_be_there() -> None:
    assert holds([b'"a"'], [b"*"], THERE)
