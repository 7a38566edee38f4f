"""One owner at a time works on a write, and whoever is cancelled, late or without a journal leaves nothing doubled."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.clock import SystemClock
from kernel.db import Database
from kernel.problem import OutcomeUnknown, PlatformTimeout, Unavailable
from kernel.settings import Connection, Patience
from system_apis.guard import Guard, Journal, State
from tests.system_apis.guard.shop import BUSY, LOOK_UP, UPSERT, FreeBudget, Open, OwnedClock, Platform, Shop, new


async def test_of_many_at_once_in_two_processes_one_sends_and_all_get_the_answer(
    connection: Connection, database: Database
) -> None:
    platform, journal = Platform(LOOK_UP), Journal(database, SystemClock())
    guards = [Guard(connection, budget=FreeBudget(), journal=journal) for _ in range(2)]
    shops = [guard.bind(Shop, platform, {"create_order": LOOK_UP, "create_customer": LOOK_UP}) for guard in guards]

    answers = await asyncio.gather(*(shops[n % 2].create_order(new(), f"k{n}") for n in range(50)))

    assert len(platform.keys) == 1
    assert len({answer.id for answer in answers}) == 1


async def test_a_sender_that_another_process_waits_for_is_not_overtaken(process: Open, clock: OwnedClock) -> None:
    platform = Platform(LOOK_UP, gate=asyncio.Event())
    sending = asyncio.create_task(process(platform).create_order(new(), "k"))
    await platform.arrived.wait()
    clock.busy = 0  # let the waiter's time pass

    with pytest.raises(OutcomeUnknown, match="another process") as caught:
        await process(platform).create_order(new(), "k")
    platform.gate.set()

    assert (await sending).key == "order-1"
    assert caught.value.retry_after == 3  # the rest of the lease
    assert len(platform.keys) == 1


async def test_a_cancelled_sender_leaves_the_write_in_doubt_and_free(
    process: Open, journal: Journal, connection: Connection
) -> None:
    platform = Platform(LOOK_UP, gate=asyncio.Event())
    sending = asyncio.create_task(process(platform).create_order(new(), "k"))
    await platform.arrived.wait()

    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    row = await journal.find(connection.id, "shop.create_order", "order-1")
    assert row is not None
    assert (row["state"], row["owner"], row["lease_until"]) == (State.UNKNOWN, None, None)


async def test_an_answer_that_does_not_come_is_a_timeout_and_in_doubt(
    connection: Connection, journal: Journal, database: Database
) -> None:
    impatient = connection.model_copy(update={"patience": Patience(deadline=0.2)})
    platform = Platform(LOOK_UP, gate=asyncio.Event())
    guard = Guard(impatient, budget=FreeBudget(), journal=journal)
    shop = guard.bind(Shop, platform, {"create_order": LOOK_UP, "create_customer": LOOK_UP})

    with pytest.raises(PlatformTimeout):
        await shop.create_order(new(), "k")

    row = await journal.find(connection.id, "shop.create_order", "order-1")
    assert row is not None
    assert row["state"] == State.UNKNOWN


async def test_a_place_that_comes_after_the_deadline_is_not_used(
    connection: Connection, journal: Journal, clock: OwnedClock
) -> None:
    def late() -> None:
        clock.seconds += 100

    platform = Platform(LOOK_UP, clock=clock)
    guard = Guard(connection, budget=FreeBudget(late), journal=journal, clock=clock, sleep=clock.sleep)
    shop = guard.bind(Shop, platform, {"create_order": LOOK_UP, "create_customer": LOOK_UP})

    with pytest.raises(type(BUSY), match="budget"):
        await shop.create_order(new(), "k")
    assert platform.keys == []


async def test_who_lost_the_row_while_pausing_does_not_send_again(
    connection: Connection, journal: Journal, process: Open, clock: OwnedClock
) -> None:
    platform = Platform(LOOK_UP, clock=clock, faults=deque([BUSY]))

    async def sleep_too_long(seconds: float) -> None:
        clock.seconds += 60
        await process(platform).create_order(new(), "other")

    guard = Guard(connection, budget=FreeBudget(), journal=journal, clock=clock, sleep=sleep_too_long)
    shop = guard.bind(Shop, platform, {"create_order": LOOK_UP, "create_customer": LOOK_UP})

    with pytest.raises(OutcomeUnknown, match="taken over"):
        await shop.create_order(new(), "k")
    assert platform.keys == ["k", "k"]  # whoever takes over keeps the key
    assert platform.count("order-1") == 1


class FailingDatabase(Database):
    """Loses its server at the transactions with these numbers, counted from 1."""

    fails_at: frozenset[int] = frozenset()
    count = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.count += 1
        if self.count in self.fails_at:
            raise OperationalError("commit", None, Exception("the server is gone"))
        async with super().transaction() as transaction:
            yield transaction


@pytest.fixture
async def failing(database_url: str, database: Database) -> AsyncIterator[FailingDatabase]:
    opened = FailingDatabase(database_url)
    yield opened
    await opened.close()


async def test_without_a_journal_nothing_is_sent(connection: Connection, failing: FailingDatabase, clock: OwnedClock) -> None:
    failing.fails_at = frozenset({1})
    platform = Platform(UPSERT, clock=clock)
    guard = Guard(connection, budget=FreeBudget(), journal=Journal(failing, clock), clock=clock, sleep=clock.sleep)
    shop = guard.bind(Shop, platform, {"create_order": UPSERT, "create_customer": UPSERT})

    with pytest.raises(Unavailable, match="journal") as caught:
        await shop.create_order(new(), "k")
    assert caught.value.retryable
    assert platform.keys == []


async def test_an_answer_that_the_journal_did_not_take_is_found_again(
    connection: Connection, failing: FailingDatabase, clock: OwnedClock
) -> None:
    failing.fails_at = frozenset({2, 3})
    platform = Platform(LOOK_UP, clock=clock)
    guard = Guard(connection, budget=FreeBudget(), journal=Journal(failing, clock), clock=clock, sleep=clock.sleep)
    shop = guard.bind(Shop, platform, {"create_order": LOOK_UP, "create_customer": LOOK_UP})

    with pytest.raises(OutcomeUnknown, match="was answered"):
        await shop.create_order(new(), "k")
    order = await shop.create_order(new(), "k")

    assert order.key == "order-1"
    assert len(platform.keys) == 1
