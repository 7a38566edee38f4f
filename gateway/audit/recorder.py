"""Entries wait in a bounded buffer until they are in the database, in order, off the path of the calls they are about.

While the database does not answer they wait; when the buffer is full, either no more writes are admitted (`refuse_writes`: reads
go on) or entries are given up, and the chain says how many (`drop_and_count`). A process that is killed loses what it had not
written, `every` seconds' worth; one that is stopped loses nothing while the database answers.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.audit.anchors import AnchorFile
from gateway.audit.chain import Chain, Link, Place, new_name
from gateway.audit.entry import BEGAN, ENDED, LOST, Entry, microseconds
from gateway.audit.store import AuditStore
from kernel.clock import Clock
from kernel.sections.audit import Audit as Settings

BATCH = 500  # entries in one transaction
HEADS = 16  # chains whose ends a new one begins with
DEADLINE = 10.0  # seconds for one transaction, and for the last ones of an orderly end


class AuditLog(Collector):
    """The chain of this process."""

    def __init__(
        self, store: AuditStore, key: bytes, anchors: AnchorFile, clock: Clock, settings: Settings, registry: CollectorRegistry,
        *, deadline: float = DEADLINE,
    ) -> None:  # fmt: skip
        self._store, self._anchors, self._clock, self._settings = store, anchors, clock, settings
        self._deadline = deadline
        self._chain = Chain(key, new_name(clock.now()))
        self._waiting: deque[Entry] = deque()
        self._sealed: list[Link] = []  # in their place, and not known to be written
        self._written: Link | None = None
        self._anchored = -1
        self._anchor_at = float("-inf")
        self._lost = self._untold = 0
        self._failing = self._began = False
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        registry.register(self)

    @property
    def chain(self) -> str:
        return self._chain.name

    def now(self) -> int:
        return microseconds(self._clock.now())

    def admits(self) -> bool:
        """Whether something may be done that has to be written down afterwards."""
        return self._settings.on_failure == "drop_and_count" or len(self._waiting) < self._settings.buffer

    def add(self, entry: Entry, *, admitted: bool = False) -> None:
        """`admitted`: of a write that `admits` let in; there are no more of these beyond the buffer than calls under way."""
        refuses = self._settings.on_failure == "refuse_writes"
        if len(self._waiting) < self._settings.buffer or (admitted and refuses):
            self._waiting.append(entry)
        else:
            self._lost += 1
            self._untold += 1

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Writes what waits, for DEADLINE seconds at most, and ends the chain."""
        if self._task is None:
            return
        self._stopping.set()
        await self._task
        if self._sealed or self._waiting:
            missing = len(self._sealed) + len(self._waiting)
            structlog.get_logger("audit").error("audit entries were not written before the end", entries=missing)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self._flush()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._settings.every)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._deadline):
                await self._finish()

    async def _finish(self) -> None:
        """Tries again until all is written: the deadline around it ends that."""
        while self._waiting or self._sealed or not self._began:
            await self._flush()
            if self._failing:
                await asyncio.sleep(self._settings.every)
        self._sealed.append(self._chain.add(Entry(self.now(), ENDED)))
        while self._sealed:
            await self._flush()
            if self._failing:
                await asyncio.sleep(self._settings.every)
        self._anchor()

    async def _flush(self) -> None:
        """Everything that waits, in as many transactions as it takes; stops at the first that fails."""
        try:
            await self._begin()
            while self._waiting or self._sealed or self._untold:
                self._seal()
                async with asyncio.timeout(self._deadline):
                    await self._store.append(self._sealed)
                self._written, self._sealed, self._failing = self._sealed[-1], [], False
            if self._clock.monotonic() >= self._anchor_at:
                self._anchor()
        except Exception as error:  # whatever the driver raises: what was not written waits
            if not self._failing:
                structlog.get_logger("audit").error("the audit log cannot be written", error=type(error).__name__)
            self._failing = True

    async def _begin(self) -> None:
        if self._began:
            return
        async with asyncio.timeout(self._deadline):
            heads = await self._store.heads(HEADS)
        before = {head.chain: [head.seq, head.seal] for head in heads}
        self._sealed.append(self._chain.add(Entry(self.now(), BEGAN, about={"before": before})))
        self._began = True

    def _seal(self) -> None:
        """Gives entries their places. Those that have one keep it, whether or not they were written."""
        while self._waiting and len(self._sealed) < BATCH:
            self._sealed.append(self._chain.add(self._waiting.popleft()))
        if self._untold and not self._waiting:
            self._sealed.append(self._chain.add(Entry(self.now(), LOST, about={"entries": self._untold})))
            self._untold = 0

    def _anchor(self) -> None:
        last = self._written
        if last is None or last.seq == self._anchored:
            return
        self._anchor_at = self._clock.monotonic() + self._settings.anchors
        try:
            self._anchors.write(Place(last.chain, last.seq, last.seal), self._clock.now())
            self._anchored = last.seq
        except OSError as error:
            structlog.get_logger("audit").error("an audit anchor cannot be written", error=error.strerror)

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily("trivium_audit_entries_lost", "Audit entries given up.", self._lost)
        waiting = len(self._waiting) + len(self._sealed)
        yield GaugeMetricFamily("trivium_audit_entries_waiting", "Audit entries not in the database yet.", waiting)

    def describe(self) -> Iterable[Metric]:
        return ()
