"""Entity tags and how they are compared, as RFC 9110 sections 8.8.3 and 13.1 have it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import blake2b

ETAG, MATCH, NONE_MATCH, MODIFIED_SINCE = b"etag", b"if-match", b"if-none-match", b"if-modified-since"
_TAG = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_ANY = b"*"

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Current:
    """What is there now. `etag` None: it has none, being too large for ours."""

    exists: bool
    etag: bytes | None = None
    upstreams_own: bool = False


ABSENT = Current(False)


def tag(body: bytes) -> bytes:
    """A strong ETag: other bytes have another one."""
    return b'"' + blake2b(body, digest_size=16).hexdigest().encode() + b'"'


def tags(headers: Headers, name: bytes) -> list[bytes] | None:
    """The entity tags of a header, `*` as itself; None where the header is not there."""
    values = [value for known, value in headers if known == name]
    if not values:
        return None
    joined = b",".join(values).strip()
    return [_ANY] if joined == _ANY else _TAG.findall(joined)


def unchanged(headers: Headers, etag: bytes, modified: bytes | None) -> bool:
    """Whether the caller has seen it (13.1.2, 13.1.3): a date counts only where no ETag is given."""
    seen = tags(headers, NONE_MATCH)
    if seen is not None:
        return _is_among(seen, etag)
    since, changed = _date(dict(headers).get(MODIFIED_SINCE)), _date(modified)
    return since is not None and changed is not None and changed <= since


def holds(match: Sequence[bytes] | None, none: Sequence[bytes] | None, current: Current) -> bool:
    """Whether If-Match, compared strongly (13.1.1), or else If-None-Match, compared weakly (13.1.2), lets a write happen."""
    if match is not None:
        strong = current.etag is not None and not current.etag.startswith(b"W/")
        return current.exists and (_ANY in match or (strong and current.etag in match))
    if none is None or not current.exists:
        return True
    return _ANY not in none and not (current.etag is not None and _is_among(none, current.etag))


def _is_among(seen: Sequence[bytes], etag: bytes) -> bool:
    return _ANY in seen or etag.removeprefix(b"W/") in [one.removeprefix(b"W/") for one in seen]


def _date(value: bytes | None) -> float | None:
    try:
        return None if value is None else parsedate_to_datetime(value.decode("latin-1")).timestamp()
    except ValueError:
        return None
