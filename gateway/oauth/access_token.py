"""Access tokens are RFC 9068 JWTs, signed ES256 with the active key, and live ten minutes."""

# mypy: allow-untyped-calls
# (Authlib has no annotations.)
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6750 import BearerTokenGenerator
from joserfc import jwt

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


class AccessTokens(BearerTokenGenerator):
    """Makes access tokens, for Authlib's grants and for our own processes.

    Authlib's generator would let a client_credentials token live ten days, name the client as its audience and leave out `kid`.
    """

    def __init__(self, names: Names, trust: Trust, clock: Clock) -> None:
        super().__init__(self._for_client, expires_generator=LIFETIME)
        self._names, self._trust, self._clock = names, trust, clock

    def issue(
        self, client_id: str, scopes: Collection[str], *, plan: str = "default", accounts: Collection[str] | None = None
    ) -> str:
        """A signed token for a client; its subject is the client itself, as in every grant without a user (RFC 9068 2.2)."""
        now, key = int(self._clock.now().timestamp()), self._trust.active_key()
        audiences = list(self._names.audiences)
        claims: dict[str, Any] = {
            "iss": self._names.issuer,
            "aud": audiences if len(audiences) > 1 else audiences[0],
            "sub": client_id,
            "client_id": client_id,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + LIFETIME,
            "jti": secrets.token_urlsafe(16),
            "plan": plan,
        }
        if accounts is not None:
            claims["accounts"] = sorted(accounts)
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
        return jwt.encode(header, claims, key.key, algorithms=[ALGORITHM])

    def _for_client(self, client: Client, grant_type: str, user: None, scope: str) -> str:
        return self.issue(client.id, scope.split(), plan=client.plan, accounts=client.accounts)
