"""An audit log on a database of its own, and ways to do it harm."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.engine import make_url

from gateway.audit.anchors import AnchorFile
from gateway.audit.chain import Link
from gateway.audit.entry import Entry
from gateway.audit.recorder import AuditLog
from gateway.audit.store import AuditStore
from gateway.audit.verification import Verdict, verify
from kernel.db import Database
from kernel.sections.audit import Audit

POSTGRES = os.environ.get("TRIVIUM_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
KEY = b"k" * 32
DONE = Entry(1_700_000_000_000_000, client="acme", subject="acme", operation="submit_order", method="POST", status=201)


class Fragile(AuditStore):
    """A store whose database can be away, or answer without being heard."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.away = self.deaf = False

    async def append(self, links: Sequence[Link]) -> None:
        if self.away:
            raise OSError("the database is away")
        await super().append(links)
        if self.deaf:
            raise OSError("the answer was lost")


@dataclass
class Ledger:
    """Chains, one after the other, in one database."""

    database: Database
    folder: Path
    clock: Any
    store: Fragile = field(init=False)
    deadline: float = 10.0

    def __post_init__(self) -> None:
        self.store = Fragile(self.database)

    @property
    def anchors(self) -> AnchorFile:
        return AnchorFile(self.folder, KEY)

    @asynccontextmanager
    async def log(self, registry: CollectorRegistry | None = None, **said: Any) -> AsyncIterator[AuditLog]:
        settings = Audit.model_validate({"every": 0.01, **said})
        log = AuditLog(
            self.store, KEY, self.anchors, self.clock, settings, registry or CollectorRegistry(), deadline=self.deadline
        )
        log.start()
        try:
            yield log
        finally:
            await log.close()

    async def chain(self, entries: int, client: str = "acme") -> str:
        """A whole chain with so many entries; answers its name."""
        self.clock.pass_seconds(1)
        async with self.log() as log:
            for number in range(entries):
                log.add(DONE._replace(client=client, ids={"order": f"o{number}"}))
        return log.chain

    async def verdict(self, key: bytes = KEY) -> Verdict:
        places, _ = AnchorFile(self.folder, key).read()
        return await verify(AuditStore(self.database), key, places)

    async def harm(self, statement: str, **values: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(text(statement), values)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of this test run's own."""
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
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Any) -> AsyncIterator[Ledger]:
    embedded = request.param == "sqlite"
    database = Database(f"sqlite:///{tmp_path / 'audit.sqlite'}" if embedded else request.getfixturevalue("postgres_url"))
    await database.create_all()
    ledger = Ledger(database, tmp_path, clock)
    await ledger.harm("DELETE FROM audit_entries")
    yield ledger
    await database.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    async def wait(true: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(10):
            while not await true():  # noqa: ASYNC110 - a database has no event to wait for
                await asyncio.sleep(0.01)

    return wait
