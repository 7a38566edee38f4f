"""The tally of this process: which calls are looked at, and what was seen in them; capped, and written in the background."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, timedelta

from gateway.consumption.book import FieldUseBook, Line
from gateway.counted import DEADLINE, MOST, PAUSE, Waiting, flush, written
from gateway.pipeline import Caller, Operation
from kernel.clock import Clock
from kernel.db import Database
from kernel.sections.consumption import Consumption

MOST_CLIENTS = 10_000  # whose turns are remembered, of each operation
log = logging.getLogger("trivium.consumption")


class Turns:
    """Which calls of one operation are looked at: the first of each client on each day, and then each `sample`-th."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left: dict[str, int] = {}  # by client: calls that pass before the next is looked at

    def begin(self, client: str, sample: int) -> None:
        """A call is looked at now."""
        if len(self.left) >= MOST_CLIENTS and client not in self.left:
            self.left.clear()  # some are looked at once more often
        self.left[client] = sample - 1


class FieldUse(Waiting[Line]):
    """What was seen and is not in the database yet."""

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        super().__init__(most)
        self._clock = clock
        self._turns: dict[str, Turns] = {}

    @property
    def today(self) -> date:
        return self._clock.now().astimezone(UTC).date()

    def turns(self, operation: str) -> Turns:
        """Of one operation, whatever configuration is in force."""
        return self._turns.setdefault(operation, Turns())

    def see(self, caller: Caller, operation: Operation, seen: Iterable[tuple[str, str]]) -> None:
        """`seen`: the part and the field."""
        day, client, partner = self.today.isoformat(), caller.client[:255], caller.partner[:64]
        name, version = operation.id[:255], operation.version[:32]
        with self._lock:
            for part, field in seen:
                self._count((day, client, partner, name, version, part, field[:255]), 1)

    def begin_day(self) -> None:
        """Each client's next call is its first."""
        for turns in self._turns.values():
            turns.left.clear()


@asynccontextmanager
async def consuming(
    database: Database, clock: Clock, settings: Callable[[], Consumption], pause: float = PAUSE
) -> AsyncIterator[FieldUse]:
    """Keeps what is seen until the end, and forgets once a day what is older than `settings` say at that time."""
    tally, book, day = FieldUse(clock), FieldUseBook(database), date.min

    async def write() -> None:
        nonlocal day
        await flush(tally, book, log)
        if tally.today != day:
            day = tally.today
            tally.begin_day()
            await _forget(book, day - timedelta(days=settings().keep_days))

    async with written(write, pause):
        yield tally


async def _forget(book: FieldUseBook, before: date) -> None:
    try:
        async with asyncio.timeout(DEADLINE):
            await book.forget(before.isoformat())
    except Exception as error:  # whatever the driver raises: the next day it is made up for
        log.error("old use cannot be forgotten: %s", type(error).__name__)
