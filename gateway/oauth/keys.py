"""Signing keys live through next, active, retired: each is published before its first use and after its last.

All processes of a deployment share them through the database; the private halves are sealed there.
"""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from joserfc.jwk import ECKey
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.oauth.sealing import Seal
from gateway.oauth.tables import next_epoch, signing_keys
from kernel.clock import Clock
from kernel.db import Database

ALGORITHM = "ES256"
JWKS_MAX_AGE = 300  # seconds for which others may keep our key set
_LINGER = 3600  # seconds a retired key stays published: longer than any token it signed lives


class TooSoon(ValueError):
    """The next key has not been published for long enough that everyone who checks our tokens can know it."""


class KeyState(NamedTuple):
    """Where a key is in its life; all times are Unix time."""

    kid: str
    state: str
    created_at: int
    activated_at: int | None
    retired_at: int | None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One ES256 key pair and where it is in its life."""

    kid: str
    state: str
    key: ECKey
    created_at: int

    def public_jwk(self) -> dict[str, Any]:
        return {**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": ALGORITHM}


class KeyStore:
    """The signing keys in the database."""

    def __init__(self, database: Database, seal: Seal, clock: Clock) -> None:
        self._database, self._seal, self._clock = database, seal, clock

    async def ensure(self) -> None:
        """Makes the active and the next key where they are missing; any number of processes may start at once."""
        async with self._database.transaction() as connection:
            await next_epoch(connection)  # its row lock lets one process look and make at a time
            rows = await connection.execute(select(signing_keys.c.state))
            present = set(rows.scalars())
            for state in ("active", "next"):
                if state not in present:
                    await self._make(connection, state)

    async def rotate(self, *, early: bool = False) -> str:
        """Retires the active key, begins to sign with the next, publishes a new next one; answers the new active kid.

        Raises TooSoon while others may still hold a key set without the next key (JWKS_MAX_AGE), unless `early`.
        """
        async with self._database.transaction() as connection:
            await next_epoch(connection)
            age = self._now() - (await _of(connection, "next")).created_at
            if age < JWKS_MAX_AGE and not early:
                raise TooSoon(f"the next key is published for {age} s of the {JWKS_MAX_AGE} s it must be")
            return await self._rotate(connection)

    async def rotate_when_due(self, every: float) -> str | None:
        """Rotates when the active key has signed for `every` seconds; of any number of processes one does. None: not due."""
        async with self._database.reading() as connection:
            if not self._due(await _of(connection, "active"), await _of(connection, "next"), every):
                return None
        async with self._database.transaction() as connection:
            await next_epoch(connection)  # whoever waited here looks again, and finds it done
            if not self._due(await _of(connection, "active"), await _of(connection, "next"), every):
                return None
            return await self._rotate(connection)

    async def all(self) -> list[KeyState]:
        """Every key, the oldest first, without its private half."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(signing_keys).order_by(signing_keys.c.created_at, signing_keys.c.kid))
            return [KeyState(row.kid, row.state, row.created_at, row.activated_at, row.retired_at) for row in rows]

    async def load(self, connection: AsyncConnection) -> dict[str, SigningKey]:
        """Every key that may have signed a living token, by kid; raises BadSeal where one does not open."""
        rows = await connection.execute(select(signing_keys))
        return {row.kid: self._open(row) for row in rows}

    def _due(self, active: Row[Any], following: Row[Any], every: float) -> bool:
        now = self._now()
        began, published = active.activated_at or active.created_at, following.created_at
        return bool(now - began >= every and now - published >= JWKS_MAX_AGE)

    async def _rotate(self, connection: AsyncConnection) -> str:
        now, chosen = self._now(), await _of(connection, "next")
        await _move(connection, signing_keys.c.state == "active", state="retired", retired_at=now)
        await _move(connection, signing_keys.c.kid == chosen.kid, state="active", activated_at=now)
        await connection.execute(delete(signing_keys).where(signing_keys.c.retired_at < now - _LINGER))
        await self._make(connection, "next")
        return str(chosen.kid)

    def _open(self, row: Row[Any]) -> SigningKey:
        private = json.loads(self._seal.open(row.sealed, row.kid))
        return SigningKey(row.kid, row.state, ECKey.import_key(private), row.created_at)

    async def _make(self, connection: AsyncConnection, state: str) -> None:
        key = ECKey.generate_key("P-256")
        kid, now = key.thumbprint(), self._now()
        sealed = self._seal.close(json.dumps(key.as_dict(private=True)).encode(), kid)
        activated = now if state == "active" else None
        await connection.execute(
            insert(signing_keys).values(kid=kid, state=state, sealed=sealed, created_at=now, activated_at=activated)
        )

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


async def _of(connection: AsyncConnection, state: str) -> Row[Any]:
    return (await connection.execute(select(signing_keys).where(signing_keys.c.state == state))).one()


async def _move(connection: AsyncConnection, which: Any, **values: Any) -> None:
    await connection.execute(update(signing_keys).where(which).values(**values))
