"""Short transactions of the run index in threads of its own: a quarter of their cost through an asyncio driver, as measured.

A run is one insert and a few updates; through aiosqlite each of them takes a dozen hops between threads, here it takes one. On
SQLite there is one thread, so that writers queue in memory instead of polling for the file's lock.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kernel.db import Database
from kernel.problem import Unavailable

T = TypeVar("T")
_PARALLEL: Final = 8
_LOST: Final = (OperationalError, InterfaceError, PoolTimeout)

log = logging.getLogger("trivium.durable")


class Store:
    """The run tables of one database, which `Database` has created."""

    def __init__(self, database: Database) -> None:
        self.embedded = database.embedded
        width = 1 if self.embedded else _PARALLEL
        driver = "sqlite" if self.embedded else "postgresql+psycopg"
        # No ping at check-out: a connection that went stale costs the one repetition below instead of a round trip each time.
        self._engine: Engine = create_engine(make_url(database.url).set(drivername=driver), pool_size=width, max_overflow=0)
        if self.embedded:
            event.listen(self._engine, "connect", _tune)
            event.listen(self._engine, "begin", _begin)
        self._threads = ThreadPoolExecutor(width, thread_name_prefix="run-index")

    async def __call__(self, work: Callable[[Connection], T], *, tries: int = 3) -> T:
        """Does the work in one transaction, again when the connection was lost; raises Unavailable after so many tries.

        Work must bear to be repeated after a commit of which only the confirmation was lost.
        """
        for failures in count(1):
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._transaction, work)
            except _LOST as error:
                log.warning(
                    "the database of the runs does not answer", extra={"failures": failures, "error": type(error).__name__}
                )
                if failures >= tries:
                    raise Unavailable("our database does not answer") from error
            await asyncio.sleep(min(5.0, 0.05 * 2**failures))
        raise AssertionError("unreachable")

    async def patiently(self, work: Callable[[Connection], T]) -> T:
        """For the runs themselves: an outage of the database pauses a story, it does not change it."""
        return await self(work, tries=sys.maxsize)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)

    def close(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()


def _tune(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin deferred: a reader that turns writer fails at once when another writes.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
