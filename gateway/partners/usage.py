"""Usage: how often each client called each operation on each day, by the class of the answers' status.

Calls are counted from the records they leave behind anyway, in batches (`gateway.counted`). A call counts for the day on which it
is counted. Calls without a client, such as health checks and refused tokens, are nobody's usage.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from sqlalchemy import ColumnElement

from contracts.models.partner import Usage, UsageLine
from gateway.counted import MOST, PAUSE, DayBook, Waiting, flush, written
from gateway.observe import Metrics, Record
from gateway.partners.tables import usage
from gateway.pipeline import ANONYMOUS
from kernel.clock import Clock
from kernel.db import Database

log = logging.getLogger("trivium.usage")
Line = tuple[str, str, str, str, int]  # day, client, partner, operation, status: 2 for 2xx, 0 where nobody waited for the answer


class Counts(Waiting[Line]):
    """What was counted and is not in the database yet. `add` may be called from any thread."""

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        super().__init__(most)
        self._clock = clock

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


class UsageBook(DayBook[Line]):
    """Usage in the database, that of all processes together."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, usage)

    async def page(self, wanted: "Wanted", most: "Wanted", cursor: str | None, limit: int) -> Usage:
        """Of the most that may be seen what is wanted, the latest day first. Raises Invalid for a cursor that is none."""
        rows, more = await self.rows([*wanted.conditions(), *most.conditions()], cursor, limit)
        return Usage(items=[_line(row) for row in rows], next=more)


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
    counts, book = Counts(clock), UsageBook(database)
    metrics.follow(counts.add)

    async def write() -> None:
        metrics.settle()
        await flush(counts, book, log)

    async with written(write, pause):
        yield counts


def _line(row: Any) -> UsageLine:
    status = f"{row.status}xx" if row.status else "none"
    return UsageLine(
        day=row.day, client_id=row.client, partner=row.partner or None, operation=row.operation, status=status, calls=row.calls
    )
