"""A compact JWS is read strictly before any key is touched: small, flat, canonical, no member twice, no unasked header."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 8192  # bytes of a whole token
_LONGEST_HEADER = 512
_BRACKETS = 64  # an upper bound of the nesting depth; json would recurse until the interpreter gives up
_HEADER_MEMBERS = frozenset({"alg", "typ", "kid"})  # so no jwk, jku, x5u, x5c, crit, b64: keys come from us alone
_SHAPE = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class Malformed(ValueError):
    """Not a token that we would have issued; the message is safe to show."""


@dataclass(frozen=True, slots=True)
class Compact:
    """The parts of a token, decoded; nothing is verified yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def parse(token: bytes) -> Compact:
    """Raises Malformed for anything but a canonical three-part JWS with JSON objects in its first two parts."""
    if len(token) > LONGEST:
        raise Malformed(f"the token is longer than {LONGEST} bytes")
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        raise Malformed("the token is not a compact JWS")
    head, body, signature = shape.groups()
    if len(head) > _LONGEST_HEADER:
        raise Malformed("the token's header is too long")
    header = _object(_decode(head))
    if not header.keys() <= _HEADER_MEMBERS:
        raise Malformed("the token's header has members that are not accepted here")
    return Compact(header, _object(_decode(body)), head + b"." + body, _decode(signature))


def _decode(part: bytes) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error:
        raise Malformed("the token is not base64url") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part:  # stray bits: one token must have one spelling
        raise Malformed("the token is not canonical base64url")
    return decoded


def _object(raw: bytes) -> dict[str, Any]:
    if raw.count(b"[") + raw.count(b"{") > _BRACKETS:
        raise Malformed("the token is nested too deeply")
    try:
        # Decoded here, because json.loads would guess UTF-16 and UTF-32 from bytes.
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant)
    except ValueError as error:
        raise error if isinstance(error, Malformed) else Malformed("the token does not hold JSON") from None
    if not isinstance(value, dict):
        raise Malformed("the token does not hold a JSON object")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("the token names a member twice")
    return members


def _no_constant(name: str) -> Any:
    raise Malformed(f"{name} is not JSON")
