"""Where a token comes from: taken once, kept until shortly before its end, taken anew when it is refused."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import quote_plus

import httpx

from .problems import TokenRefused, Unreachable

EARLY = 30.0  # seconds before its end at which a token is no longer used


class TokenSource(Protocol):
    """`refused` is told of a token that a door did not accept; True if asking again may give another."""

    async def token(self, http: httpx.AsyncClient) -> str: ...

    def refused(self, token: str) -> bool: ...


class Fixed:
    """A token that somebody else takes care of."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, http: httpx.AsyncClient) -> str:
        return self._token

    def refused(self, token: str) -> bool:
        return False


class ClientCredentials:
    """Client credentials (RFC 6749 section 4.4). However many calls need a token, one asks for it.

    `url`: absolute, or below the base URL of the client. No `scopes`: all that the client may have.
    """

    def __init__(
        self, url: str, client_id: str, secret: str, scopes: Sequence[str] = (), *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._url, self._scopes, self._now = url, tuple(scopes), now
        self._proof = (quote_plus(client_id), quote_plus(secret))  # RFC 6749 section 2.3.1
        self._kept, self._ends, self._asking = "", 0.0, asyncio.Lock()

    async def token(self, http: httpx.AsyncClient) -> str:
        """Raises TokenRefused and Unreachable."""
        async with self._asking:
            if not self._kept or self._now() >= self._ends:
                await self._take(http)
            return self._kept

    def refused(self, token: str) -> bool:
        if token == self._kept:
            self._kept = ""
        return True

    async def _take(self, http: httpx.AsyncClient) -> None:
        form = {"grant_type": "client_credentials", **({"scope": " ".join(self._scopes)} if self._scopes else {})}
        try:
            answer = await http.post(self._url, data=form, auth=self._proof)
            said = answer.json()
        except httpx.TransportError as error:
            raise Unreachable(f"the token endpoint {self._url} does not answer: {type(error).__name__}") from error
        except ValueError:
            said = {}
        if not answer.is_success or not isinstance(said, dict) or not isinstance(said.get("access_token"), str):
            why = said.get("error_description") or said.get("error") if isinstance(said, dict) else None
            raise TokenRefused(f"{self._url} answered {answer.status_code}: {why or 'it gives no token'}")
        lives = float(said.get("expires_in") or 60)
        self._kept, self._ends = said["access_token"], self._now() + lives - min(EARLY, lives / 2)
