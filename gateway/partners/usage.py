"""Usage: how often each client called each operation on each day, by the class of the answers' status.

Calls are counted from the records they leave behind anyway, in batches; what was counted is added to the database every few
seconds and at an orderly end, so a process that dies loses those seconds at most. A call counts for the day on which it is
counted. Calls without a client, such as health checks and refused tokens, are nobody's usage. An addition of which only the
confirmation was lost is repeated.
"""

import asyncio
import base64
import json
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from contracts.models.partner import Usage, UsageLine
from gateway.observe import Metrics, Record
from gateway.partners.tables import usage
from gateway.pipeline import ANONYMOUS
from kernel.clock import Clock
from kernel.db import Database
from kernel.problem import Invalid

PAUSE = 2.0  # seconds between two additions to the database
MOST = 100_000  # different lines that are kept while the database does not answer
_AT_ONCE = 500  # lines in one statement
_DEADLINE = 10.0  # seconds for one addition
_KEY = ("day", "client", "partner", "operation", "status")
_ORDER = tuple_(*(usage.c[name] for name in _KEY[1:]))

log = logging.getLogger("trivium.usage")
Line = tuple[str, str, str, str, int]  # as _KEY; status 2 for 2xx, 0 where nobody waited for the answer


class Counts:
    """What was counted and is not in the database yet. `add` may be called from any thread."""

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        self._clock, self._most = clock, most
        self._lines: dict[Line, int] = {}
        self._lock = threading.Lock()
        self.lost = 0  # calls that could not be kept

    def add(self, records: Sequence[Record]) -> None:
        day = self._clock.now().astimezone(UTC).date().isoformat()
        with self._lock:
            lines = self._lines
            for record in records:
                client = record.client
                if client == ANONYMOUS:
                    continue
                line = (day, client, record.partner, record.operation, record.status // 100)
                if line in lines:
                    lines[line] += 1
                else:
                    self._count((day, client[:255], record.partner[:64], *line[3:]), 1)

    def take(self) -> dict[Line, int]:
        with self._lock:
            taken, self._lines = self._lines, {}
        return taken

    def put_back(self, lines: Mapping[Line, int]) -> None:
        with self._lock:
            for line, calls in lines.items():
                self._count(line, calls)

    def _count(self, line: Line, calls: int) -> None:
        if line in self._lines or len(self._lines) < self._most:
            self._lines[line] = self._lines.get(line, 0) + calls
        else:
            self.lost += calls


class UsageBook:
    """Usage in the database, that of all processes together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert: Any = sqlite_insert if database.embedded else postgres_insert

    async def record(self, lines: Mapping[Line, int]) -> None:
        """Adds to what is there, all or nothing."""
        in_order = sorted(lines.items())  # the same in every process: no deadlock
        values = [dict(zip((*_KEY, "calls"), (*line, calls), strict=True)) for line, calls in in_order]
        async with self._database.transaction() as connection:
            for first in range(0, len(values), _AT_ONCE):
                added = self._insert(usage).values(values[first : first + _AT_ONCE])
                more = {"calls": usage.c.calls + added.excluded.calls}
                await connection.execute(added.on_conflict_do_update(index_elements=list(_KEY), set_=more))

    async def page(self, wanted: "Wanted", most: "Wanted", cursor: str | None, limit: int) -> Usage:
        """Of the most that may be seen what is wanted, the latest day first. Raises Invalid for a cursor that is none."""
        conditions = [*wanted.conditions(), *most.conditions()]
        query = select(usage).where(*conditions).order_by(usage.c.day.desc(), *(usage.c[name] for name in _KEY[1:]))
        if cursor is not None:
            query = query.where(_after(cursor))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.limit(limit + 1))).all()
        more = _cursor(rows[limit - 1]) if len(rows) > limit else None
        return Usage(items=[_line(row) for row in rows[:limit]], next=more)


@dataclass(frozen=True)
class Wanted:
    """Which usage is asked for; None: any. `since` and `until` are days, both included."""

    client: str | None = None
    partner: str | None = None
    operation: str | None = None
    status: int | None = None
    since: date | None = None
    until: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        equal = {"client": self.client, "partner": self.partner, "operation": self.operation, "status": self.status}
        found: list[ColumnElement[bool]] = [usage.c[name] == value for name, value in equal.items() if value is not None]
        found += [usage.c.day >= self.since.isoformat()] if self.since else []
        return found + ([usage.c.day <= self.until.isoformat()] if self.until else [])


@asynccontextmanager
async def counting(metrics: Metrics, database: Database, clock: Clock, pause: float = PAUSE) -> AsyncIterator[Counts]:
    """Counts the calls of this process until the end, and keeps the count in the database."""
    counts, book, stopping = Counts(clock), UsageBook(database), asyncio.Event()
    metrics.follow(counts.add)

    async def write() -> None:
        metrics.settle()
        await _write(counts, book)

    writing = asyncio.create_task(_every(pause, write, stopping))
    try:
        yield counts
    finally:
        stopping.set()
        await writing
        await write()


async def _every(pause: float, work: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        await work()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stopping.wait()


async def _write(counts: Counts, book: UsageBook) -> None:
    lines = counts.take()
    if not lines:
        return
    try:
        async with asyncio.timeout(_DEADLINE):
            await book.record(lines)
    except Exception as error:  # whatever the driver raises: what was counted is kept for the next time
        counts.put_back(lines)
        log.error("usage cannot be kept: %s; %d calls are given up so far", type(error).__name__, counts.lost)


def _line(row: Any) -> UsageLine:
    status = f"{row.status}xx" if row.status else "none"
    return UsageLine(
        day=row.day, client_id=row.client, partner=row.partner or None, operation=row.operation, status=status, calls=row.calls
    )


def _cursor(row: Any) -> str:
    said = json.dumps([getattr(row, name) for name in _KEY], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _after(cursor: str) -> ColumnElement[bool]:
    try:
        said: Sequence[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        day, client, partner, operation, status = said
        if not all(isinstance(text, str) for text in (day, client, partner, operation)) or type(status) is not int:
            raise TypeError
    except (ValueError, TypeError):
        raise Invalid("the cursor cannot be read", field="cursor", fix="begin without a cursor, then send `next`") from None
    return or_(usage.c.day < day, and_(usage.c.day == day, tuple_(client, partner, operation, status) < _ORDER))
