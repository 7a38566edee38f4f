"""Databases for the guard's tests: SQLite in a file, PostgreSQL in a database of its own."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from kernel.db import Database
from kernel.settings import Connection, Patience
from system_apis.guard import Guard, Journal
from tests.system_apis.guard.shop import FreeBudget, Open, OwnedClock, Platform, Shop

SERVER = "postgresql://postgres@127.0.0.1:5432"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    name = f"trivium_guard_{uuid.uuid4().hex[:12]}"
    try:
        with psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=3) as server:
            server.execute(f"create database {name}")
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL at {SERVER}: {error}")
    yield f"{SERVER}/{name}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'trivium.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await opened.create_all()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> OwnedClock:
    return OwnedClock()


@pytest.fixture
def journal(database: Database, clock: OwnedClock) -> Journal:
    return Journal(database, clock)


@pytest.fixture
def connection() -> Connection:
    """A name of its own, for the PostgreSQL tests share a database."""
    name = f"shop-{uuid.uuid4().hex[:12]}"
    return Connection(id=name, vendor="shop", base_url="http://shop", patience=Patience(first_pause=0.1, deadline=20))


@pytest.fixture
def process(connection: Connection, journal: Journal, clock: OwnedClock) -> Open:
    """Each call is one more process of the deployment."""

    def start(platform: Platform) -> Shop:
        platform.clock = clock
        guard = Guard(connection, budget=FreeBudget(), journal=journal, clock=clock, sleep=clock.sleep)
        capabilities = {"create_order": platform.capability, "create_customer": platform.capability}
        return guard.bind(Shop, platform, capabilities)

    return start
