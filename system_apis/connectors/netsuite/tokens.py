"""OAuth 2.0 client credentials by a signed assertion: one token serves all calls, and is fetched once for all who wait.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162755359851.html
"""

import asyncio
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr

from kernel import http
from kernel.clock import Clock
from kernel.problem import OutcomeUnknown, PlatformBusy, PlatformDown
from kernel.secrets import SecretMissing
from kernel.settings import BadSettings, Connection
from system_apis.connector import Secrets
from system_apis.connectors.netsuite.body import Body, decoded

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105  a path, no password
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = ["rest_webservices"]
ASSERTED_SECONDS = 300  # NetSuite allows an assertion an hour; it is used at once
EARLY_SECONDS = 300  # a token is replaced so long before it ends
SMALLEST_RSA = 2048  # bits
_CURVES: Mapping[str, str] = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_ERROR = re.compile(r"[a-z_]{1,40}")


class BadKey(ValueError):
    """The private key cannot sign for NetSuite; the message tells nothing of it."""


@dataclass(frozen=True)
class Token:
    """An access token; `fresh_until` is on the monotonic clock."""

    text: str = field(repr=False)
    fresh_until: float


class Tokens:
    """The token of one connection. The private key is read anew for each, so a rotated file takes effect."""

    def __init__(self, connection: Connection, secrets: Secrets, client: httpx.AsyncClient, clock: Clock) -> None:
        self._system, self._secrets, self._http, self._clock = connection.id, secrets, client, clock
        self._audience = connection.base_url.rstrip("/") + TOKEN_PATH
        self._client_id, self._certificate_id = secrets.text("client_id"), secrets.text("certificate_id")
        self._held: Token | None = None
        self._fetching = asyncio.Lock()
        try:
            signing_key(secrets.secret("private_key"))
        except BadKey as error:
            raise BadSettings(f"connection {connection.id!r}: credentials.private_key: {error}") from None

    async def current(self) -> Token:
        held = self._held
        if held is not None and self._clock.monotonic() < held.fresh_until:
            return held
        return await self.instead_of(held)

    async def instead_of(self, old: Token | None) -> Token:
        """Another token than the old one: the one somebody fetched meanwhile, else a new one."""
        async with self._fetching:
            if self._held is None or self._held is old:
                self._held = await self._fetched()
            return self._held

    async def _fetched(self) -> Token:
        asked_at = self._clock.monotonic()
        assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion()}
        form = {"grant_type": "client_credentials", **assertion}
        try:
            answer = await http.send(self._http, self._http.build_request("POST", TOKEN_PATH, data=form), system=self._system)
        except OutcomeUnknown as error:
            # A token that was made and lost changes nothing: the call that needed it was not sent.
            raise PlatformDown(f"NetSuite gave no token: {error.detail}", system=self._system) from None
        return self._token(answer, asked_at)

    def _token(self, answer: httpx.Response, asked_at: float) -> Token:
        body = decoded(answer.content) or {}
        text, seconds = body.get("access_token"), body.get("expires_in")
        if answer.status_code == 429:
            raise PlatformBusy("NetSuite: too many requests for a token", system=self._system)
        if 400 <= answer.status_code < 500:
            raise self._refused(body)
        if not answer.is_success or not isinstance(text, str) or not text.isascii() or not text.isprintable():
            raise PlatformDown(f"NetSuite: {answer.status_code} without a token", system=self._system)
        lasts = int(seconds) if isinstance(seconds, int | str) and str(seconds).isdecimal() else 0
        return Token(text, asked_at + max(lasts - EARLY_SECONDS, lasts / 2))

    def _refused(self, body: Body) -> PlatformDown:
        error = str(body.get("error") or "")
        reason = error if _ERROR.fullmatch(error) else "refused"
        fix = "let client_id, certificate_id and private_key belong together, and the certificate be neither revoked nor expired"
        return PlatformDown(f"NetSuite does not accept the client assertion ({reason})", system=self._system, fix=fix)

    def _assertion(self) -> str:
        try:
            key, algorithm = signing_key(self._secrets.secret("private_key"))
        except (BadKey, SecretMissing) as error:
            raise PlatformDown("NetSuite needs a private key to sign with", system=self._system, fix=str(error)) from None
        now = int(self._clock.now().timestamp())
        times = {"iat": now, "exp": now + ASSERTED_SECONDS, "jti": uuid.uuid4().hex}
        claims = {"iss": self._client_id, "scope": SCOPES, "aud": self._audience, **times}
        header = {"typ": "JWT", "alg": algorithm, "kid": self._certificate_id}
        return jwt.encode(header, claims, key, algorithms=[algorithm])


def signing_key(pem: SecretStr) -> tuple[ECKey | RSAKey, str]:
    """The key and the algorithm NetSuite takes from it: ES256, ES384 or ES512 by curve, PS256 for RSA (RS256 is not taken)."""
    try:
        key = load_pem_private_key(pem.get_secret_value().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey("not a private key in PEM form without a passphrase") from None
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return ECKey.import_key(key), _CURVES[key.curve.name]
    if isinstance(key, RSAPrivateKey) and key.key_size >= SMALLEST_RSA:
        return RSAKey.import_key(key), "PS256"
    raise BadKey("use an EC key on P-256, P-384 or P-521, or an RSA key of at least 2048 bits")
