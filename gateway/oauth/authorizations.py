"""What a user granted to a client: one code, spent once, then one refresh token at a time; anything used twice ends all of it.

Codes and refresh tokens rest as SHA-256: they are 256 random bits. A refresh token names its authorization, so the row needs to
keep the newest one only: whatever else names it was used before. One conditional update decides between two that come at once.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin
from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.oauth import origins
from gateway.oauth.clients import Client
from gateway.oauth.tables import authorizations
from gateway.pipeline import Caller
from kernel.clock import Clock
from kernel.db import Database

CODE_SECONDS = 60
SETTLING = 3600  # seconds an authorization without refresh tokens is remembered, so that a code shown again is known
_REFRESH = re.compile(r"tvr_([0-9a-f]{32})\.[A-Za-z0-9_-]{43}", re.ASCII)
_ROW = authorizations.c


@dataclass(frozen=True, slots=True)
class Authorization(AuthorizationCodeMixin):
    """One user's grant to one client, as Authlib asks about it."""

    id: str
    client_id: str
    user_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    code_challenge: str
    signed_in_at: int
    ends_at: int
    confirmation: Mapping[str, str] | None = None
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return " ".join(self.scopes)

    def check_client(self, client: Client) -> bool:
        return client.id == self.client_id


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user said yes to."""

    client_id: str
    user_id: str
    scopes: Collection[str]
    redirect_uri: str
    challenge: str
    signed_in_at: int


@dataclass(frozen=True, slots=True)
class Issued:
    """The access token that a redemption or a refresh hands out, and the refresh token beside it."""

    token_id: str
    expires_at: int
    refresh: str | None = None


class AuthorizationStore:
    """The authorizations in the database. `idle`, `longest`: seconds that refresh tokens live unused, and at all."""

    def __init__(self, database: Database, clock: Clock, *, idle: int, longest: int) -> None:
        self._database, self._clock = database, clock
        self._idle, self._longest = idle, longest

    async def begin(self, consent: Consent) -> str:
        """Records the consent; answers the code, which is good for a minute and for once."""
        code, now = f"tvk_{secrets.token_urlsafe(32)}", self.now()
        values = {
            "id": secrets.token_hex(16), "client_id": consent.client_id, "user_id": consent.user_id,
            "scopes": " ".join(consent.scopes), "redirect_uri": consent.redirect_uri, "challenge": consent.challenge,
            "signed_in_at": consent.signed_in_at, "code": _digest(code), "code_expires_at": now + CODE_SECONDS,
            "ends_at": now + SETTLING,
        }  # fmt: skip
        async with self._database.transaction() as connection:
            await connection.execute(delete(authorizations).where(_ROW.ends_at < now))
            await connection.execute(insert(authorizations).values(**values))
        return code

    async def by_code(self, code: str) -> Authorization | None:
        """The authorization of a code that is still good. One that was spent before revokes what was issued for it."""
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(authorizations).where(_ROW.code == _digest(code)))).one_or_none()
            if row is None or row.revoked_at is not None:
                return None
            if row.redeemed_at is not None:
                await self._end(connection, _ROW.id == row.id)
                return None
        return _authorization(row) if self.now() < row.code_expires_at else None

    async def by_refresh(self, token: str) -> Authorization | None:
        """The authorization whose newest refresh token this is, if it still lives. An older one revokes everything."""
        named = _REFRESH.fullmatch(token)
        if named is None:
            return None
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(authorizations).where(_ROW.id == named[1]))).one_or_none()
            if row is None or row.revoked_at is not None or row.refresh is None:
                return None
            if not hmac.compare_digest(bytes(row.refresh), _digest(token)):
                await self._end(connection, _ROW.id == row.id)
                return None
        return _authorization(row) if self.now() < min(row.ends_at, row.refreshed_at + self._idle) else None

    def new_refresh(self, authorization: Authorization) -> str:
        return f"tvr_{authorization.id}.{secrets.token_urlsafe(32)}"

    async def redeem(self, of: Authorization, issued: Issued, confirmation: Mapping[str, str] | None) -> bool:
        """Spends the code; False: another request was faster, and everything is revoked.

        `confirmation`: the key that refresh tokens are bound to from now on.
        """
        now = self.now()
        values: dict[str, Any] = {"redeemed_at": now, "confirmation": json.dumps(confirmation) if confirmation else None}
        if issued.refresh is not None:
            values |= {"refresh": _digest(issued.refresh), "refreshed_at": now, "ends_at": now + self._longest}
        return await self._advance(of, _ROW.redeemed_at.is_(None), values, issued)

    async def rotate(self, of: Authorization, old: str, issued: Issued) -> bool:
        """Replaces the refresh token; False: another request was faster, and everything is revoked."""
        fresh = {"refresh": _digest(issued.refresh or ""), "refreshed_at": self.now()}
        return await self._advance(of, _ROW.refresh == _digest(old), fresh, issued)

    async def end(self, authorization_id: str) -> None:
        async with self._database.transaction() as connection:
            await self._end(connection, _ROW.id == authorization_id)

    async def exchanged(self, subject: Caller, token_id: str, expires_at: int) -> bool:
        """Remembers what a token was exchanged for; False where that has been called back meanwhile."""
        async with self._database.transaction() as connection:
            if await origins.is_called_back(connection, subject.token_id):
                return False
            stems = (origins.of_token(subject.token_id), origins.of_client(subject.client))
            await origins.forget(connection, self.now())
            await origins.record(connection, token_id, expires_at, *stems)
        return True

    async def call_back(self, token_id: str) -> None:
        """Revokes whatever was exchanged for a token."""
        async with self._database.transaction() as connection:
            await origins.call_back(connection, self.now(), origins.of_token(token_id))

    async def _advance(self, of: Authorization, still: ColumnElement[bool], values: dict[str, Any], issued: Issued) -> bool:
        now = self.now()
        async with self._database.transaction() as connection:
            mine = (_ROW.id == of.id) & _ROW.revoked_at.is_(None) & still
            done = await connection.execute(update(authorizations).where(mine).values(**values))
            if done.rowcount != 1:
                await self._end(connection, _ROW.id == of.id)
                return False
            await origins.forget(connection, now)
            await origins.record(connection, issued.token_id, issued.expires_at, origins.of_authorization(of.id))
        return True

    async def _end(self, connection: AsyncConnection, which: ColumnElement[bool]) -> None:
        await origins.end_authorizations(connection, which, self.now())

    def now(self) -> int:
        """Unix time."""
        return int(self._clock.now().timestamp())


def _authorization(row: Row[Any]) -> Authorization:
    return Authorization(
        row.id, row.client_id, row.user_id, tuple(row.scopes.split()), row.redirect_uri, row.challenge, row.signed_in_at,
        row.ends_at, json.loads(row.confirmation) if row.confirmation else None,
    )  # fmt: skip


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
