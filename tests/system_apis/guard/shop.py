"""A port, and a platform behind it whose faults, losses and crashes the test chooses."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from contracts.models.base import Id, Key, Model
from contracts.ports.effects import Capability, Safety, creates, reads, sets
from kernel.problem import OutcomeUnknown, PlatformBusy, PlatformDown, PlatformTimeout, Problem, Refused


class NewOrder(Model):
    key: Key
    amount: str = "10.00"


class Order(Model):
    id: Id
    key: Key
    amount: str


class Shop(Protocol):
    @reads
    async def find_order(self, key: Key) -> Order | None: ...

    @sets
    async def close_order(self, order_id: Id) -> Order: ...

    @creates(found_by=lambda port, new: port.find_order(new.key))
    async def create_order(self, new: NewOrder, idempotency_key: str) -> Order: ...

    @creates(found_by=lambda port, new: port.find_order(new.key), keep_existing=True)
    async def create_customer(self, new: NewOrder, idempotency_key: str) -> Order: ...


class OwnedClock:
    """Time that passes when the test says so; sleeping makes it pass unless somebody is at work."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.busy = 0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if not self.busy:
            self.seconds = round(self.seconds + seconds, 5)  # datetime's precision, and a little less
        await asyncio.sleep(0 if not self.busy else 0.001)


class FreeBudget:
    """No limits; says when a place is asked for."""

    def __init__(self, point: Callable[[], None] = lambda: None) -> None:
        self.point, self.under_way, self.entered = point, 0, 0

    async def enter(self, within: float) -> int:
        self.point()
        await asyncio.sleep(0)
        self.under_way += 1
        self.entered += 1
        return 0

    def leave(self, place: int) -> None:
        self.under_way -= 1


@dataclass
class Record:
    order: Order
    visible_at: float


@dataclass
class Platform:
    """Does what its capability says. `faults` are for the next creates, `read_faults` for the next reads, first come first."""

    capability: Capability
    clock: OwnedClock = field(default_factory=OwnedClock)
    faults: deque[str | Problem | None] = field(default_factory=deque)
    read_faults: deque[Problem | None] = field(default_factory=deque)
    records: list[Record] = field(default_factory=list)
    answers: dict[str, Order | Problem] = field(default_factory=dict)  # by idempotency key
    late: dict[str, tuple[float, NewOrder]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)  # idempotency keys, as they came in
    reads: int = 0
    late_by: float = 3.0  # seconds
    point: Callable[[], None] = lambda: None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)  # set by the first create
    gate: asyncio.Event | None = None

    async def find_order(self, key: Key) -> Order | None:
        self.reads += 1
        self.point()
        await asyncio.sleep(0)
        self.land()
        fault = self.read_faults.popleft() if self.read_faults else None
        if fault is not None:
            raise fault
        if self.capability.safety is Safety.PERSON:
            return None
        there = [r.order for r in self.records if r.order.key == key and r.visible_at <= self.clock.monotonic()]
        return there[0] if there else None

    async def close_order(self, order_id: Id) -> Order:
        if self.read_faults and (fault := self.read_faults.popleft()):
            raise fault
        return next(r.order for r in self.records if r.order.id == order_id)

    async def create_customer(self, new: NewOrder, idempotency_key: str) -> Order:
        return await self.create_order(new, idempotency_key)

    async def create_order(self, new: NewOrder, idempotency_key: str) -> Order:
        self.clock.busy += 1
        try:
            self.keys.append(idempotency_key)
            self.arrived.set()
            self.point()
            await asyncio.sleep(0)
            if self.gate is not None:
                await self.gate.wait()
            order = self.answer(new, idempotency_key)
            self.point()
            await asyncio.sleep(0)
            return order
        finally:
            self.clock.busy -= 1

    def answer(self, new: NewOrder, key: str) -> Order:
        self.land()
        fault = self.faults.popleft() if self.faults else None
        keyed = self.capability.safety is Safety.KEYED
        if keyed and key in self.late:
            raise PlatformBusy("the same key is being worked on")
        if keyed and key in self.answers:
            return self.replay(new, self.answers[key])
        match fault:
            case Problem():
                if self.capability.remembers_failures and fault.ambiguous and not isinstance(fault, PlatformTimeout):
                    self.answers[key] = fault
                raise fault
            case "late" if keyed:
                self.late[key] = (self.clock.monotonic() + self.late_by, new)
                raise OutcomeUnknown("a proxy lost patience")
            case "5xx after effect" | "late":
                order = self.make(new)
                self.answers[key] = OutcomeUnknown("5xx") if self.capability.remembers_failures else order
                raise OutcomeUnknown("5xx")
            case "reply lost":
                self.answers[key] = self.make(new)
                raise PlatformTimeout("no answer")
            case _:
                self.answers[key] = order = self.make(new)
                return order

    def replay(self, new: NewOrder, answer: Order | Problem) -> Order:
        if isinstance(answer, Problem):
            raise answer
        if answer.amount != new.amount:
            raise Refused("the key was used with other parameters")
        return answer

    def make(self, new: NewOrder) -> Order:
        if self.capability.safety is Safety.UPSERT:
            self.records = [r for r in self.records if r.order.key != new.key]
        order = Order(id=f"order-{len(self.keys)}", key=new.key, amount=new.amount)
        self.records.append(Record(order, self.clock.monotonic() + self.capability.look_up_lag))
        return order

    def land(self) -> None:
        """Effects that come after their answer; they are visible at once."""
        for key, (due, new) in list(self.late.items()):
            if due <= self.clock.monotonic():
                del self.late[key]
                self.answers[key] = self.make(new)
                self.records[-1].visible_at = due

    def count(self, key: str) -> int:
        return sum(record.order.key == key for record in self.records)


BUSY, DOWN = PlatformBusy("limit"), PlatformDown("unreachable")
LOST, BROKEN = PlatformTimeout("no answer"), OutcomeUnknown("5xx")
NO = Refused("no")

UPSERT, PERSON = Capability(Safety.UPSERT), Capability(Safety.PERSON)
KEYED, LOOK_UP = Capability(Safety.KEYED), Capability(Safety.LOOK_UP, look_up_lag=4)
REMEMBERING = Capability(Safety.KEYED, remembers_failures=True, look_up_lag=2)

Open = Callable[[Platform], Shop]


def new(amount: str = "10.00") -> NewOrder:
    return NewOrder(key="order-1", amount=amount)
