"""A path means one thing or is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import paths
from kernel.problem import BadRequest


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"/", []),
        (b"/a/b-c/d_e~f", ["a", "b-c", "d_e~f"]),
        (b"/a/caf%C3%A9", ["a", "café"]),
        (b"/a/100%25", ["a", "100%"]),
        (b"/proc%65ss", ["process"]),
        (b"/.well-known/x", [".well-known", "x"]),
        (b"/a/b;c=d", ["a", "b;c=d"]),
        (b"/a/...", ["a", "..."]),
    ],
)
def test_a_plain_path_becomes_its_decoded_segments(raw: bytes, expected: list[str]) -> None:
    assert paths.segments(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"a", b"*", b"//a", b"/a//b", b"/a/", b"/a/../b", b"/a/..", b"/a/./b", b"/.", b"/a/%2e%2e/b",
        b"/a/%2E./b", b"/a/.%2e",
        b"/a%2fb", b"/a%2Fb", b"/a%5cb", b"/a\\b", b"/a/%252e%252e/b", b"/a%252fb", b"/a%25%32%66", b"/a/%00",
        b"/a/%0a", b"/a/%7f",
        b"/a/b\x00", b"/a/\xc3\xa9", b"/a/%ff", b"/a/%c0%af", b"/a/%zz", b"/a/%2", b"/a/%", b"/a b", b"/a/..;/b",
        b"/a/;/b", b"/a/.;x",
        b"/a?b", b"/a#b", b'/a"b', b"/a<b", b"/" + b"a" * 5000,
    ],
)  # fmt: skip
def test_what_two_readers_could_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        paths.segments(raw)


@settings(deadline=None)
@given(st.binary(max_size=40).map(lambda tail: b"/" + tail))
def test_any_path_is_refused_or_spelled_in_one_way_that_reads_the_same(raw: bytes) -> None:
    try:
        segments = paths.segments(raw)
    except BadRequest:
        return
    canonical = paths.canonical(segments)

    assert paths.segments(canonical) == segments
    assert not any(set(segment) & set("/\\\x00") or segment in ("", ".", "..") for segment in segments)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["%2e", "%25", "%2f", "..", ".", "/", "a", "%61", ";", "%c3%a9", "\\", "%5C"]), max_size=8))
def test_no_mixture_of_tricks_leaves_the_directory(parts: list[str]) -> None:
    try:
        segments = paths.segments(("/" + "".join(parts)).encode())
    except BadRequest:
        return

    assert not any(segment in ("", ".", "..") or "/" in segment or "\\" in segment for segment in segments)
