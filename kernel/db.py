"""Our own relational tables: one engine per process, SQLite in WAL mode or PostgreSQL, one transaction per unit of work.

Each owner of tables declares them on `metadata`; `create_all` makes what is missing, safely when several processes start. A
table only ever gains columns, nullable or with a server default: a database of yesterday serves the program of today.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateColumn

metadata = MetaData()
_SCHEMA_LOCK = 7_283_401_100  # any constant: the advisory lock under which tables are created


class Database:
    """The engine behind our own tables."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.embedded = parsed.get_backend_name() == "sqlite"
        driver = "sqlite+aiosqlite" if self.embedded else "postgresql+psycopg"
        if self.embedded and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.url = url
        pool: dict[str, Any] = {} if self.embedded else {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True}
        self.engine: AsyncEngine = create_async_engine(parsed.set(drivername=driver), **pool)
        if self.embedded:
            event.listen(self.engine.sync_engine, "connect", _tune_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """For queries only: on SQLite no transaction is opened, so each sees what is committed by then."""
        async with self.engine.connect() as connection:
            yield await connection.execution_options(trivium_reading=True)

    async def answers(self) -> bool:
        """Whether a query comes back; raises what the driver raises when it does not."""
        async with self.reading() as connection:
            return (await connection.execute(text("select 1"))).scalar() == 1

    async def create_all(self) -> None:
        """Creates missing tables and columns; on PostgreSQL one process at a time."""
        async with self.engine.begin() as connection:
            if not self.embedded:
                await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _SCHEMA_LOCK})
            await connection.run_sync(metadata.create_all)
            await connection.run_sync(_add_columns)

    async def close(self) -> None:
        await self.engine.dispose()


def _add_columns(connection: Connection) -> None:
    """What tables made by an earlier version lack."""
    found, dialect = inspect(connection), connection.dialect
    for table in metadata.sorted_tables:
        known = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                described = CreateColumn(column).compile(dialect=dialect)
                connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {described}"))


def _tune_sqlite(connection: Any, _record: Any) -> None:
    # aiosqlite would begin transactions by itself, deferred: two writers would then deadlock instead of queueing.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    if not connection.get_execution_options().get("trivium_reading", False):  # a query alone is a transaction of its own
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def aware(moment: datetime) -> datetime:
    """SQLite forgets time zones: what comes back naive was stored as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
