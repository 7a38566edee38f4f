"""What the runs of this process share: who is moving, who is to stop, who waits for whom; all of it can be lost without harm."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from kernel.clock import Clock
from kernel.durable.host import Host
from kernel.durable.index import RunIndex
from kernel.durable.orders import Orders
from kernel.durable.patience import Patience


class Runtime:
    """The parts a run needs, and the in-memory signs between runs, waiters and the engine; one event loop."""

    def __init__(self, index: RunIndex, host: Host, patience: Patience, clock: Clock) -> None:
        self.index, self.host, self.patience, self.clock = index, host, patience, clock
        self.orders = Orders(index)
        self.stops: dict[str, Mapping[str, str]] = {}
        self.moving: set[str] = set()  # executing here and not parked: whoever waits for it will be told
        self.fresh: set[str] = set()  # started by this process just now: nothing to recover
        self.doing: dict[str, tuple[str, datetime]] = {}
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self.closing = False

    def announce(self, run_id: str) -> None:
        """Tells this process that the run parked, ended, or was told something."""
        for event in self._watchers.get(run_id, ()):
            event.set()

    async def news(self, run_id: str, seconds: float) -> None:
        """Returns at the next announcement, or when the time is over."""
        event = asyncio.Event()
        self._watchers.setdefault(run_id, set()).add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._watchers[run_id].discard(event)
            if not self._watchers[run_id]:
                del self._watchers[run_id]

    async def admit(self) -> None:
        """Before every operation of the engine: once it closes, executions stop here and the next launch goes on from there."""
        if self.closing:
            await asyncio.Event().wait()  # until this task is cancelled

    @asynccontextmanager
    async def working(self, run_id: str, step: str) -> AsyncIterator[None]:
        """Around each step and the record of it: `close` waits for those inside and admits no more."""
        await self.admit()
        self.doing[run_id] = (step, self.clock.now())
        self._idle.clear()
        try:
            yield
        finally:
            self.doing.pop(run_id, None)
            if not self.doing:
                self._idle.set()

    async def drain(self) -> None:
        """Admits no more steps and waits a while for those in flight."""
        self.closing = True
        for run_id in list(self._watchers):
            self.announce(run_id)
        try:
            async with asyncio.timeout(self.patience.closing):
                await self._idle.wait()
        except TimeoutError:
            pass

    async def deliver(self, run_id: str | None = None) -> None:
        """Hands accepted orders to the engine; those of a run whose workflow is not started yet stay for later."""
        messages = await self.orders.due(run_id)
        if run_id is None and messages:
            known = await self.host.statuses(sorted({message["run_id"] for message in messages}))
            messages = [message for message in messages if message["run_id"] in known]
        for message in messages:
            await self.host.send(message["run_id"], message["topic"], message["body"], message["once"])
            await self.orders.delivered(message)
