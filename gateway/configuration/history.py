"""Configurations in the order in which they were put in force: the newest number is what every process follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, Row, String, Table, Text, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.configuration.bundle import Bundle
from kernel.clock import Clock
from kernel.db import Database, metadata
from kernel.problem import Conflict, NotFound

SEEN_WITHIN = 15  # seconds after which a process that does not say anything is taken for gone
_LOCK = 7_283_401_102  # any constant: the advisory lock under which a configuration takes its number

configurations = Table(
    "gateway_configurations",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("files", String(64), nullable=False),  # digest of what the files said then; "": they could not be read
    Column("content", LargeBinary, nullable=False),  # the bundle, packed
    Column("by", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

processes = Table(
    "gateway_processes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("part", String(32), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("fault", Text, nullable=False),  # why it is not on the newest number; "": nothing is wrong
    Column("seen_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One configuration that was put in force. `at`: Unix time."""

    number: int
    digest: str
    files: str
    by: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Process:
    """What a process says it goes by."""

    id: str
    part: str
    number: int
    digest: str
    fault: str
    seen_at: int


class History:
    """The table of configurations, and that of the processes that follow it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def newest(self) -> int:
        """0 when there is none yet."""
        async with self._database.reading() as connection:
            return int((await connection.execute(select(func.max(configurations.c.number)))).scalar() or 0)

    async def entry(self, number: int) -> tuple[Entry, Bundle]:
        """Raises NotFound for a number that is not kept (any more)."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(configurations).where(configurations.c.number == number))).one_or_none()
        if row is None:
            raise NotFound(f"there is no configuration {number}", fix="`trivium gateway history` lists those that are kept")
        return _entry(row), Bundle.unpacked(bytes(row.content))

    async def entries(self, most: int = 100) -> list[Entry]:
        """The newest first."""
        columns = [column for column in configurations.c if column.name != "content"]
        async with self._database.reading() as connection:
            rows = await connection.execute(select(*columns).order_by(configurations.c.number.desc()).limit(most))
            return [_entry(row) for row in rows]

    async def add(self, bundle: Bundle, files: str, by: str, reason: str, *, after: int, keep: int) -> int:
        """Takes the next number. Raises Conflict when another one than `after` is the newest by now."""
        async with self._database.transaction() as connection:
            if not self._database.embedded:
                await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            newest = int((await connection.execute(select(func.max(configurations.c.number)))).scalar() or 0)
            if newest != after:
                raise Conflict(f"configuration {newest} was put in force meanwhile", fix="plan again, then apply")
            row: dict[str, Any] = {"number": newest + 1, "digest": bundle.digest, "files": files, "content": bundle.packed()}
            await connection.execute(insert(configurations).values(**row, by=by[:128], reason=reason, at=self._now()))
            await connection.execute(delete(configurations).where(configurations.c.number <= newest + 1 - keep))
        return newest + 1

    async def report(self, process: Process) -> None:
        """Says what this process goes by; forgets processes that have been silent for long."""
        values = {"part": process.part, "number": process.number, "digest": process.digest, "fault": process.fault[:2000]}
        async with self._database.transaction() as connection:
            await _forget(connection, self._now() - SEEN_WITHIN * 4)
            await connection.execute(delete(processes).where(processes.c.id == process.id))
            await connection.execute(insert(processes).values(id=process.id, seen_at=self._now(), **values))

    async def leave(self, process_id: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(delete(processes).where(processes.c.id == process_id))

    async def processes(self) -> Sequence[Process]:
        """Those that were heard of lately."""
        asked = (
            select(processes).where(processes.c.seen_at >= self._now() - SEEN_WITHIN).order_by(processes.c.part, processes.c.id)
        )
        async with self._database.reading() as connection:
            return [Process(r.id, r.part, r.number, r.digest, r.fault, r.seen_at) for r in await connection.execute(asked)]

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


async def _forget(connection: AsyncConnection, before: int) -> None:
    await connection.execute(delete(processes).where(processes.c.seen_at < before))


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.number, row.digest, row.files, row.by, row.reason, row.at)
