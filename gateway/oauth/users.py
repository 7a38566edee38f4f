"""The people who sign in at the portal pages: what each may grant, for which accounts, and whether they still may."""

import asyncio
import json
import re
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.oauth import origins
from gateway.oauth.client_rules import BadClient, wrong_scopes
from gateway.oauth.passwords import PasswordChecker, checked, digest
from gateway.oauth.tables import authorizations, sessions, users
from kernel.clock import Clock
from kernel.db import Database

_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,128}")


class BadUser(BadClient):
    """The user cannot be made or changed like this; the message says why."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can grant access. `scopes`: the most they may grant; `accounts` None: not restricted to certain ones."""

    id: str
    name: str
    scopes: tuple[str, ...]
    accounts: tuple[str, ...] | None
    partner: str | None
    active: bool
    created_at: int


class UserStore:
    """The users in the database. Whoever is closed has nothing left: no session, no authorization, no living token."""

    def __init__(self, database: Database, clock: Clock, checker: PasswordChecker | None = None) -> None:
        self._database, self._clock = database, clock
        self._checker = checker or PasswordChecker()

    async def add(
        self,
        name: str,
        password: str,
        scopes: Collection[str],
        *,
        accounts: Collection[str] | None = None,
        partner: str | None = None,
    ) -> User:
        """Raises BadUser for a name that is taken, and for scopes that are not of the form `domain:verb`; or BadPassword."""
        key, wrong = compared(name), wrong_scopes(scopes)
        if wrong or not scopes or not _NAME.fullmatch(key):
            found = ", ".join(wrong) or name
            raise BadUser(f"a user needs a name without spaces, and scopes of the form domain:verb; not {found}")
        salt = secrets.token_bytes(16)
        row: dict[str, Any] = {
            "id": f"tvu_{secrets.token_hex(10)}", "name": key, "salt": salt,
            "digest": await asyncio.to_thread(digest, checked(password), salt), "scopes": " ".join(sorted(set(scopes))),
            "accounts": None if accounts is None else json.dumps(sorted(accounts)), "partner": partner, "active": True,
            "created_at": self._now(),
        }  # fmt: skip
        try:
            async with self._database.transaction() as connection:
                made = await connection.execute(insert(users).values(**row).returning(users))
                return user_of(made.one())
        except IntegrityError:
            raise BadUser(f"there is a user {key} already") from None

    async def all(self) -> list[User]:
        async with self._database.reading() as connection:
            return [user_of(row) for row in await connection.execute(select(users).order_by(users.c.created_at, users.c.id))]

    async def find(self, user_id: str) -> User | None:
        """The active user of an id."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(users).where(users.c.id == user_id))).one_or_none()
        return user_of(row) if row is not None and row.active else None

    async def prove(self, name: str, password: str) -> User | None:
        """The active user whose password this is; None alike, and as late, for an unknown, a closed and a mistaken one."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(users).where(users.c.name == compared(name)))).one_or_none()
        salt, stored = (bytes(row.salt), bytes(row.digest)) if row is not None and row.active else (None, None)
        right = await self._checker.check(password, salt, stored)
        return user_of(row) if right and row is not None else None

    async def set_password(self, name: str, password: str) -> None:
        """Ends every session and authorization of before. Raises BadUser or BadPassword."""
        salt = secrets.token_bytes(16)
        stored = await asyncio.to_thread(digest, checked(password), salt)
        await self._change(name, salt=salt, digest=stored)

    async def close(self, name: str) -> None:
        """No new sign-in, and what was granted is dead within a second in every process. Raises BadUser."""
        await self._change(name, active=False)

    async def reopen(self, name: str) -> None:
        await self._change(name, active=True)

    async def _change(self, name: str, **values: Any) -> None:
        async with self._database.transaction() as connection:
            mine = users.c.name == compared(name)
            changed = await connection.execute(update(users).where(mine).values(**values).returning(users.c.id))
            user_id = changed.scalar_one_or_none()
            if user_id is None:
                raise BadUser(f"there is no user {name}")
            await connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
            await origins.end_authorizations(connection, authorizations.c.user_id == user_id, self._now())

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def compared(name: str) -> str:
    """The form in which names are stored and looked up: one person, however the name is typed."""
    return unicodedata.normalize("NFKC", name.strip()).casefold()[:128]


def user_of(row: Row[Any]) -> User:
    accounts = None if row.accounts is None else tuple(json.loads(row.accounts))
    return User(row.id, row.name, tuple(row.scopes.split()), accounts, row.partner, row.active, row.created_at)
