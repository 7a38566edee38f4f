"""A request path is normalised once, into segments that no later part can read differently; what cannot be is refused.

RFC 3986 section 3.3 is the grammar. Refused beyond it: encoded slashes, backslashes, dots and control characters, double
encodings, and empty, `.` and `..` segments, also when hidden before a `;`.
"""

import re
from urllib.parse import quote, unquote_to_bytes

from kernel.problem import BadRequest

LONGEST = 4096  # bytes
_PLAIN = re.compile(rb"(?:/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9_~!$&'()*+,=:@.-]*)+")
_GRAMMAR = re.compile(rb"/(?:[A-Za-z0-9_~!$&'()*+,;=:@./-]|%[0-9A-Fa-f]{2})*")
_DISGUISED = re.compile(rb"%(?:2f|5c|2e|7f|[01][0-9a-f])", re.IGNORECASE)
_ENCODED_AGAIN = re.compile(r"%[0-9A-Fa-f]{2}")
_UNQUOTED = "-._~!$&'()*+,;=:@"


def segments(raw: bytes) -> list[str]:
    """The decoded segments of a raw request path. Raises BadRequest."""
    if len(raw) > LONGEST:
        raise _refused(f"is longer than {LONGEST} bytes")
    if _PLAIN.fullmatch(raw):
        return raw[1:].decode("ascii").split("/")
    if raw == b"/":
        return []
    if not _GRAMMAR.fullmatch(raw):
        raise _refused("holds characters that no path may hold")
    if _DISGUISED.search(raw):
        raise _refused("hides a slash, backslash, dot or control character behind a percent sign")
    return [_segment(part) for part in raw[1:].split(b"/")]


def canonical(parts: list[str]) -> bytes:
    """The one spelling of these segments that goes to an upstream."""
    return ("/" + "/".join(quote(part, safe=_UNQUOTED) for part in parts)).encode("ascii")


def _segment(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise _refused("is not UTF-8") from None
    if _ENCODED_AGAIN.search(text):
        raise _refused("is encoded twice")
    if text.partition(";")[0] in ("", ".", ".."):
        raise _refused("has an empty segment, or one that means another directory")
    return text


def _refused(why: str) -> BadRequest:
    return BadRequest(f"the path {why}", fix="send each name as one segment, percent-encoded once")
