"""A token proves its caller only if we signed it, for this API, and nobody has called it back; one seen lately costs a look-up.

Tokens are remembered by their SHA-256 for at most a minute; end, revocation and the client's standing are looked at each time.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from joserfc.jws import JWSRegistry

from gateway.oauth.access_token import TYPE, Names
from gateway.oauth.jws import Malformed, parse
from gateway.oauth.keys import ALGORITHM, SigningKey
from gateway.oauth.trust import Trust
from gateway.pipeline import Caller
from kernel.clock import Clock
from kernel.problem import Unauthorized

LEEWAY = 5  # seconds by which the clocks of our own machines may differ
LONGEST_LIFE = 3600  # seconds; nothing of ours lives longer, so a token that says so is refused
_REMEMBER_SECONDS = 60.0
_TYPES = frozenset({TYPE, f"application/{TYPE}"})  # RFC 9068 section 4
_TEXT_CLAIMS = ("iss", "sub", "client_id", "jti", "scope")
_verify_signature = JWSRegistry(algorithms=[ALGORITHM]).get_alg(ALGORITHM).verify


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified token: whom it proves, when it was issued, and every claim in it."""

    caller: Caller
    issued_at: int
    claims: Mapping[str, Any]


class Verifier:
    """Checks access tokens for one audience."""

    def __init__(self, names: Names, trust: Trust, clock: Clock, *, resource_metadata: str, remember: int = 10_000) -> None:
        self._names, self._trust, self._clock = names, trust, clock
        self._capacity = remember
        self._audiences = frozenset(names.audiences)
        self._challenge = f'resource_metadata="{resource_metadata}"'
        self._seen: OrderedDict[bytes, tuple[Caller, int, float]] = OrderedDict()

    def recall(self, token: bytes) -> Caller | None:
        """The caller of a token seen in the last minute and still good; None: ask `verify`. Costs no waiting."""
        now = self._clock.monotonic()
        digest = hashlib.sha256(token).digest()
        found = self._seen.get(digest)
        if found is None or self._trust.stale(now):
            return None
        caller, issued_at, until = found
        if now >= until or self._clock.now().timestamp() >= caller.expires_at:
            return None
        if not self._trust.allows(caller.token_id, caller.client, issued_at):
            return None
        self._seen.move_to_end(digest)
        return caller

    async def verify(self, token: bytes) -> Caller:
        """The caller a token proves. Raises Unauthorized, or Unavailable when revocations cannot be known."""
        try:
            proof = await self.prove(token)
        except Malformed as refusal:
            self._seen.pop(hashlib.sha256(token).digest(), None)
            raise self.refusal(str(refusal)) from None
        digest = hashlib.sha256(token).digest()
        self._seen[digest] = (proof.caller, proof.issued_at, self._clock.monotonic() + _REMEMBER_SECONDS)
        self._seen.move_to_end(digest)
        while len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return proof.caller

    async def prove(self, token: bytes) -> Proof:
        """Everything checked anew. Raises Malformed, saying what is wrong without repeating the token."""
        if self._trust.stale(self._clock.monotonic()):
            await self._trust.current()
        compact = parse(token)
        key = await self._key(compact.header)
        if not _verify_signature(compact.signed, compact.signature, key.key):
            raise Malformed("the token's signature does not match")
        proof = _proof(compact.claims)
        self._check_claims(proof)
        return proof

    def refusal(self, why: str | None) -> Unauthorized:
        """RFC 6750 section 3 with RFC 9728 section 5.1; a request without a token learns no error code."""
        said = "" if why is None else f'error="invalid_token", error_description="{why}", '
        challenge = {"WWW-Authenticate": f"Bearer {said}{self._challenge}"}
        return Unauthorized(why or "this needs a token", fix="get a token from the token endpoint", headers=challenge)

    async def _key(self, header: Mapping[str, Any]) -> SigningKey:
        kid, kind = header.get("kid"), header.get("typ")
        if header.get("alg") != ALGORITHM:
            raise Malformed(f"the token is not signed with {ALGORITHM}")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise Malformed("the token is not an access token (typ)")
        key = await self._trust.key(kid) if isinstance(kid, str) else None
        if key is None:
            raise Malformed("the token's key is unknown")
        return key

    def _check_claims(self, proof: Proof) -> None:
        now, claims, caller = self._clock.now().timestamp(), proof.claims, proof.caller
        if claims["iss"] != self._names.issuer:
            raise Malformed("the token is from another issuer")
        if not _audiences(claims) & self._audiences:
            raise Malformed("the token is for another audience")
        if now >= caller.expires_at:
            raise Malformed("the token has expired")
        if max(proof.issued_at, _seconds(claims, "nbf", proof.issued_at)) > now + LEEWAY:
            raise Malformed("the token is not valid yet")
        if caller.expires_at - proof.issued_at > LONGEST_LIFE:
            raise Malformed("the token lives longer than any of ours")
        if not self._trust.allows(caller.token_id, caller.client, proof.issued_at):
            raise Malformed("the token has been revoked")


def _proof(claims: Mapping[str, Any]) -> Proof:
    for name in _TEXT_CLAIMS:
        if not isinstance(claims.get(name), str) or not claims[name]:
            raise Malformed(f"the token lacks {name}")
    plan, accounts = claims.get("plan", "default"), claims.get("accounts")
    if not isinstance(plan, str) or not (accounts is None or _texts(accounts)):
        raise Malformed("the token's plan or accounts cannot be read")
    caller = Caller(
        client=claims["client_id"],
        subject=claims["sub"],
        scopes=frozenset(claims["scope"].split()),
        plan=plan,
        accounts=None if accounts is None else frozenset(accounts),
        token_id=claims["jti"],
        expires_at=_seconds(claims, "exp"),
    )
    return Proof(caller, _seconds(claims, "iat"), claims)


def _seconds(claims: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = claims.get(name, default)
    if type(value) is not int:  # bool is an int, and NaN or 1e400 are floats
        raise Malformed(f"the token lacks {name} in whole seconds")
    return value


def _audiences(claims: Mapping[str, Any]) -> set[str]:
    """RFC 7519 section 4.1.3: one text or an array of them; anything else names nobody."""
    audience = claims.get("aud")
    if isinstance(audience, str):
        return {audience}
    return set(audience) if _texts(audience) else set()


def _texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
