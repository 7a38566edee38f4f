"""Slots shared by all processes of a deployment: session-level advisory locks, which die with whoever held them.

A process waiting in vain holds a shared lock on the queue's number, so that a busy one sees that it has rivals and lets go.
"""

import zlib
from collections.abc import Sequence

import psycopg
from sqlalchemy import BigInteger, Column, DateTime, Double, String, Table
from sqlalchemy.engine import make_url

from kernel import settings
from kernel.db import metadata

_QUEUE = -1  # slots count from 0

# A machine that vanished without a word is noticed by the server within half a minute, and its slots are free.
_KEEPALIVE = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"

platform_budget = Table(
    "platform_budget",
    metadata,
    Column("connection", String(40), primary_key=True),
    Column("tokens", Double, nullable=False),
    Column("granted", BigInteger, nullable=False),  # by the last statement; how it learns what it got
    Column("filled_at", DateTime(timezone=True), nullable=False),
)

_LOCK = """
select slot from unnest(%(candidates)s::int[]) as slot where pg_try_advisory_lock(%(place)s, slot) limit %(wanted)s"""
_UNLOCK = "select count(pg_advisory_unlock(%(place)s, slot)) from unnest(%(slots)s::int[]) as slot"
_JOIN = "select pg_try_advisory_lock_shared(%(place)s, %(queue)s)"
_QUIT = "select pg_advisory_unlock_shared(%(place)s, %(queue)s)"
_ALONE = """
select case when pg_try_advisory_lock(%(place)s, %(queue)s) then pg_advisory_unlock(%(place)s, %(queue)s) else false end"""
_FILL = """
insert into platform_budget (connection, tokens, granted, filled_at)
values (%(connection)s, %(burst)s, 0, clock_timestamp()) on conflict (connection) do nothing"""
_AVAILABLE = """least(%(burst)s, tokens + %(per_second)s * greatest(0, extract(epoch from clock_timestamp() - filled_at)))"""
_SPEND = f"""
update platform_budget set granted = least(floor({_AVAILABLE}), %(wanted)s),
    tokens = {_AVAILABLE} - least(floor({_AVAILABLE}), %(wanted)s), filled_at = clock_timestamp()
where connection = %(connection)s returning granted, tokens"""  # noqa: S608 - constants only

Session = psycopg.AsyncConnection[tuple[int, ...]]


async def open_session(url: str) -> Session:
    """A connection of its own for the locks of one process. `url` is SQLAlchemy's."""
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, options=_KEEPALIVE, prepare_threshold=2)


class Slots:
    """The slots and the token row of one connection, as one session sees them."""

    def __init__(self, connection: str, budget: settings.Budget) -> None:
        self.count = budget.concurrency
        place = zlib.crc32(connection.encode()) - 2**31  # two connections of one number would share slots, never exceed them
        self._facts = {
            "connection": connection,
            "place": place,
            "queue": _QUEUE,
            "burst": budget.burst,
            "per_second": budget.per_second,
        }

    async def lock(self, session: Session, candidates: Sequence[int], wanted: int) -> list[int]:
        """Those it got, tried in the given order. A lock is re-entrant: never offer one that this session holds."""
        answer = await session.execute(_LOCK, {**self._facts, "candidates": list(candidates), "wanted": wanted})
        return [slot for (slot,) in await answer.fetchall()]

    async def unlock(self, session: Session, slots: Sequence[int]) -> None:
        await session.execute(_UNLOCK, {**self._facts, "slots": list(slots)})

    async def spend(self, session: Session, wanted: int) -> tuple[int, float]:
        """Takes up to `wanted` tokens: how many it got, and how many are left (a fraction when fewer than wanted)."""
        facts = {**self._facts, "wanted": wanted}
        row = await (await session.execute(_SPEND, facts)).fetchone()
        while row is None:  # the first call of a new deployment
            await session.execute(_FILL, self._facts)
            row = await (await session.execute(_SPEND, facts)).fetchone()
        return int(row[0]), float(row[1])

    async def queue(self, session: Session) -> bool:
        """Whether it stands in the queue now; a rival looking at it this very moment may be in the way."""
        row = await (await session.execute(_JOIN, self._facts)).fetchone()
        return bool(row and row[0])

    async def unqueue(self, session: Session) -> None:
        await session.execute(_QUIT, self._facts)

    async def alone(self, session: Session) -> bool:
        """Whether no other process waits; own membership of the queue does not count."""
        row = await (await session.execute(_ALONE, self._facts)).fetchone()
        return bool(row and row[0])
