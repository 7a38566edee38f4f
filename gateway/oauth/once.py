"""What may be used once is used once: the first to name it is told so, everyone after it is not, until it has ended by itself.

Three places remember it: this process, the database, Redis. None forgets early to make room; where one cannot remember, it says
so instead of letting a second use through.
"""

import asyncio
import hashlib
from collections import deque
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import BigInteger, Column, LargeBinary, Table, delete, text
from sqlalchemy.exc import SQLAlchemyError

from kernel.clock import Clock
from kernel.db import Database, metadata
from kernel.problem import Shedding, Unavailable

CAP = 200_000  # names held in this process: some 30 MB
_DEADLINE = 1.0  # seconds a shared place has to answer
_PURGE_AFTER = 60  # seconds between two sweeps of what has ended

used_once = Table(
    "oauth_used_once",
    metadata,
    Column("name", LargeBinary, primary_key=True),  # SHA-256, so that neither tokens nor client names are kept
    Column("until", BigInteger, nullable=False, index=True),
)


class Once(Protocol):
    """Where uses are remembered."""

    async def first(self, name: str, lasting: int) -> bool:
        """Whether nobody has used this name in the last `lasting` seconds; from now on somebody has.

        Raises Unavailable (or Shedding) when that cannot be known.
        """

    async def close(self) -> None: ...


class OnceHere:
    """In this process alone. All names of one memory last equally long."""

    def __init__(self, clock: Clock, cap: int = CAP) -> None:
        self._clock, self._cap = clock, cap
        self._until: dict[bytes, float] = {}
        self._order: deque[bytes] = deque()

    async def first(self, name: str, lasting: int) -> bool:
        now, key = self._clock.monotonic(), _digest(name)[:16]
        while self._order and self._until[self._order[0]] <= now:
            del self._until[self._order.popleft()]
        if key in self._until:
            return False
        if len(self._until) >= self._cap:
            raise Shedding("too many proofs are remembered at once", retry_after=1)
        self._until[key] = now + lasting
        self._order.append(key)
        return True

    async def close(self) -> None:
        """Nothing was opened."""


class OnceInDatabase:
    """In the database that all processes share."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock, self._purged_at = database, clock, float("-inf")

    async def first(self, name: str, lasting: int) -> bool:
        now = int(self._clock.now().timestamp())
        try:
            async with asyncio.timeout(_DEADLINE), self._database.transaction() as connection:
                if now - self._purged_at >= _PURGE_AFTER:
                    self._purged_at = now
                    await connection.execute(delete(used_once).where(used_once.c.until < now))
                said = {"name": _digest(name), "until": now + lasting}
                done = await connection.execute(text(_TAKE), said)
                return done.rowcount == 1
        except (SQLAlchemyError, TimeoutError):
            raise _unknown() from None

    async def close(self) -> None:
        """The database is closed by whoever opened it."""


_TAKE = "INSERT INTO oauth_used_once (name, until) VALUES (:name, :until) ON CONFLICT DO NOTHING"


class OnceInRedis:
    """In Redis: one round trip, and the names end there by themselves."""

    def __init__(self, url: str, *, deadline: float = _DEADLINE) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=deadline, socket_timeout=deadline)
        self._deadline = deadline

    async def first(self, name: str, lasting: int) -> bool:
        try:
            async with asyncio.timeout(self._deadline):
                taken = await self._redis.set("trivium:once:" + _digest(name).hex(), b"1", nx=True, ex=lasting)
        except (RedisError, OSError, TimeoutError):
            raise _unknown() from None
        return bool(taken)

    async def close(self) -> None:
        await self._redis.aclose()


def once_for(database: Database, clock: Clock, redis_url: str) -> Once:
    """Where every process of this deployment looks; see docs/decisions on DPoP."""
    if redis_url:
        return OnceInRedis(redis_url)
    return OnceHere(clock) if database.embedded else OnceInDatabase(database, clock)


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _unknown() -> Unavailable:
    return Unavailable("whether a proof was used before cannot be known at the moment", retry_after=1)
