"""A process that asks for many runs and works until all are done; made to be killed.

Every step has an effect outside, in a table whose key is the idempotency key, then sometimes loses the reply.
"""

import asyncio
import json
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

import psycopg

from kernel.db import Database
from kernel.durable.engine import DbosDurable
from kernel.durable.patience import Patience
from kernel.durable.port import Run, RunState, Start
from kernel.problem import PlatformDown, PlatformTimeout
from tests.kernel.durable.stories import Request, Result

STEPS = ("erp.create", "erp.confirm", "billing.create", "crm.write")
TABLE = "CREATE TABLE IF NOT EXISTS effect (key TEXT PRIMARY KEY, times INTEGER NOT NULL)"
_EFFECT = "INSERT INTO effect VALUES ({}, 1) ON CONFLICT (key) DO UPDATE SET times = effect.times + 1"
PATIENCE = Patience(first_pause=0.01, longest_pause=0.05, tend_every=0.2, crashes=1000)


class Vendor:
    """One record per key; the reply is lost one time in ten, the platform not reached one time in twenty."""

    def __init__(self, url: str, data: Path) -> None:
        self._url, self._file = url, data / "effects.sqlite"

    async def make(self, key: str) -> Result:
        await asyncio.sleep(random.uniform(0, 0.08))
        dice = random.random()
        if dice < 0.05:
            raise PlatformDown("erp: not reached")
        await asyncio.to_thread(self._record, key)
        if dice > 0.9:
            raise PlatformTimeout("erp: no answer")
        return Result(id=key)

    def _record(self, key: str) -> None:
        if self._url.startswith("sqlite"):
            connection = sqlite3.connect(self._file, timeout=30, isolation_level=None)
            connection.execute(_EFFECT.format("?"), (key,))
            connection.close()
        else:
            with psycopg.connect(self._url) as server:
                server.execute(_EFFECT.format("%s").encode(), (key,))


def effects(url: str, data: Path) -> dict[str, int]:
    """The vendor's records, with how often each was asked for."""
    query = "SELECT key, times FROM effect"
    if url.startswith("sqlite"):
        connection = sqlite3.connect(data / "effects.sqlite")
        connection.execute(TABLE)
        found = dict(connection.execute(query).fetchall())
        connection.close()
        return found
    with psycopg.connect(url) as server:
        server.execute(TABLE)
        return dict(server.execute(query).fetchall())


async def work(url: str, data: Path, runs: int) -> None:
    vendor = Vendor(url, data)

    async def story(run: Run, request: Request) -> Result:
        made = Result(id="")
        for name in STEPS:
            made = await run.step(name, vendor.make, Result)
            await run.note(last=made.id)
        return made

    database = Database(url)
    durable = DbosDurable(database, data, patience=PATIENCE)
    durable.register("order", story, Request, Result)
    await durable.launch()
    print("ready", flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.readline)
    keys = [f"Q-{n}" for n in range(runs)]
    await asyncio.gather(*(durable.start("order", key, Request(quote=key), asked(key)) for key in keys))
    ended = await asyncio.gather(*(durable.wait(f"order:{key}", 60) for key in keys))
    await durable.close()
    await database.close()
    print(json.dumps(sorted({record.state for record in ended} - {RunState.COMPLETED})), flush=True)  # noqa: T201


def asked(key: str) -> Start:
    return Start(client="sales", idempotency_key=key, fingerprint=key, correlation_id=f"corr-{key}")


def arguments(url: str, data: Path, runs: int) -> list[str]:
    given: Any = {"url": url, "data": str(data), "runs": runs}
    return [sys.executable, "-m", "tests.kernel.durable.worker", json.dumps(given)]


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    asyncio.run(work(given["url"], Path(given["data"]), given["runs"]))
