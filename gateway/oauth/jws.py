"""A compact JWS is read strictly before any key is touched: small, flat, canonical, no member twice, no unasked header."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey

LONGEST = 8192  # bytes of a whole token
LONGEST_HEADER = 512  # bytes, encoded
TOKEN_HEADER = frozenset({"alg", "typ", "kid"})  # so no jwk, jku, x5u, x5c, crit, b64: keys come from us alone
_BRACKETS = 64  # an upper bound of the nesting depth; json would recurse until the interpreter gives up
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2 section 2.4.2)
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


def parse(token: bytes, *, members: Set[str] = TOKEN_HEADER, longest_header: int = LONGEST_HEADER) -> Compact:
    """Raises Malformed for anything but a canonical three-part JWS with JSON objects in its first two parts.

    `members` are those that its header may have.
    """
    if len(token) > LONGEST:
        raise Malformed(f"the token is longer than {LONGEST} bytes")
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        raise Malformed("the token is not a compact JWS")
    head, body, signature = shape.groups()
    if len(head) > longest_header:
        raise Malformed("the token's header is too long")
    header = read_object(decode(head))
    if not header.keys() <= members:
        raise Malformed("the token's header has members that are not accepted here")
    return Compact(header, read_object(decode(body)), head + b"." + body, decode(signature))


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: ECKey) -> str:
    """A compact JWS by ES256, with the lower of the two values that s may have (see `is_low`)."""
    signed = b".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    private = key.private_key
    if private is None:
        raise ValueError("only a private key can sign")
    r, s = decode_dss_signature(private.sign(signed, ECDSA(SHA256())))
    return (signed + b"." + encode(r.to_bytes(32) + min(s, _ORDER - s).to_bytes(32))).decode()


def is_low(signature: bytes) -> bool:
    """Whether an ES256 signature is the one of its two spellings that we write: (r, s) and (r, n - s) verify alike."""
    return int.from_bytes(signature[32:]) <= _ORDER // 2


def encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def decode(part: bytes) -> bytes:
    """base64url as it must be spelled, or Malformed."""
    try:
        decoded = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error:
        raise Malformed("the token is not base64url") from None
    if encode(decoded) != part:  # stray bits: one token must have one spelling
        raise Malformed("the token is not canonical base64url")
    return decoded


def read_object(raw: bytes, *, brackets: int = _BRACKETS) -> dict[str, Any]:
    """A JSON object in UTF-8 with no member twice, or Malformed; `brackets` bounds how often one may open."""
    if raw.count(b"[") + raw.count(b"{") > brackets:
        raise Malformed("the token is nested too deeply")
    try:
        # Decoded here, because json.loads would guess UTF-16 and UTF-32 from bytes.
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant)
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no character, and breaks later
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
