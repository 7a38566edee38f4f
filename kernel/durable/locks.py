"""One live engine per SQLite file, one sign of life per PostgreSQL process: both end with the process, however it ends."""

import hashlib
import os
from pathlib import Path
from typing import IO

import psycopg
from sqlalchemy.engine import make_url

try:
    import fcntl
except ImportError:  # Windows has no flock: nothing refuses a second engine there
    fcntl = None  # type: ignore[assignment]


class EngineRefused(RuntimeError):
    """The durable engine must not start here; the message says why and what to do."""


class FileLock:
    """An advisory lock on a file of the data directory, held by the open file: the kernel frees it when the process is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="ascii")
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise EngineRefused(
                f"another engine (process {holder}) works on {self.path.parent.absolute()}; stop it, "
                "or set another data directory, or use PostgreSQL to run several processes"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def life_key(executor: str) -> int:
    """The advisory lock that the executor holds while it lives: a signed 64-bit number."""
    return int.from_bytes(hashlib.sha256(b"trivium executor " + executor.encode()).digest()[:8], "big", signed=True)


class Life:
    """A session-level advisory lock on a connection of its own, and the look at everyone else's."""

    def __init__(self, url: str, executor: str) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._key = life_key(executor)
        self._connection: psycopg.AsyncConnection | None = None
        self._held = False

    async def living(self) -> frozenset[int]:
        """The keys of all executors alive, ours among them; connects and takes our lock first where that is needed."""
        connection = self._connection or await self._connect()
        try:
            if not self._held:
                cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (self._key,))
                self._held = (await cursor.fetchone() or (False,))[0]
            cursor = await connection.execute(_LIVING)
            return frozenset([row[0] async for row in cursor])
        except psycopg.OperationalError:
            await self.end()
            raise

    async def _connect(self) -> psycopg.AsyncConnection:
        connection = await psycopg.AsyncConnection.connect(self._dsn, autocommit=True)
        # A server that no longer hears this machine gives up on it after 30 seconds.
        for setting in (b"tcp_keepalives_idle = 15", b"tcp_keepalives_interval = 5", b"tcp_keepalives_count = 3"):
            await connection.execute(b"SET " + setting)
        self._connection = connection
        return connection

    async def end(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self._connection, self._held = None, False


# The two halves of a 64-bit advisory key, put together again: https://www.postgresql.org/docs/current/view-pg-locks.html
_LIVING = """
SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
