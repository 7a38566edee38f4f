"""A caller waits a moment for the database, and only so many wait at once: one that stalls costs refusals, not memory."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from kernel.durable.store import Store
from kernel.problem import Unavailable

T = TypeVar("T")
PATIENCE = 2.0  # seconds
MOST = 64  # transactions that are begun and not ended

log = structlog.get_logger("gateway")


class Works:
    """Transactions on a store, each in a thread of the store's."""

    def __init__(self, store: Store, *, patience: float = PATIENCE, most: int = MOST) -> None:
        self._store, self._patience, self._most = store, patience, most
        self._under_way: set[asyncio.Task[object]] = set()

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Raises Unavailable when it was not done in time; it may then still be done."""
        if len(self._under_way) >= self._most:
            raise _away()
        task = asyncio.create_task(self._store(work))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        # The thread cannot be called off: a caller who goes leaves the work to end by itself.
        done, _ = await asyncio.wait([task], timeout=self._patience)
        if not done:
            raise _away()
        try:
            return task.result()
        except (Unavailable, SQLAlchemyError) as error:
            log.warning("kept answers cannot be reached", error=type(error.__cause__ or error).__name__)
            raise _away() from None

    async def close(self) -> None:
        """Waits for what is under way, within the same patience."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self._patience)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # seen: who waited for it has been told, or has gone


def _away() -> Unavailable:
    return Unavailable("what was asked under this Idempotency-Key cannot be looked up now: nothing was done", retry_after=1)
