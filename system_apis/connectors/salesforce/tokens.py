"""Sessions: one at a time for all calls, opened by whoever needs it first, and again when Salesforce has ended it.

Client credentials (RFC 6749 section 4.4) where a client_secret is given, JWT bearer (RFC 7523) where a private_key is. No
answer says how long a session lives: that is the org's policy, and its end shows as 401.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from kernel import http
from kernel.clock import Clock
from kernel.context import correlation_id
from kernel.problem import BadPlatformAnswer, OutcomeUnknown, PlatformDown, Problem
from kernel.secrets import SecretMissing
from kernel.settings import BadSettings, Connection
from system_apis.connector import MissingCredential, Secrets
from system_apis.connectors.salesforce.errors import problem, refusal_of
from system_apis.connectors.salesforce.options import Options

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ORIGIN = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?/?")
ASSERTION_SECONDS = 120  # Salesforce takes at most three minutes


@dataclass(frozen=True)
class Session:
    """An access token and the origin of the org that takes it."""

    token: SecretStr
    origin: str


class Sessions:
    """The session of one connection. Secrets are read when a session is opened, so a changed file counts from the next one."""

    def __init__(
        self, connection: Connection, options: Options, secrets: Secrets, client: httpx.AsyncClient, clock: Clock
    ) -> None:
        self._system, self._base, self._options = connection.id, connection.base_url.rstrip("/"), options
        self._secrets, self._http, self._clock = secrets, client, clock
        self._by_key = _with_private_key(connection, secrets)
        self._session: Session | None = None
        self._opening: asyncio.Task[Session] | None = None

    async def current(self) -> Session:
        """The open session, or a new one: callers who come together wait for the same request, and share its failure."""
        if self._session is not None:
            return self._session
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    def ended(self, session: Session) -> None:
        """Salesforce no longer takes this one. A newer one stays."""
        if self._session is session:
            self._session = None

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])

    def _opened(self, task: asyncio.Task[Session]) -> None:
        self._opening = None
        if not task.cancelled() and task.exception() is None:
            self._session = task.result()

    async def _open(self) -> Session:
        headers = {"X-Correlation-Id": correlation_id.get()} if correlation_id.get() else {}
        request = self._http.build_request("POST", self._base + TOKEN_PATH, data=self._form(), headers=headers)
        try:
            answer = await http.send(self._http, request, system=self._system)
        except OutcomeUnknown as error:
            # Only the token was asked for: what the session is needed for was not sent.
            raise PlatformDown(f"{error.detail} when asked for a token", system=self._system) from None
        if answer.status_code != 200:
            raise self._refused(answer)
        return self._session_of(_object(answer))

    def _form(self) -> dict[str, str]:
        try:
            if self._by_key:
                return {"grant_type": JWT_BEARER, "assertion": self._assertion()}
            secret = self._secrets.secret("client_secret").get_secret_value()
            return {"grant_type": "client_credentials", "client_id": self._secrets.text("client_id"), "client_secret": secret}
        except SecretMissing as error:
            raise PlatformDown("Salesforce cannot be asked for a token", system=self._system, fix=str(error)) from None

    def _assertion(self) -> str:
        expires = int(self._clock.now().timestamp()) + ASSERTION_SECONDS
        named = {"iss": self._secrets.text("client_id"), "sub": self._secrets.text("username")}
        pem = self._secrets.secret("private_key").get_secret_value()
        try:
            key = RSAKey.import_key(pem)
            return jwt.encode({"alg": "RS256"}, {**named, "aud": self._options.jwt_audience, "exp": expires}, key)
        except (JoseError, ValueError, TypeError):
            fix = f"let credentials.private_key of the connection {self._system!r} name an RSA key in PEM without a pass phrase"
            raise PlatformDown("Salesforce: the private key cannot be read", system=self._system, fix=fix) from None

    def _refused(self, answer: httpx.Response) -> Problem:
        """OAuth's object, or the API's own array: that for spent limits, and for whatever is no OAuth error."""
        error = _object(answer)
        if not isinstance(error.get("error"), str):
            return problem(refusal_of(answer), self._system, wrote=False, named={})
        needed = "client_id, username and private_key" if self._by_key else "client_id and client_secret"
        fix = f"check credentials {needed} of the connection {self._system!r}, and the app's set-up (see the connector's README)"
        described = str(error.get("error_description") or "no reason given")[:200]
        return PlatformDown(f"Salesforce gives no token: {described} ({error['error'][:50]})", system=self._system, fix=fix)

    def _session_of(self, body: dict[str, Any]) -> Session:
        token, instance = body.get("access_token"), body.get("instance_url")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise BadPlatformAnswer("Salesforce: a token answer without access_token", system=self._system)
        origin = api_origin(self._base, instance)
        if origin is None:
            raise BadPlatformAnswer("Salesforce: a token answer without a usable instance_url", system=self._system)
        return Session(SecretStr(token), origin)


def api_origin(base_url: str, instance_url: Any) -> str | None:
    """Where to send the token: to the instance_url, if that is https or the base URL itself; on loopback to the base URL."""
    if _loopback(httpx.URL(base_url).host) or instance_url == base_url:
        return base_url
    usable = isinstance(instance_url, str) and _ORIGIN.fullmatch(instance_url)
    return instance_url.rstrip("/") if usable else None


def _with_private_key(connection: Connection, secrets: Secrets) -> bool:
    """Which way credentials are given: by a private key, or else by a client secret. What is missing is told at start."""
    by_key, by_secret = secrets.has("private_key"), secrets.has("client_secret")
    if by_key and by_secret:
        raise BadSettings(f"connection {connection.id!r}: give credentials.client_secret or credentials.private_key, not both")
    secrets.text("client_id")
    if by_key:
        secrets.text("username")
    elif not by_secret:
        raise MissingCredential(f"connection {connection.id!r}: set credentials.client_secret, or username and private_key")
    secrets.secret("private_key" if by_key else "client_secret")
    return by_key


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(answer.content)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
