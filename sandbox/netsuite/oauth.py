"""OAuth 2.0 client credentials with a signed assertion: ES and PS algorithms only, RS256 is refused as NetSuite refuses it.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162755359851.html
"""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from starlette.responses import Response

from sandbox.netsuite.account import ACCOUNT, CLIENT_ID
from sandbox.netsuite.errors import answer

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
ALGORITHMS = ["PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
SCOPES = frozenset({"rest_webservices", "restlets", "suite_analytics"})
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME = 3600  # seconds, of a token and at most of an assertion
SKEW = 60  # seconds that the client's clock may be ahead


class Denied(Exception):
    """The token endpoint says no, with an error of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


@dataclass
class Tokens:
    """The certificates that clients signed with and the tokens they hold."""

    clock: Callable[[], datetime]
    certificates: dict[str, str] = field(default_factory=dict)
    issued: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict)  # token -> expiry, scopes

    def grant(self, body: bytes) -> Response:
        try:
            scopes = self._scopes(self._assertion(body))
        except Denied as denied:
            reason = {"error": denied.error, "error_description": denied.description}
            return answer(reason, denied.status, "application/json", {"Cache-Control": "no-store"})
        token = self._issue(scopes)
        found = {"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"}
        return answer(found, 200, "application/json", {"Cache-Control": "no-store"})

    def valid(self, token: str) -> bool:
        expiry, scopes = self.issued.get(token, (0.0, frozenset()))
        if expiry <= self.clock().timestamp():
            self.issued.pop(token, None)
            return False
        return "rest_webservices" in scopes

    def _assertion(self, body: bytes) -> dict[str, Any]:
        form = dict(parse_qsl(body.decode("latin-1")))
        if form.get("grant_type") != "client_credentials":
            error = "unsupported_grant_type" if "grant_type" in form else "invalid_request"
            raise Denied(error, "The grant type must be client_credentials.")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
            raise Denied("invalid_request", "The client assertion is missing or of the wrong type.")
        claims = self._verified(form["client_assertion"])
        if claims.get("iss") != CLIENT_ID:
            raise Denied("invalid_client", "The client is not known.", 401)
        self._timely(claims)
        audience = claims.get("aud")
        if not any(_is_token_endpoint(one) for one in (audience if isinstance(audience, list) else [audience])):
            raise Denied("invalid_grant", "The audience must be the token endpoint.")
        return claims

    def _verified(self, assertion: str) -> dict[str, Any]:
        """The claims, if signed by a registered certificate with an accepted algorithm."""
        try:
            header = json.loads(base64.urlsafe_b64decode(assertion.split(".")[0] + "=="))
            kid, algorithm = header["kid"], header["alg"]
            if algorithm not in ALGORITHMS:
                raise Denied("invalid_grant", f"The algorithm {algorithm} is not accepted.")
            kind = ECKey if algorithm.startswith("ES") else RSAKey
            key = kind.import_key(self.certificates[kid])
            return dict(jwt.decode(assertion, key, algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise Denied("invalid_grant", "The client assertion is not valid.") from wrong

    def _timely(self, claims: dict[str, Any]) -> None:
        now, issued, expires = self.clock().timestamp(), claims.get("iat"), claims.get("exp")
        if not isinstance(issued, (int, float)) or not isinstance(expires, (int, float)):
            raise Denied("invalid_grant", "The client assertion needs iat and exp.")
        if expires <= now or expires - issued > LIFETIME or issued > now + SKEW:
            raise Denied("invalid_grant", "The client assertion has expired or is valid for more than 60 minutes.")

    def _scopes(self, claims: dict[str, Any]) -> frozenset[str]:
        """Oracle's text says comma-separated, its sample is an array: both are taken."""
        asked = claims.get("scope")
        names = asked if isinstance(asked, list) else str(asked or "").replace(",", " ").split()
        if not names or not all(isinstance(name, str) and name in SCOPES for name in names):
            raise Denied("invalid_scope", "The scope is missing or not known.")
        return frozenset(names)

    def _issue(self, scopes: frozenset[str]) -> str:
        """Shaped like NetSuite's RS256 token, but opaque: the signature is random and only this server knows the token."""
        now = int(self.clock().timestamp())
        header = {"kid": "s.SYSTEM.2020_1", "typ": "JWT", "alg": "RS256"}
        whom = {"sub": "3;5", "aud": [ACCOUNT], "scope": sorted(scopes), "iss": "https://system.netsuite.com"}
        claims = {**whom, "iat": now, "exp": now + LIFETIME, "jti": secrets.token_hex(8)}
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
        token = ".".join([*encoded, secrets.token_urlsafe(256)])
        self.issued[token] = (now + LIFETIME, scopes)
        return token


def _is_token_endpoint(audience: Any) -> bool:
    """On any host form: the account's suitetalk or restlets host, or this server's own address."""
    if not isinstance(audience, str):
        return False
    try:
        url = urlsplit(audience)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.netloc) and url.path == TOKEN_PATH
