"""A DPoP proof (RFC 9449) shows that its sender holds a key: for this request, this token, now, and once.

No server nonces: the window is a minute and each proof counts once wherever processes share what they remember (decision 10).
"""

import base64
import hashlib
import json
from collections import OrderedDict
from urllib.parse import urlsplit

from starlette.types import Scope

from gateway import paths
from gateway.oauth.claims import seconds
from gateway.oauth.jws import Malformed, parse
from gateway.oauth.once import Once
from gateway.oauth.public_keys import ALGORITHMS, BadKey, PublicKey, read_key
from kernel.clock import Clock
from kernel.problem import Problem

HEADER = b"dpop"
WINDOW, AHEAD = 60, 5  # seconds: how old a proof may be, and how far ahead the clock that made it
LASTING = WINDOW + AHEAD + 1  # seconds for which a proof could be used again
ALGS = " ".join(ALGORITHMS)
_TYPE = "dpop+jwt"
_MEMBERS = frozenset({"alg", "typ", "jwk"})
_LONGEST_HEADER = 2048  # encoded; an RSA key of 2048 bits alone takes 550, one of 8192 takes 1,900
_LONGEST_JTI = 256
_KEYS_KEPT = 4096  # keys of senders met lately: reading one costs more than looking it up
_PORTS = {"http": 80, "https": 443}


class BadProof(ValueError):
    """The proof proves nothing; the message is safe to show."""


class Proofs:
    """Checks proofs for the addresses below one public URL."""

    def __init__(self, public_url: str, clock: Clock, once: Once) -> None:
        self._clock, self._once = clock, once
        self._origin, self._prefix = _target(public_url.rstrip("/"))
        self._keys: OrderedDict[bytes, PublicKey] = OrderedDict()

    async def check(self, proof: bytes, scope: Scope, *, token: bytes | None = None) -> str:
        """The thumbprint (`jkt`) of the key that signed this proof for this request. Raises BadProof.

        With `token` the proof must be for that access token (`ath`). A proof that is good is used up by this.
        """
        try:
            return await self._check(proof, scope, token)
        except Malformed as refusal:
            raise BadProof(str(refusal).replace("the token", "the proof", 1)) from None

    async def _check(self, proof: bytes, scope: Scope, token: bytes | None) -> str:
        compact = parse(proof, members=_MEMBERS, longest_header=_LONGEST_HEADER)
        kind = compact.header.get("typ")
        if not isinstance(kind, str) or kind.lower() != _TYPE:
            raise BadProof(f"the proof's typ is not {_TYPE}")
        key = self._key(proof.partition(b".")[0], compact.header.get("jwk"))
        if not key.verifies(compact.header.get("alg"), compact.signed, compact.signature):
            raise BadProof(f"the proof's signature does not match its key, by one of {ALGS}")
        claims = compact.claims
        if claims.get("htm") != scope.get("method", "GET"):  # a WebSocket begins with a GET
            raise BadProof("the proof is for another method (htm)")
        if not self._is_here(claims.get("htu"), scope.get("raw_path") or scope["path"].encode()):
            raise BadProof("the proof is for another address (htu)")
        if token is not None and claims.get("ath") != token_hash(token):
            raise BadProof("the proof is for another token (ath)")
        made, now = seconds(claims, "iat"), self._clock.now().timestamp()
        if not now - WINDOW <= made <= now + AHEAD:
            raise BadProof(f"the proof was not made within the last {WINDOW} seconds (iat)")
        await self._use_up(key, claims.get("jti"))
        return key.thumbprint

    def _key(self, head: bytes, jwk: object) -> PublicKey:
        """The same header has the same key."""
        name = hashlib.sha256(head).digest()
        found = self._keys.get(name)
        if found is None:
            try:
                found = self._keys[name] = read_key(jwk)
            except BadKey as refusal:
                raise BadProof(str(refusal)) from None
            if len(self._keys) > _KEYS_KEPT:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(name)
        return found

    def _is_here(self, htu: object, raw_path: bytes) -> bool:
        """RFC 9449 section 4.3 (9): compared as URLs are (RFC 3986 section 6.2.2), query and fragment left aside."""
        if not isinstance(htu, str):
            return False
        try:
            origin, path = _target(htu)
        except (ValueError, Problem):
            return False
        return origin == self._origin and path == self._prefix + paths.segments(raw_path)

    async def _use_up(self, key: PublicKey, jti: object) -> None:
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
            raise BadProof("the proof has no jti, or one that is too long")
        if not await self._once.first(json.dumps(["dpop", key.thumbprint, jti]), LASTING):
            raise BadProof("the proof was used before")


def token_hash(token: bytes) -> str:
    """`ath`: base64url of the token's SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(token).digest()).rstrip(b"=").decode()


def _target(url: str) -> tuple[tuple[str, str, int | None], list[str]]:
    """Scheme, host and port, and the decoded path segments; raises ValueError or a Problem for what is no such URL."""
    parts = urlsplit(url)
    if parts.username is not None or not parts.hostname or parts.scheme.lower() not in _PORTS:
        raise ValueError("not an address that can be called")
    scheme, raw = parts.scheme.lower(), (parts.path or "/").encode("ascii")
    return (scheme, parts.hostname.lower(), parts.port or _PORTS[scheme]), paths.segments(raw)
