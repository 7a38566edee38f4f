"""Guessing at the token endpoints is slowed per client and per address, and told as a problem that OAuth libraries read too.

slowapi's decorators count (its middlewares are not used: they let included routers through). Counts are kept per process.
A client that lately proved itself with the same secret is not held to the per-client rate, so that a stranger who guesses at its
name cannot shut it out; the rate per address holds for everyone.
"""

import hashlib
import ipaddress
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.oauth.clients import CLIENT_ID
from gateway.oauth.form import Credentials
from gateway.oauth.metadata import AUTHORIZE, LOGIN
from gateway.oauth.page import refused
from gateway.oauth.users import compared
from kernel.problem import MEDIA_TYPE, TooManyRequests

Endpoint = Callable[[Request], Awaitable[Response]]
PAGES = frozenset({AUTHORIZE, LOGIN})


@dataclass(frozen=True, slots=True)
class Rates:
    """How often one client, and one address, may call each endpoint; in the notation of `limits` ("60/minute").

    `user`: tries to sign in under one name; `visitor`: tries of one address, pages included; `applicant`: applications of one
    address for registration.
    """

    client: str = "60/minute"
    address: str = "300/minute"
    user: str = "10/minute"
    visitor: str = "60/minute"
    applicant: str = "10/hour"


class Brake:
    """Counts calls and refuses the ones above the rate. The endpoint must have put `credentials` in `request.state`."""

    def __init__(self, rates: Rates, recently_proved: Callable[[str, str], bool]) -> None:
        self._rates, self._recently_proved = rates, recently_proved
        self._limiter = Limiter(address, key_style="endpoint", strategy="moving-window", storage_uri="memory://")
        # slowapi takes settings from RATELIMIT_* variables and a .env file; neither may switch this off.
        self._limiter.enabled, self._limiter._swallow_errors = True, False

    def limit(self, endpoint: Endpoint) -> Endpoint:
        """slowapi skips a limit whose key is empty, so neither key function ever answers an empty text."""
        per_client = self._limiter.limit(self._rates.client, _client, error_message="client", exempt_when=self._exempt)
        per_address = self._limiter.limit(self._rates.address, error_message="address")
        limited: Endpoint = per_client(per_address(endpoint))
        return limited

    def limit_sign_in(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint must have put the `form` in `request.state`."""
        per_user = self._limiter.limit(self._rates.user, _user, error_message="user")
        limited: Endpoint = per_user(self.limit_visits(endpoint))
        return limited

    def limit_visits(self, endpoint: Endpoint) -> Endpoint:
        limited: Endpoint = self._limiter.limit(self._rates.visitor, error_message="address")(endpoint)
        return limited

    def limit_applications(self, endpoint: Endpoint) -> Endpoint:
        limited: Endpoint = self._limiter.limit(self._rates.applicant, error_message="applications")(endpoint)
        return limited

    def limit_address(self, endpoint: Endpoint) -> Endpoint:
        limited: Endpoint = self._limiter.limit(self._rates.address, error_message="address")(endpoint)
        return limited

    def _exempt(self, request: Request) -> bool:
        found: Credentials | None = request.state.credentials
        return found is not None and self._recently_proved(found.client_id, found.secret)

    async def refuse(self, request: Request, error: RateLimitExceeded) -> Response:
        """429: a page to people, else a problem, with the `error` member by which OAuth client libraries tell a refusal
        (RFC 6749 section 5.2).
        """
        limit, key = request.state.view_rate_limit
        reset, _ = self._limiter.limiter.get_window_stats(limit, *key)
        wait = max(1, math.ceil(reset - time.time()))
        if request.url.path in PAGES:
            why = f"Please wait {wait} seconds and try again."
            return refused(429, "Too many tries", why, headers={"Retry-After": str(wait)})
        told: dict[str, Any] = {"violated-policies": [error.detail], "error": "temporarily_unavailable"}
        fix = f"keep the token until it expires; ask again in {wait} s"
        problem = TooManyRequests("too many calls of this endpoint", retry_after=wait, fix=fix, **told)
        quota = {
            "RateLimit-Policy": f'"{error.detail}";q={limit.amount};w={limit.get_expiry()}',
            "RateLimit": f'"{error.detail}";r=0;t={wait}',
            "Cache-Control": "no-store",
        }
        return JSONResponse(problem.body(), problem.status, problem.response_headers() | quota, MEDIA_TYPE)


def address(request: Request) -> str:
    """The caller's address; for IPv6 its /64, which one caller has whole."""
    host = request.client.host if request.client else ""
    try:
        known = ipaddress.ip_address(host)
    except ValueError:
        return host or "unknown"
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else host


def _client(request: Request) -> str:
    found: Credentials | None = request.state.credentials
    if found is None:
        return f"address:{address(request)}"
    return f"client:{found.client_id if CLIENT_ID.fullmatch(found.client_id) else 'unreadable'}"  # slowapi logs it


def _user(request: Request) -> str:
    """A name as it is compared, and not as itself: slowapi logs it."""
    name = compared(request.state.form.get("username", ""))
    return f"user:{hashlib.sha256(name.encode()).hexdigest()[:32]}"
