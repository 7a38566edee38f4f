"""A token proves its caller only if it was signed for this API by us, or by an issuer we trust, and nobody has called it back.

Tokens are remembered by their SHA-256 for at most a minute and one generation of their issuer's keys; end, revocation and the
client's standing are looked at each time. So are scope and binding, by whoever asked: a memory holds no decision about them.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from joserfc.jws import JWSRegistry

from gateway.oauth.access_token import TYPE, Names
from gateway.oauth.claims import Proof, are_texts, audiences, check_times, confirmation, seconds
from gateway.oauth.dpop import ALGS, Proofs
from gateway.oauth.issuers import HEADER, ExternalIssuer, Generation
from gateway.oauth.jws import TOKEN_HEADER, Compact, Malformed, is_low, parse
from gateway.oauth.keys import ALGORITHM, SigningKey
from gateway.oauth.once import OnceHere
from gateway.oauth.possession import Possession
from gateway.oauth.terminator import Terminator
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


class _Seen(NamedTuple):
    caller: Caller
    issued_at: int
    until: float
    issuer: Generation
    generation: int


class Verifier:
    """Checks access tokens for one audience.

    `issuers` are trusted beside ourselves, by their `iss`. `possession` is how holders of bound tokens prove themselves here;
    without it by DPoP alone, what was used once remembered in this process.
    """

    def __init__(
        self,
        names: Names,
        trust: Trust,
        clock: Clock,
        *,
        resource_metadata: str,
        remember: int = 10_000,
        issuers: Mapping[str, ExternalIssuer] | None = None,
        possession: Possession | None = None,
    ) -> None:
        self._names, self._trust, self._clock = names, trust, clock
        self._capacity = remember
        self._audiences = frozenset(names.audiences)
        self._issuers = dict(issuers or {})
        self._challenge = f'resource_metadata="{resource_metadata}", DPoP algs="{ALGS}"'
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self.possession = possession or Possession(Proofs(names.issuer, clock, OnceHere(clock)), Terminator())

    def recall(self, token: bytes) -> Caller | None:
        """The caller of a token seen in the last minute and still good; None: ask `verify`. Costs no waiting."""
        now = self._clock.monotonic()
        digest = hashlib.sha256(token).digest()
        found = self._seen.get(digest)
        if found is None or self._trust.stale(now):
            return None
        caller, issued_at, until, issuer, generation = found
        if now >= until or generation != issuer.generation or self._clock.now().timestamp() >= caller.expires_at:
            return None
        if not self._trust.allows(caller.token_id, caller.client, issued_at):
            return None
        self._seen.move_to_end(digest)
        return caller

    async def verify(self, token: bytes) -> Caller:
        """The caller a token proves. Raises Unauthorized, or Unavailable when revocations or keys cannot be known."""
        try:
            proof, issuer, generation = await self._prove(token)
        except Malformed as refusal:
            self._seen.pop(hashlib.sha256(token).digest(), None)
            raise self.refusal(str(refusal)) from None
        digest = hashlib.sha256(token).digest()
        until = self._clock.monotonic() + _REMEMBER_SECONDS
        self._seen[digest] = _Seen(proof.caller, proof.issued_at, until, issuer, generation)
        self._seen.move_to_end(digest)
        while len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return proof.caller

    async def prove(self, token: bytes) -> Proof:
        """Everything checked anew, but for the binding. Raises Malformed, saying what is wrong without repeating the token."""
        return (await self._prove(token))[0]

    def refusal(self, why: str | None) -> Unauthorized:
        """RFC 6750 section 3 with RFC 9728 section 5.1; a request without a token learns no error code."""
        said = "" if why is None else f'error="invalid_token", error_description="{why}", '
        challenge = {"WWW-Authenticate": f"Bearer {said}{self._challenge}"}
        return Unauthorized(why or "this needs a token", fix="get a token from the token endpoint", headers=challenge)

    async def _prove(self, token: bytes) -> tuple[Proof, Generation, int]:
        if self._trust.stale(self._clock.monotonic()):
            await self._trust.current()
        compact = parse(token, members=HEADER if self._issuers else TOKEN_HEADER)
        issuer = compact.claims.get("iss")
        external = self._issuers.get(issuer) if isinstance(issuer, str) else None
        source: Generation = external or self._trust
        generation = source.generation  # of before: keys that change meanwhile make the memory worthless, not wrong
        proof = await (self._own(compact) if external is None else external.prove(compact))
        if not self._trust.allows(proof.caller.token_id, proof.caller.client, proof.issued_at):
            raise Malformed("the token has been revoked")
        return proof, source, generation

    async def _own(self, compact: Compact) -> Proof:
        key = await self._key(compact)
        good = _verify_signature(compact.signed, compact.signature, key.key)
        if not good or not is_low(compact.signature):
            raise Malformed("the token's signature does not match")
        proof = _proof(compact)
        if compact.claims["iss"] != self._names.issuer:
            raise Malformed("the token is from another issuer")
        if not audiences(compact.claims) & self._audiences:
            raise Malformed("the token is for another audience")
        check_times(proof, self._clock.now().timestamp(), leeway=LEEWAY, longest_life=LONGEST_LIFE)
        return proof

    async def _key(self, compact: Compact) -> SigningKey:
        header = compact.header
        kid, kind = header.get("kid"), header.get("typ")
        if not header.keys() <= TOKEN_HEADER:
            raise Malformed("the token's header has members that are not accepted here")
        if header.get("alg") != ALGORITHM:
            raise Malformed(f"the token is not signed with {ALGORITHM}")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise Malformed("the token is not an access token (typ)")
        key = await self._trust.key(kid) if isinstance(kid, str) else None
        if key is None:
            raise Malformed("the token's key is unknown")
        return key


def _proof(compact: Compact) -> Proof:
    claims = compact.claims
    for name in _TEXT_CLAIMS:
        if not isinstance(claims.get(name), str) or not claims[name]:
            raise Malformed(f"the token lacks {name}")
    plan, partner, accounts = claims.get("plan", "default"), claims.get("partner", ""), claims.get("accounts")
    if not isinstance(plan, str) or not isinstance(partner, str) or not (accounts is None or are_texts(accounts)):
        raise Malformed("the token's plan or accounts cannot be read")
    caller = Caller(
        client=claims["client_id"],
        subject=claims["sub"],
        scopes=frozenset(claims["scope"].split()),
        plan=plan,
        accounts=None if accounts is None else frozenset(accounts),
        token_id=claims["jti"],
        expires_at=seconds(claims, "exp"),
        partner=partner,
        confirmation=confirmation(claims),
        issued_at=seconds(claims, "iat"),
        key_id=str(compact.header.get("kid", "")),
        actor=_actor(claims.get("act")),
    )
    return Proof(caller, seconds(claims, "iat"), claims)


def _actor(act: object) -> str:
    found = act.get("sub") if isinstance(act, dict) else None
    return found if isinstance(found, str) else ""


__all__ = ["LEEWAY", "LONGEST_LIFE", "Proof", "Verifier"]
