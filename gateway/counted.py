"""Counts by day: they wait in memory, capped, and are added every few seconds to a table that all processes share.

What was counted is added at an orderly end too, so a process that dies loses those seconds at most. An addition of which only
the confirmation was lost is repeated.
"""

import asyncio
import base64
import json
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Table, and_, delete, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from kernel.db import Database
from kernel.problem import Invalid

PAUSE = 2.0  # seconds between two additions to the database
MOST = 100_000  # different lines that are kept while the database does not answer
_AT_ONCE = 500  # lines in one statement
DEADLINE = 10.0  # seconds for one addition or deletion

Page = tuple[Sequence[Any], str | None]  # rows, and the cursor of the next page
Line = TypeVar("Line", bound=tuple[str | int, ...])  # a line's key as the table has it, the day first


class Waiting(Generic[Line]):
    """What was counted and is not in the database yet. May be used from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lines: dict[Line, int] = {}
        self._lock = threading.Lock()
        self.lost = 0  # counts that could not be kept

    def take(self) -> dict[Line, int]:
        with self._lock:
            taken, self._lines = self._lines, {}
        return taken

    def put_back(self, lines: Mapping[Line, int]) -> None:
        with self._lock:
            for line, calls in lines.items():
                self._count(line, calls)

    def _count(self, line: Line, calls: int) -> None:
        """For whoever holds the lock."""
        if line in self._lines or len(self._lines) < self._most:
            self._lines[line] = self._lines.get(line, 0) + calls
        else:
            self.lost += calls


class DayBook(Generic[Line]):
    """The table: its primary key, `day` first, and `calls`."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table
        self._key = tuple(table.primary_key.columns)
        self._insert: Any = sqlite_insert if database.embedded else postgres_insert

    async def record(self, lines: Mapping[Line, int]) -> None:
        """Adds to what is there, all or nothing."""
        table, names = self._table, [column.name for column in self._key]
        in_order = sorted(lines.items())  # the same in every process: no deadlock
        values = [dict(zip((*names, "calls"), (*line, calls), strict=True)) for line, calls in in_order]
        async with self._database.transaction() as connection:
            for first in range(0, len(values), _AT_ONCE):
                added = self._insert(table).values(values[first : first + _AT_ONCE])
                more = {"calls": table.c.calls + added.excluded.calls}
                await connection.execute(added.on_conflict_do_update(index_elements=names, set_=more))

    async def rows(self, wanted: Sequence[ColumnElement[bool]], cursor: str | None, limit: int) -> Page:
        """A page, the latest day first, and the cursor of the next one. Raises Invalid for a cursor that is none."""
        query = select(self._table).where(*wanted).order_by(self._key[0].desc(), *self._key[1:])
        if cursor is not None:
            query = query.where(self._after(cursor))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.limit(limit + 1))).all()
        return rows[:limit], self._cursor(rows[limit - 1]) if len(rows) > limit else None

    async def forget(self, before: str) -> None:
        """Deletes what was counted before that day."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(self._table).where(self._table.c.day < before))

    def _cursor(self, row: Any) -> str:
        said = json.dumps([getattr(row, column.name) for column in self._key], separators=(",", ":"))
        return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")

    def _after(self, cursor: str) -> ColumnElement[bool]:
        try:
            said: Sequence[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if [type(value) for value in said] != [column.type.python_type for column in self._key]:
                raise TypeError
        except (ValueError, TypeError):
            raise Invalid("the cursor cannot be read", field="cursor", fix="begin without a cursor, then send `next`") from None
        day, (last, *others) = self._table.c.day, said
        return or_(day < last, and_(day == last, tuple_(*others) < tuple_(*self._key[1:])))


@asynccontextmanager
async def written(write: Callable[[], Awaitable[None]], pause: float) -> AsyncIterator[None]:
    """Writes every `pause` seconds until the end, and once more then."""
    stopping = asyncio.Event()
    writing = asyncio.create_task(_every(pause, write, stopping))
    try:
        yield
    finally:
        stopping.set()
        await writing
        await write()


async def flush(waiting: Waiting[Line], book: DayBook[Line], log: logging.Logger) -> None:
    """What waits is in the book, or waits on."""
    lines = waiting.take()
    if not lines:
        return
    try:
        async with asyncio.timeout(DEADLINE):
            await book.record(lines)
    except Exception as error:  # whatever the driver raises: what was counted is kept for the next time
        waiting.put_back(lines)
        log.error("what was counted cannot be kept: %s; %d calls are given up so far", type(error).__name__, waiting.lost)


async def _every(pause: float, work: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        await work()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stopping.wait()
