"""An authorization server on a fresh database, SQLite and PostgreSQL alike, with a clock that the test owns."""

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from gateway.oauth.app import oauth_app
from gateway.oauth.server import AuthorizationServer, open_server
from gateway.oauth.tables import (
    authorizations,
    client_secrets,
    clients,
    epochs,
    registrations,
    revoked_tokens,
    sessions,
    signing_keys,
    token_origins,
    users,
)
from kernel.db import Database

ISSUER = "https://api.example.test"
POSTGRES = os.environ.get("TRIVIUM_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


_TABLES = (
    clients, client_secrets, signing_keys, revoked_tokens, epochs, users, sessions, authorizations, token_origins, registrations,
)  # fmt: skip


class FakeClock:
    """Time stands still until the test lets it pass."""

    def __init__(self) -> None:
        self._now, self._monotonic = datetime(2026, 3, 1, 12, 0, tzinfo=UTC), 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def pass_seconds(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of this test run's own; making one takes longer than most tests."""
    name = f"trivium_test_{secrets.token_hex(6)}"
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL at TRIVIUM_TEST_POSTGRES")
    admin.execute(f'CREATE DATABASE "{name}"')
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    admin.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    embedded = request.param == "sqlite"
    opened = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}" if embedded else request.getfixturevalue("postgres_url"))
    await opened.create_all()
    if not embedded:
        async with opened.transaction() as connection:
            for table in _TABLES:
                await connection.execute(table.delete())
    yield opened
    await opened.close()


Open = Callable[[], Awaitable[AuthorizationServer]]


@pytest.fixture
async def open_process(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the server as one more process of the same deployment would: same database, nothing else shared."""
    opened: list[AuthorizationServer] = []

    async def open_one() -> AuthorizationServer:
        opened.append(await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock))
        return opened[-1]

    yield open_one
    for server in opened:
        await server.close()


@pytest.fixture
async def server(open_process: Open) -> AuthorizationServer:
    return await open_process()


@pytest.fixture
async def http(server: AuthorizationServer) -> AsyncIterator[httpx.AsyncClient]:
    """Plain HTTP to the app, as behind a TLS terminator."""
    app = oauth_app(server, scopes=["quotes:read", "quotes:write"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.internal") as client:
        yield client
