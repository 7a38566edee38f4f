"""Whatever fails, is lost, is cancelled or is killed, in any order: never two objects, and one once the faults stop."""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.ports.effects import Capability
from kernel.db import Database
from kernel.problem import Conflict, Problem
from kernel.settings import Connection, Patience
from system_apis.guard import Guard, Journal, NeedsPerson
from tests.system_apis.guard.shop import (
    BROKEN,
    BUSY,
    DOWN,
    KEYED,
    LOOK_UP,
    LOST,
    NO,
    PERSON,
    REMEMBERING,
    UPSERT,
    FreeBudget,
    NewOrder,
    OwnedClock,
    Platform,
    Shop,
)

CAPABILITIES = [UPSERT, KEYED, REMEMBERING, LOOK_UP, PERSON]
FAULTS = ["late", "5xx after effect", "reply lost", LOST, BROKEN, BUSY, DOWN, NO, None]


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, least of all its cleaning up."""


class Doom:
    """After so many steps the task is cancelled, or its process killed. Without a number it lives."""

    def __init__(self, steps: int | None, kind: str) -> None:
        self.steps, self.kind, self.dead = steps, kind, False
        self.task: asyncio.Task[object] | None = None

    def step(self) -> None:
        if self.dead:
            raise Killed
        if self.steps is None:
            return
        self.steps -= 1
        if self.steps > 0:
            return
        self.steps = None
        if self.kind == "cancel" and self.task is not None:
            self.task.cancel()
        elif self.kind == "kill":
            self.dead = True
            raise Killed


class MortalDatabase(Database):
    """A process's view of the database, which may die before and after each commit."""

    doom = Doom(None, "")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.doom.step()
        async with super().transaction() as transaction:
            yield transaction
        self.doom.step()


@dataclass(frozen=True)
class Attempt:
    """One attempt as the test draws it: which faults meet it, when it dies, whether another process tries as well."""

    faults: list[str | Problem | None]
    dies_after: int | None
    death: str
    amount: str
    rivals: int
    pause: int = field(default=0)


attempts = st.builds(
    Attempt,
    faults=st.lists(st.sampled_from(FAULTS), max_size=4),
    dies_after=st.none() | st.integers(1, 14),
    death=st.sampled_from(["cancel", "kill"]),
    amount=st.sampled_from(["10.00", "10.00", "11.00"]),
    rivals=st.sampled_from([0, 0, 1, 2]),
    pause=st.sampled_from([0, 1, 5, 30]),
)


class Story:
    """One platform, one key, and the processes that come and go over one database."""

    def __init__(self, capability: Capability, url: str) -> None:
        self.capability, self.clock = capability, OwnedClock()
        # Other content needs a new key, for which the platform's word on its lag must hold; the same content needs no word.
        self.platform = Platform(capability, clock=self.clock, late_by=capability.look_up_lag)
        self.url, self.databases = url, list[MortalDatabase]()
        self.connection = Connection(
            id=f"shop-{uuid.uuid4().hex[:16]}", vendor="shop", base_url="http://shop", patience=Patience(breaker_failures=1000)
        )

    async def process(self, doom: Doom) -> Shop:
        database = MortalDatabase(self.url)
        database.doom = doom
        self.databases.append(database)
        guard = Guard(
            self.connection,
            budget=FreeBudget(doom.step),
            journal=Journal(database, self.clock),
            clock=self.clock,
            sleep=self.clock.sleep,
        )
        return guard.bind(Shop, self.platform, {"create_order": self.capability, "create_customer": self.capability})

    async def attempt(self, attempt: Attempt) -> None:
        doom = Doom(attempt.dies_after, attempt.death)
        self.platform.faults = deque(attempt.faults)
        self.platform.point = doom.step
        shop = await self.process(doom)
        doom.task = asyncio.create_task(survive(lambda: shop.create_order(self.order(attempt.amount), "k")))
        others = [await self.process(Doom(None, "")) for _ in range(attempt.rivals)]
        tries = [survive(lambda other=other: other.create_order(self.order("10.00"), "r")) for other in others]  # type: ignore[misc]
        await asyncio.gather(doom.task, *tries)
        self.platform.faults.clear()
        self.platform.point = lambda: None
        self.clock.seconds += attempt.pause

    async def until_settled(self) -> None:
        """The faults have stopped: as a durable step does, it is tried again, and a person helps where one is asked."""
        for _ in range(12):
            self.clock.seconds += 30
            shop = await self.process(Doom(None, ""))
            try:
                await shop.create_order(self.order("10.00"), "k-last")
            except Conflict as problem:
                if not isinstance(problem, NeedsPerson):
                    return
                await self.declare()
            except Problem as problem:
                if not problem.retryable:
                    raise
            else:
                return
        raise AssertionError("it is never settled")

    async def declare(self) -> None:
        self.platform.land()
        found = [r.order.model_dump() for r in self.platform.records]
        journal = Journal(self.databases[-1], self.clock)
        await journal.declare(self.connection.id, "shop.create_order", "order-1", found[0] if found else None)

    def order(self, amount: str) -> NewOrder:
        return NewOrder(key="order-1", amount=amount)

    def count(self) -> int:
        self.platform.land()
        return self.platform.count("order-1")

    async def close(self) -> None:
        for database in self.databases:
            await database.close()


async def survive(create: Callable[[], object]) -> None:
    with suppress(Problem, Killed, asyncio.CancelledError):
        await create()  # type: ignore[misc]


async def play(capability: Capability, url: str, story: list[Attempt]) -> None:
    stage = Story(capability, url)
    try:
        for attempt in story:
            await stage.attempt(attempt)
            assert stage.count() <= 1
        await stage.until_settled()

        assert stage.count() == 1
    finally:
        await stage.close()


@pytest.fixture
def url(database_url: str) -> str:
    asyncio.run(_create_tables(database_url))
    return database_url


async def _create_tables(url: str) -> None:
    database = Database(url)
    await database.create_all()
    await database.close()


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"{c.safety}{'-remembers' if c.remembers_failures else ''}")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(story=st.lists(attempts, min_size=1, max_size=5))
def test_any_story_ends_with_exactly_one(capability: Capability, url: str, story: list[Attempt]) -> None:
    asyncio.run(play(capability, url, story))
