"""The budget of a deployment of many processes: never more calls under way than slots, whoever lives or dies.

Each process asks PostgreSQL for all its waiting calls at once, so load costs it fewer statements a call, not more.
"""

import asyncio
import random
from collections import deque
from contextlib import suppress

import psycopg
import structlog

from kernel import settings
from system_apis.guard.budget import no_place
from system_apis.guard.slots import Session, Slots, open_session

_SHORTEST_POLL, _LONGEST_POLL = 0.001, 0.008  # seconds between tries for a slot that others hold
_RECONNECT = 0.25  # seconds
_log = structlog.get_logger("trivium.guard")


class SharedBudgets:
    """All budgets of one process, over one database session of its own. `url` is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._budgets: list[PostgresBudget] = []

    def budget(self, connection: str, budget: settings.Budget) -> "PostgresBudget":
        shared = PostgresBudget(self, connection, budget)
        self._budgets.append(shared)
        return shared

    async def session(self) -> Session:
        """The session, opened again if it was lost; every lock of the old one is gone with it."""
        async with self._opening:
            if self._session is None or self._session.closed:
                for budget in self._budgets:
                    budget.forget()
                self._session = await open_session(self._url)
            return self._session

    async def close(self) -> None:
        for budget in self._budgets:
            await budget.close()
        if self._session is not None:
            await self._session.close()


class PostgresBudget:
    """One connection's share of a process: a queue, and a pump that runs while anybody waits or leaves."""

    def __init__(self, shared: SharedBudgets, connection: str, budget: settings.Budget) -> None:
        self._shared, self._connection = shared, connection
        self._slots, self._per_second = Slots(connection, budget), budget.per_second
        self._queue: deque[asyncio.Future[int]] = deque()
        self._held: set[int] = set()  # locked by our session
        self._in_use: set[int] = set()
        self._strays = 0  # calls under way whose locks were lost with an old session
        self._queued = False
        self._not_before = 0.0  # loop time until which no slot is tried
        self._changed = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    async def enter(self, within: float) -> int:
        place: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        self._wake()
        try:
            async with asyncio.timeout(within):
                return await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self.leave(place.result())  # it was granted in the moment of giving up
            if isinstance(error, TimeoutError):
                raise no_place(self._connection) from None
            raise

    def leave(self, place: int) -> None:
        if place in self._in_use:
            self._in_use.discard(place)
        else:
            self._strays -= 1
        self._wake()

    def forget(self) -> None:
        """The session is gone: what is under way counts as strays, and nothing begins before they have left."""
        self._strays += len(self._in_use)
        self._held.clear()
        self._in_use.clear()
        self._queued = False

    async def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])

    def _wake(self) -> None:
        self._changed.set()
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run())

    def _waiting(self) -> bool:
        while self._queue and self._queue[0].done():
            self._queue.popleft()
        return bool(self._queue)

    async def _run(self) -> None:
        while self._waiting() or self._held - self._in_use or self._queued:
            try:
                pause = await self._round(await self._shared.session())
            except psycopg.Error as error:
                _log.warning("shared budget cannot be used", connection=self._connection, problem=type(error).__name__)
                pause = _RECONNECT
            if pause > 0:
                await self._rest(pause)

    async def _round(self, session: Session) -> float:
        """One exchange with the database; the seconds to pause before the next, unless something changes here."""
        self._changed.clear()
        left = list(self._held - self._in_use)
        if left and self._waiting() and self._may_try() and await self._slots.alone(session):
            return await self._grant(session, left)
        if left:
            await self._give_back(session, left)
            if self._waiting() and self._may_try():  # rivals wait: they get a moment to take it
                self._hold_off(random.uniform(_SHORTEST_POLL, _LONGEST_POLL))
        if not self._waiting():
            return await self._unqueue(session)
        if self._strays:
            return _LONGEST_POLL
        return await self._try(session) if self._may_try() else self._not_before - self._now()

    async def _try(self, session: Session) -> float:
        free = [slot for slot in range(self._slots.count) if slot not in self._held]
        if not free:
            return 1.0  # every slot is ours: only one of our own calls can free one, and it says so
        got = await self._slots.lock(session, random.sample(free, len(free)), len(self._queue))
        self._held.update(got)
        if got:
            return await self._grant(session, got)
        if not self._queued:
            self._queued = await self._slots.queue(session)
        return random.uniform(_SHORTEST_POLL, _LONGEST_POLL)

    async def _grant(self, session: Session, locked: list[int]) -> float:
        """Hands the slots to those who have waited longest, as far as there are tokens."""
        wanted = min(len(locked), len(self._queue))
        granted, tokens = await self._slots.spend(session, wanted)
        for slot in locked[:granted]:
            if self._waiting():
                self._in_use.add(slot)
                self._queue.popleft().set_result(slot)
        unused = [slot for slot in locked if slot not in self._in_use]
        if unused:
            await self._give_back(session, unused)
        if granted < wanted:
            self._hold_off((1 - tokens) / self._per_second)
        return 0

    async def _give_back(self, session: Session, slots: list[int]) -> None:
        self._held.difference_update(slots)
        await self._slots.unlock(session, slots)

    async def _unqueue(self, session: Session) -> float:
        if self._queued:
            self._queued = False
            await self._slots.unqueue(session)
        return 0

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _may_try(self) -> bool:
        return self._now() >= self._not_before

    def _hold_off(self, seconds: float) -> None:
        self._not_before = self._now() + seconds

    async def _rest(self, pause: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._changed.wait()
