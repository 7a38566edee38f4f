"""The token endpoint: client credentials (in the body or as Basic) and JWT bearer, sessions that time out, revocation.

A session is good for two hours since its last use. Errors are OAuth's object {error, error_description}, not the API's array.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from sandbox.salesforce import ids
from sandbox.salesforce.store import Store

CLIENT_ID, CLIENT_SECRET = "sandbox-salesforce", "sandbox-secret"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOSTS = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})
SESSION_LIFE = timedelta(hours=2)
ASSERTION_LIFE = timedelta(minutes=3)
SKEW = timedelta(seconds=30)


class OAuthError(Exception):
    """A refusal of the token endpoint, always HTTP 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


class Sessions:
    """The access tokens given out and when each ends; `certificates` are the keys trusted for assertions (kid to PEM)."""

    def __init__(self, store: Store, certificates: Mapping[str, str]) -> None:
        self.store, self.certificates = store, certificates
        self.ends: dict[str, datetime] = {}

    def token(self, form: Mapping[str, str], authorization: str, base_url: str) -> dict[str, Any]:
        """The token response to a form; OAuthError when it is refused."""
        match form.get("grant_type"):
            case "client_credentials":
                self._check_client(form, authorization)
                return self._open(base_url) | self._issued()
            case grant if grant == JWT_BEARER:
                self._check_assertion(form.get("assertion", ""), base_url)
                return self._open(base_url)
        raise OAuthError("unsupported_grant_type", "grant type not supported")

    def valid(self, authorization: str) -> bool:
        """Whether an Authorization header carries a live session; using it keeps it alive."""
        scheme, _, token = authorization.partition(" ")
        now = self.store.clock()
        if scheme.lower() not in ("bearer", "oauth") or self.ends.get(token, now) <= now:
            return False
        self.ends[token] = now + SESSION_LIFE
        return True

    def revoke(self, token: str) -> None:
        """Ends a session; OAuthError for a token that was never given out or has ended."""
        if self.ends.pop(token, None) is None:
            raise OAuthError("invalid_token", "this token is not valid")

    def _open(self, base_url: str) -> dict[str, Any]:
        token = f"{ids.ORGANIZATION[:15]}!{secrets.token_urlsafe(60)}"
        self.ends[token] = self.store.clock() + SESSION_LIFE
        return {
            "access_token": token,
            "scope": "api",
            "instance_url": base_url,
            "id": f"{base_url}/id/{ids.ORGANIZATION}/{ids.USER}",
            "token_type": "Bearer",
        }

    def _issued(self) -> dict[str, str]:
        signature = base64.b64encode(secrets.token_bytes(32)).decode()
        return {"signature": signature, "issued_at": str(int(self.store.clock().timestamp() * 1000))}

    def _check_client(self, form: Mapping[str, str], authorization: str) -> None:
        client, secret = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        if client != CLIENT_ID:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not secrets.compare_digest(secret.encode(), CLIENT_SECRET.encode()):
            raise OAuthError("invalid_client", "invalid client credentials")

    def _check_assertion(self, assertion: str, base_url: str) -> None:
        claims = self._signed_claims(assertion)
        if claims.get("iss") not in {CLIENT_ID, *self.certificates}:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if not {*LOGIN_HOSTS, base_url} & {str(one).rstrip("/") for one in audiences}:
            raise OAuthError("invalid_grant", "audience is invalid")
        if not claims.get("sub"):
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        expiry, now = _seconds(claims.get("exp")), self.store.clock().timestamp()
        if expiry is None or not now - SKEW.seconds < expiry <= now + (ASSERTION_LIFE + SKEW).seconds:
            raise OAuthError("invalid_grant", "invalid assertion")

    def _signed_claims(self, assertion: str) -> dict[str, Any]:
        """The claims, once any trusted key has verified the RS256 signature."""
        for pem in self.certificates.values():
            try:
                key = RSAKey.import_key(pem)
                claims = json.loads(jws.deserialize_compact(assertion, key, algorithms=["RS256"]).payload)
            except (JoseError, ValueError):
                continue
            if isinstance(claims, dict):
                return claims
        raise OAuthError("invalid_grant", "invalid assertion")


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client, secret


def _seconds(exp: Any) -> int | None:
    """A moment in seconds, as a number or (as some clients send it) as a text of digits."""
    if isinstance(exp, float):
        return int(exp)
    text = str(exp)
    return int(text) if text.isascii() and text.isdigit() else None
