"""What a token says is read without guessing: a time is whole seconds, an audience is text, a binding is one we can check."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from gateway.oauth.jws import Malformed
from gateway.pipeline import Caller

JKT, X5T = "jkt", "x5t#S256"  # RFC 9449 section 6.1, RFC 8705 section 3.1
_SHA256 = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified token: whom it proves, when it was issued, and every claim in it."""

    caller: Caller
    issued_at: int
    claims: Mapping[str, Any]


def seconds(claims: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = claims.get(name, default)
    if type(value) is not int:  # bool is an int, and NaN or 1e400 are floats
        raise Malformed(f"the token lacks {name} in whole seconds")
    return value


def audiences(claims: Mapping[str, Any]) -> set[str]:
    """RFC 7519 section 4.1.3: one text or an array of them; anything else names nobody."""
    audience = claims.get("aud")
    if isinstance(audience, str):
        return {audience}
    return set(audience) if are_texts(audience) else set()


def are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def confirmation(claims: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the token's holder must prove beside it (RFC 7800); () for a bearer token.

    Raises Malformed for a binding that we could not check: such a token is not a bearer token.
    """
    if "cnf" not in claims:
        return ()
    bound = claims["cnf"]
    if not isinstance(bound, dict) or not bound or not bound.keys() <= {JKT, X5T}:
        raise Malformed("the token is bound in a way that cannot be checked here")
    if not all(isinstance(value, str) and _SHA256.fullmatch(value) for value in bound.values()):
        raise Malformed("the token is bound to something that cannot be read")
    return tuple(sorted(bound.items()))


def check_times(proof: Proof, now: float, *, leeway: int, longest_life: int) -> None:
    """Raises Malformed for a token that has ended, has not begun, or lives for too long; a token's end has no leeway."""
    end = proof.caller.expires_at
    if now >= end:
        raise Malformed("the token has expired")
    if max(proof.issued_at, seconds(proof.claims, "nbf", proof.issued_at)) > now + leeway:
        raise Malformed("the token is not valid yet")
    if end - proof.issued_at > longest_life:
        raise Malformed("the token lives longer than any of ours")
