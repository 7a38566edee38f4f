"""What the head of a request may be, whatever server parsed it: nothing in it can be read in two ways, and it has a size."""

from collections.abc import Mapping, Sequence

from kernel.problem import BadRequest

MOST_HEADERS = 100
LARGEST_HEAD = 32_768  # bytes of names and values
LARGEST_QUERY = 8_192  # bytes
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


def check_head(headers: Headers, first: Mapping[bytes, bytes], query: bytes) -> None:
    """Raises BadRequest. RFC 9112 sections 3.2 and 6.3 on Host, Content-Length and Transfer-Encoding."""
    if len(headers) > MOST_HEADERS or len(b"".join(first)) + len(b"".join(first.values())) > LARGEST_HEAD:
        raise BadRequest(f"the headers are more than {MOST_HEADERS} or larger than {LARGEST_HEAD} bytes")
    if len(query) > LARGEST_QUERY:
        raise BadRequest(f"the query is larger than {LARGEST_QUERY} bytes")
    if len(first) != len(headers):
        _refuse_repeated(headers)
    length = first.get(b"content-length")
    if length is None:
        return
    if b"transfer-encoding" in first:
        raise _unframed("Content-Length and Transfer-Encoding contradict each other; send one")
    if not length.isdigit() or len(length) > 18:
        raise _unframed("Content-Length is not a number of bytes")


def without_identity(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Spelled with underscores too: CGI and its heirs cannot tell the two apart."""
    return [header for header in headers if header[0].replace(b"_", b"-") not in IDENTITY]


def _refuse_repeated(headers: Headers) -> None:
    names = [name for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            raise _unframed(f"the header {name.decode()} is there more than once")
    if sum(len(name) + len(value) for name, value in headers) > LARGEST_HEAD:
        raise BadRequest(f"the headers are larger than {LARGEST_HEAD} bytes")


def _unframed(why: str) -> BadRequest:
    # Where this request ends is anybody's guess, so nothing that follows on the connection may be read as another one.
    return BadRequest(why, headers={"Connection": "close"})
