"""Where an engine can live in these tests: a directory with SQLite files, or a PostgreSQL database made for one test."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from kernel.db import Database
from kernel.durable.engine import DbosDurable
from kernel.durable.patience import Patience
from kernel.durable.port import RunRecord, RunState, Start, Workflow
from tests.kernel.durable.stories import Request, Result

SERVER = os.environ.get("TRIVIUM_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/")
QUICK = Patience(budget=0.2, first_pause=0.01, longest_pause=0.02, tend_every=0.1, poll_every=0.02, closing=0.2)


@dataclass
class Place:
    """A database and a data directory that outlive the engines opened on them."""

    url: str
    data: Path

    @asynccontextmanager
    async def engine(self, *, patience: Patience = QUICK, **stories: Workflow[Any]) -> AsyncIterator[DbosDurable]:
        """A launched engine with these stories under their argument names."""
        database = Database(self.url)
        durable = DbosDurable(database, self.data, patience=patience)
        for process, story in stories.items():
            durable.register(process, story, Request, Result)
        try:
            await durable.launch()
            yield durable
        finally:
            await durable.close()
            await database.close()


async def until(durable: DbosDurable, run_id: str, state: RunState) -> RunRecord:
    """The run once it is in that state; looked at when the run says something, or 50 times a second."""
    async with asyncio.timeout(15):
        while (found := await durable.wait(run_id, 15)).state is not state:
            await durable._runtime.news(run_id, 0.02)
    return found


def asked(key: str = "key-1", fingerprint: str = "print-1", **more: Any) -> Start:
    return Start(client="sales", idempotency_key=key, fingerprint=fingerprint, correlation_id="corr-1", **more)


def reachable() -> bool:
    try:
        with psycopg.connect(SERVER, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


@contextmanager
def postgres_database(template: str = "template1") -> Iterator[str]:
    """The URL of a fresh database, a copy of the template; dropped at the end."""
    name = f"durable_{uuid4().hex[:12]}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        try:
            yield f"{SERVER.rstrip('/')}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
