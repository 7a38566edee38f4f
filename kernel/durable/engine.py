"""`Durable` over DBOS: SQLite file in one process, PostgreSQL in many; the same code, the same tests."""

import asyncio
import logging
import os
import socket
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from opentelemetry import propagate
from pydantic import BaseModel

from kernel.clock import Clock, SystemClock
from kernel.db import Database
from kernel.durable.execution import Execution, Registered
from kernel.durable.history import records
from kernel.durable.host import Host
from kernel.durable.index import Opening, RunIndex, Wanted, record
from kernel.durable.locks import EngineRefused, FileLock, Life
from kernel.durable.patience import Patience
from kernel.durable.port import FINAL, RunRecord, RunState, Start, Workflow
from kernel.durable.recovery import Tending
from kernel.durable.run import dumped
from kernel.durable.runtime import Runtime
from kernel.durable.store import Store
from kernel.problem import NotFound

Q = TypeVar("Q", bound=BaseModel)

log = logging.getLogger("trivium.durable")
_SETTLED = FINAL | {RunState.HELD, RunState.WAITING}


class DbosDurable:
    """The engine of this process. `executor` names it among others on PostgreSQL and must be unique at every start."""

    def __init__(
        self,
        database: Database,
        data: Path,
        *,
        executor: str | None = None,
        patience: Patience | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        name = "embedded" if database.embedded else executor or f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._store = Store(database)
        self._index = RunIndex(self._store, clock or SystemClock())
        patience = patience or Patience()
        self._host = Host(database, data, name, look_every=patience.tend_every / 2)
        self._runtime = Runtime(self._index, self._host, patience, clock or SystemClock())
        self._lock = FileLock(data / "durable.lock") if database.embedded else None
        self._life = None if database.embedded else Life(database.url, name)
        self._registered: dict[str, Registered] = {}
        self._tending: asyncio.Task[None] | None = None

    def register(self, process: str, workflow: Workflow[Q], request: type[Q], result: type[BaseModel]) -> None:
        if self._tending is not None or process in self._registered or ":" in process:
            raise EngineRefused(f"{process!r} cannot be registered: before launch, once, and without a colon")
        self._registered[process] = Registered(workflow, request, result)

    async def launch(self) -> None:
        if self._lock is not None:
            self._lock.acquire()
        try:
            await self._database.create_all()
            if self._life is not None:
                await self._life.living()
            self._runtime.stops = dict(await self._runtime.orders.stops())
            self._host.open({name: Execution(self._runtime, known) for name, known in self._registered.items()})
        except BaseException:
            await self._let_go()
            raise
        self._tending = asyncio.create_task(Tending(self._runtime, self._life).for_ever())

    async def close(self) -> None:
        """Finishes steps in flight within the patience for it; what is left is resumed by the next launch."""
        await self._runtime.drain()
        if self._tending is not None:
            self._tending.cancel()
            with suppress(asyncio.CancelledError):
                await self._tending
        await self._host.close()
        await self._let_go()
        self._store.close()

    async def _let_go(self) -> None:
        if self._life is not None:
            await self._life.end()
        if self._lock is not None:
            self._lock.release()

    async def start(self, process: str, key: str, request: BaseModel, start: Start) -> RunRecord:
        if process not in self._registered:
            raise NotFound(f"there is no process {process}")
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        opening = Opening(
            process=process,
            key=key,
            request=dumped(request),
            client=start.client,
            fingerprint=start.fingerprint,
            correlation_id=start.correlation_id,
            created_at=self._index.now(),
            subject=dict(start.subject),
            trace=carrier,
            accounts=None if start.accounts is None else list(start.accounts),
            partner=start.partner,
        )
        # A caller that goes away in the middle must not leave a run that is recorded and not begun.
        return await self._host.outside(self._start(opening, start.idempotency_key))

    async def _start(self, opening: Opening, idempotency_key: str) -> RunRecord:
        opened, new = await self._index.open(opening, idempotency_key)
        if new:
            self._runtime.fresh.add(opening.id)
            self._runtime.moving.add(opening.id)
            try:
                await self._host.start(opening)
            except BaseException:
                self._runtime.fresh.discard(opening.id)
                self._runtime.moving.discard(opening.id)
                raise
        return opened

    async def replayed(self, start: Start) -> RunRecord | None:
        return await self._index.started_by(start.owner, start.idempotency_key, start.fingerprint)

    async def join(self, run_id: str, start: Start) -> RunRecord:
        await self._index.join(run_id, start)
        return await self._record(run_id)

    async def wait(self, run_id: str, seconds: float) -> RunRecord:
        clock = self._runtime.clock
        until = clock.monotonic() + seconds
        while (left := until - clock.monotonic()) > 0:
            if run_id not in self._runtime.moving:
                found = await self._record(run_id)
                if found.state in _SETTLED:
                    return found
            here = run_id in self._runtime.moving
            await self._runtime.news(run_id, left if here else min(left, self._runtime.patience.poll_every))
        return await self._record(run_id)

    async def _record(self, run_id: str) -> RunRecord:
        row = await self._index.row(run_id)
        if row is None:
            raise NotFound(f"there is no run {run_id}")
        return record(row)

    async def get(self, run_id: str) -> RunRecord | None:
        row = await self._index.row(run_id)
        if row is None:
            return None
        steps = await self._host.steps(run_id)
        return replace(record(row), steps=records(steps, row, self._runtime.doing.get(run_id)))

    async def search(
        self,
        *,
        process: str | None = None,
        state: RunState | None = None,
        subject: Mapping[str, str] | None = None,
        among: Mapping[str, Collection[str]] | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[RunRecord]:
        return await self._index.search(Wanted(process, state, subject or {}, among or {}), before, limit)

    async def signal(self, run_id: str, topic: str, payload: BaseModel, once: str) -> None:
        await self._runtime.orders.signal(run_id, topic, dumped(payload), once)
        await self._deliver(run_id)

    async def release(self, run_id: str, by: str) -> RunRecord:
        await self._runtime.orders.release(run_id, by)
        return await self._told(run_id)

    async def cancel(self, run_id: str, by: str, reason: str) -> RunRecord:
        self._runtime.stops[run_id] = await self._runtime.orders.cancel(run_id, by, reason)
        return await self._told(run_id)

    async def _told(self, run_id: str) -> RunRecord:
        await self._deliver(run_id)
        self._runtime.announce(run_id)
        return await self._record(run_id)

    async def _deliver(self, run_id: str) -> None:
        """At once if possible: what was accepted is not refused because its delivery has to wait for the courier's next pass."""
        try:
            await self._runtime.deliver(run_id)
        except Exception:
            log.warning("an order is delivered later", exc_info=True, extra={"run": run_id})
