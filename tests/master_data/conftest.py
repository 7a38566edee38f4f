"""Master data is asserted on SQLite and on PostgreSQL; without a server the latter is skipped, except under CI=true."""

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from kernel.db import Database

SERVER = os.environ.get("TRIVIUM_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/")


class OwnedClock:
    """Time moves when the test says so."""

    def __init__(self) -> None:
        self.time = datetime(2026, 6, 15, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def pass_(self, time: timedelta) -> None:
        self.time += time


@pytest.fixture
def clock() -> OwnedClock:
    return OwnedClock()


@cache
def reachable() -> bool:
    try:
        with psycopg.connect(SERVER, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL database of these tests' own."""
    if not reachable() and os.environ.get("CI") != "true":
        pytest.skip(f"no PostgreSQL answers at {SERVER}")
    name = f"master_data_{uuid4().hex[:12]}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield f"{SERVER.rstrip('/')}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database with all tables."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    else:
        url = request.getfixturevalue("server")
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        database = Database(url)
    await database.create_all()
    yield database
    await database.close()


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'embedded.sqlite'}")
    await database.create_all()
    yield database
    await database.close()
