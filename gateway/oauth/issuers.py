"""A token of another issuer proves a caller in that issuer's words; only what the configuration translates counts here.

Its clients and users are named after the issuer ("entra:0f1e…"); no name of ours has a colon, so they are never taken for ours.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from gateway.oauth.claims import Proof, are_texts, audiences, check_times, confirmation, seconds
from gateway.oauth.discovery import Discovery
from gateway.oauth.jwks import IssuerKeys
from gateway.oauth.jws import TOKEN_HEADER, Compact, Malformed
from gateway.pipeline import Caller
from kernel.clock import Clock
from kernel.sections.issuers import Issuer

HEADER = TOKEN_HEADER | {"x5t", "x5t#S256"}  # thumbprints of certificates: told by some, used by nobody
LONGEST_NAME = 64  # characters of a client's or user's name, the issuer's before it included
_NAME = re.compile(r"[!-~]+", re.ASCII)  # printable, no space
_MOST = 1000  # texts in one claim


class Generation(Protocol):
    """Whose tokens are remembered as long as the same keys are in force."""

    @property
    def generation(self) -> int: ...


class ExternalIssuer:
    """One of `[[issuers]]`."""

    def __init__(self, said: Issuer, own_audiences: Iterable[str], keys: IssuerKeys, clock: Clock) -> None:
        self.said, self._keys, self._clock = said, keys, clock
        self._audiences = frozenset(said.audiences or own_audiences)
        self._types = frozenset(_kind(kind) for kind in said.types)
        self._algorithms = frozenset(said.algorithms)

    @property
    def generation(self) -> int:
        return self._keys.generation

    def start(self) -> None:
        self._keys.start()

    async def close(self) -> None:
        await self._keys.close()

    async def prove(self, compact: Compact) -> Proof:
        """Raises Malformed, or Unavailable while the issuer's keys cannot be had."""
        header = compact.header
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise Malformed(f"the token is not signed with {' or '.join(sorted(self._algorithms))}")
        if not isinstance(kind, str) or _kind(kind) not in self._types:
            raise Malformed("the token is not an access token (typ)")
        if kid is not None and not isinstance(kid, str):
            raise Malformed("the token's key is unknown")
        key = await self._keys.key(kid, algorithm)
        if key is None:
            raise Malformed("the token's key is unknown")
        if not key.verifies(algorithm, compact.signed, compact.signature):
            raise Malformed("the token's signature does not match")
        return self._checked(compact.claims, kid or "")

    def _checked(self, claims: Mapping[str, Any], key_id: str) -> Proof:
        if not audiences(claims) & self._audiences:
            raise Malformed("the token is for another audience")
        proof = Proof(self._caller(claims, key_id), seconds(claims, "iat"), claims)
        now = self._clock.now().timestamp()
        check_times(proof, now, leeway=self.said.leeway, longest_life=self.said.longest_life)
        return proof

    def _caller(self, claims: Mapping[str, Any], key_id: str) -> Caller:
        said, names = self.said, self.said.claims
        accounts = said.accounts if not names.accounts else _texts(found(claims, names.accounts), "accounts")
        return Caller(
            client=self._name(claims, names.client, "client"),
            subject=self._name(claims, names.subject, "subject"),
            scopes=self._scopes(claims),
            plan=_text(claims, names.plan, said.plan),
            accounts=None if accounts is None else frozenset(accounts),
            token_id=self._token_id(claims),
            expires_at=seconds(claims, "exp"),
            partner=_text(claims, names.partner, said.partner),
            issuer=said.url,
            confirmation=confirmation(claims),
            issued_at=seconds(claims, "iat"),
            key_id=key_id,
        )

    def _name(self, claims: Mapping[str, Any], places: Sequence[str], what: str) -> str:
        value = found(claims, places)
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise Malformed(f"the token names no {what}")
        name = f"{self.said.name}:{value}"
        if len(name) > LONGEST_NAME:
            raise Malformed(f"the token's {what} has a name of more than {LONGEST_NAME} characters")
        return name

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """Ours, for theirs; a word that is not translated gives nothing."""
        said = self.said
        scopes = _texts(found(claims, said.claims.scopes), "scopes")
        roles = _texts(found(claims, said.claims.roles), "roles")
        given = [said.scopes.get(word, ()) for word in scopes] + [said.roles.get(word, ()) for word in roles]
        return frozenset(scope for each in given for scope in each)

    def _token_id(self, claims: Mapping[str, Any]) -> str:
        """A name as long as ours whatever theirs is; Entra says `uti`."""
        told = claims.get("jti", claims.get("uti", ""))
        return hashlib.sha256(f"{self.said.url} {told}".encode()).hexdigest()[:32] if isinstance(told, str) and told else ""


def external_issuers(said: Iterable[Issuer], own_audiences: Iterable[str], clock: Clock) -> dict[str, ExternalIssuer]:
    """By what their tokens say in `iss`. Nothing is fetched yet. Raises ValueError when two have one name or address."""
    audiences, made = tuple(own_audiences), dict[str, ExternalIssuer]()
    for one in said:
        if one.url in made or one.name in {other.said.name for other in made.values()}:
            raise ValueError(f"two issuers are called {one.name}, or are at {one.url}")
        made[one.url] = ExternalIssuer(one, audiences, IssuerKeys(one.name, Discovery(one), clock), clock)
    return made


def found(claims: Mapping[str, Any], places: Sequence[str]) -> Any:
    """What the first of these places that is there holds. A name with dots is a member of that name, or leads into objects."""
    for place in places:
        if place in claims:
            return claims[place]
        value: Any = claims
        for step in place.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    return None


def _texts(value: object, what: str) -> list[str]:
    """One text is separated by spaces, as `scope` is (RFC 6749 section 3.3); nothing is no texts."""
    if value is None:
        return []
    listed = value.split(" ") if isinstance(value, str) else value
    if not are_texts(listed) or len(listed) > _MOST:
        raise Malformed(f"the token's {what} cannot be read")
    return [text for text in listed if text]


def _text(claims: Mapping[str, Any], places: Sequence[str], otherwise: str) -> str:
    value = found(claims, places)
    if value is None:
        return otherwise
    if not isinstance(value, str) or not _NAME.fullmatch(value) or len(value) > LONGEST_NAME:
        raise Malformed("the token's plan or partner cannot be read")
    return value


def _kind(kind: str) -> str:
    """RFC 7515 section 4.1.9: "application/" may be left out."""
    return kind.lower().removeprefix("application/")
