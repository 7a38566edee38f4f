"""Access tokens are RFC 9068 JWTs, signed ES256 with the active key, and live ten minutes at most."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6750 import BearerTokenGenerator

from gateway.oauth import jws
from gateway.oauth.clients import Client
from gateway.oauth.keys import ALGORITHM
from gateway.oauth.trust import Trust
from kernel.clock import Clock

LIFETIME = 600  # seconds
TYPE = "at+jwt"


@dataclass(frozen=True, slots=True)
class Names:
    """Who issues (RFC 9068 `iss`) and for whom (`aud`): the first audience is this API's own public URL."""

    issuer: str
    audiences: tuple[str, ...]

    @property
    def inner(self) -> "Names":
        """The same issuer for the doors between our own processes: their audience is no use at the front door."""
        return Names(self.issuer, (f"urn:trivium:inner:{self.issuer}",))


@dataclass(frozen=True, slots=True)
class Bearer:
    """For whom a token is, where that is not just its client. `subject` "": the client itself (RFC 9068 section 2.2)."""

    subject: str = ""
    plan: str = "default"
    accounts: Collection[str] | None = None
    partner: str | None = None
    actor: Mapping[str, Any] | None = None  # RFC 8693 section 4.1
    confirmation: Mapping[str, str] | None = None  # RFC 7800: the key without which the token is worth nothing
    authenticated_at: int | None = None  # when a user signed in
    audiences: tuple[str, ...] | None = None  # None: all of this API's
    lifetime: int = LIFETIME
    token_id: str = ""


def new_token_id() -> str:
    return secrets.token_urlsafe(16)


class AccessTokens(BearerTokenGenerator):
    """Makes access tokens, for Authlib's grants and for our own processes.

    Authlib's generator would let a client_credentials token live ten days, name the client as its audience and leave out `kid`.
    """

    def __init__(self, names: Names, trust: Trust, clock: Clock) -> None:
        super().__init__(self._for_client, expires_generator=LIFETIME)
        self._names, self._trust, self._clock = names, trust, clock

    def issue(
        self,
        client_id: str,
        scopes: Collection[str],
        *,
        plan: str = "default",
        accounts: Collection[str] | None = None,
        confirmation: Mapping[str, str] | None = None,
    ) -> str:
        """A signed token for a client that acts as itself."""
        return self.sign(client_id, scopes, Bearer(plan=plan, accounts=accounts, confirmation=confirmation))

    def sign(self, client_id: str, scopes: Collection[str], bearer: Bearer) -> str:
        """A signed token; every token of ours is made here."""
        now, key = int(self._clock.now().timestamp()), self._trust.active_key()
        audiences = list(bearer.audiences or self._names.audiences)
        claims: dict[str, Any] = {
            "iss": self._names.issuer,
            "aud": audiences if len(audiences) > 1 else audiences[0],
            "sub": bearer.subject or client_id,
            "client_id": client_id,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + bearer.lifetime,
            "jti": bearer.token_id or new_token_id(),
            "plan": bearer.plan,
        }
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
        return jws.sign(header, claims | _further(bearer), key.key)

    def generate(
        self, grant_type: str, client: Client, user: Any = None, scope: str | None = None, *_: Any, **__: Any
    ) -> dict[str, Any]:
        """The answer of the token endpoint; a token bound to a DPoP key says so in its type (RFC 9449 section 5).

        `user` is the Bearer; Authlib passes it through untouched.
        """
        answer: dict[str, Any] = super().generate(grant_type, client, user, scope, user.lifetime, False)
        return answer | {"token_type": "DPoP" if "jkt" in (user.confirmation or {}) else "Bearer"}

    def _for_client(self, client: Client, grant_type: str, user: Bearer, scope: str) -> str:
        return self.sign(client.id, scope.split(), user)


def _further(bearer: Bearer) -> dict[str, Any]:
    found = {
        "accounts": None if bearer.accounts is None else sorted(bearer.accounts), "partner": bearer.partner, "act": bearer.actor,
        "cnf": bearer.confirmation, "auth_time": bearer.authenticated_at,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}
