"""A browser is known by one random cookie that scripts cannot read and other sites cannot send; a form shows it came from us.

The cookie is SameSite=Strict, so whoever arrives from another site signs in anew: a session bridges the few steps of one consent.
The form's token is derived from the cookie, so neither a stranger's site nor a stranger's session can fill it in.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from starlette.requests import Request
from starlette.responses import Response

from gateway.oauth.tables import sessions, users
from gateway.oauth.users import User, user_of
from kernel.clock import Clock
from kernel.db import Database

LASTS = 600  # seconds
_LONGEST = 64  # characters


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in."""

    user: User
    began_at: int


class Browser:
    """The cookie as this request brought it; made when it brought none."""

    def __init__(self, request: Request, *, secure: bool) -> None:
        # The prefix binds the cookie to this very host over TLS (RFC 6265bis section 4.1.3.2); browsers refuse it without.
        self._name, self._secure = ("__Host-trivium" if secure else "trivium"), secure
        found = request.cookies.get(self._name, "")
        self.known = 32 <= len(found) <= _LONGEST
        self.value = found if self.known else secrets.token_urlsafe(32)

    def renew(self) -> None:
        """Another value, so that whoever knew the old one is not signed in along with the user."""
        self.value = secrets.token_urlsafe(32)

    @property
    def form_token(self) -> str:
        return hashlib.sha256(f"form:{self.value}".encode()).hexdigest()

    def sent(self, token: str) -> bool:
        """Whether a form with this token is one that we showed to this browser."""
        return self.known and hmac.compare_digest(token.encode(), self.form_token.encode())

    def keep(self, response: Response) -> Response:
        response.set_cookie(
            self._name, self.value, max_age=LASTS, path="/", secure=self._secure, httponly=True, samesite="strict"
        )
        return response

    def drop(self, response: Response) -> Response:
        response.delete_cookie(self._name, path="/", secure=self._secure, httponly=True, samesite="strict")
        return response


class SessionStore:
    """Who is signed in, in the database: any process can take the next step."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def begin(self, browser: Browser, user: User) -> None:
        now = self._now()
        row = {"digest": _digest(browser), "user_id": user.id, "began_at": now, "expires_at": now + LASTS}
        async with self._database.transaction() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_at < now))
            await connection.execute(insert(sessions).values(**row))

    async def find(self, browser: Browser) -> Session | None:
        if not browser.known:
            return None
        mine = (sessions.c.digest == _digest(browser)) & (sessions.c.expires_at > self._now()) & users.c.active
        query = select(users, sessions.c.began_at).join(sessions, sessions.c.user_id == users.c.id).where(mine)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Session(user_of(row), row.began_at)

    async def end(self, browser: Browser) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(delete(sessions).where(sessions.c.digest == _digest(browser)))

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _digest(browser: Browser) -> bytes:
    return hashlib.sha256(browser.value.encode()).digest()
