"""What the head of a request may be, whatever server parsed it: nothing in it can be read in two ways, and it has a size."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kernel.problem import BadRequest, HeadTooLarge, TargetTooLong

MOST_HEADERS = 100
LARGEST_HEAD = 32_768  # bytes of names and values
LONGEST_HEADER = 16_384  # bytes of one value
LONGEST_TARGET = 8_192  # bytes of path and query
# What a service behind might take for a proven identity because some gateway says it so. Our own such headers are read, and
# removed, by the authentication.
IDENTITY = frozenset(
    {
        b"x-consumer-id", b"x-consumer-username", b"x-consumer-custom-id", b"x-credential-identifier", b"x-authenticated-userid",
        b"x-authenticated-scope", b"x-anonymous-consumer", b"x-remote-user", b"remote-user", b"x-forwarded-user",
        b"x-forwarded-email", b"x-user-id",
    }
)  # fmt: skip
_ONCE = frozenset(
    {
        b"host", b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"authorization", b"dpop",
        b"idempotency-key", b"x-correlation-id", b"traceparent", b"if-match", b"expect",
    }
)  # fmt: skip

Headers = Sequence[tuple[bytes, bytes]]


class Bounds(NamedTuple):
    """How large the head of a request may be. All but the first are bytes."""

    most_headers: int = MOST_HEADERS
    largest_head: int = LARGEST_HEAD
    longest_header: int = LONGEST_HEADER
    longest_target: int = LONGEST_TARGET


USUAL = Bounds()


def check_head(headers: Headers, first: Mapping[bytes, bytes], target: int, bounds: Bounds = USUAL) -> None:
    """`target`: bytes of path and query. Raises TargetTooLong (RFC 9110 section 15.5.15), HeadTooLarge (RFC 6585 section 5),
    and BadRequest where the head can be read in two ways (RFC 9112 sections 3.2 and 6.3)."""
    if target > bounds.longest_target:
        raise _overlong(TargetTooLong, f"path and query are longer than {bounds.longest_target} bytes")
    size = len(b"".join(first)) + len(b"".join(first.values()))
    if len(headers) > bounds.most_headers or size > bounds.longest_header or len(first) != len(headers):
        _check_sizes(headers, bounds)
        _refuse_repeated(headers)
    length = first.get(b"content-length")
    if length is None:
        if first.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise _unframed("the only Transfer-Encoding that is understood here is chunked")
        return
    if b"transfer-encoding" in first:
        raise _unframed("Content-Length and Transfer-Encoding contradict each other; send one")
    if not length.isdigit() or len(length) > 18:
        raise _unframed("Content-Length is not a number of bytes")


def without_identity(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Spelled with underscores too: CGI and its heirs cannot tell the two apart."""
    return [header for header in headers if header[0].replace(b"_", b"-") not in IDENTITY]


def _check_sizes(headers: Headers, bounds: Bounds) -> None:
    if len(headers) > bounds.most_headers:
        raise _overlong(HeadTooLarge, f"there are more than {bounds.most_headers} headers")
    for name, value in headers:
        if len(value) > bounds.longest_header:
            shown = name[:40].decode("ascii", "replace")
            raise _overlong(HeadTooLarge, f"the header {shown} is longer than {bounds.longest_header} bytes", field=shown)
    if sum(len(name) + len(value) for name, value in headers) > bounds.largest_head:
        raise _overlong(HeadTooLarge, f"the headers are larger than {bounds.largest_head} bytes")


def _refuse_repeated(headers: Headers) -> None:
    names = [name for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            raise _unframed(f"the header {name.decode()} is there more than once")


def _overlong(kind: type[HeadTooLarge] | type[TargetTooLong], why: str, field: str | None = None) -> HeadTooLarge | TargetTooLong:
    return kind(why, field=field, fix="send less, or what belongs there in the body", headers={"Connection": "close"})


def _unframed(why: str) -> BadRequest:
    # Where this request ends is anybody's guess, so nothing that follows on the connection may be read as another one.
    return BadRequest(why, headers={"Connection": "close"})
