"""The shared budget: all processes together stay within it, share it, and outlive each other."""

import asyncio
import sys
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from kernel.clock import SystemClock
from kernel.db import Database
from kernel.problem import PlatformBusy
from kernel.settings import Budget
from system_apis.guard import SharedBudgets

pytestmark = pytest.mark.postgres
WORKER = Path(__file__).with_name("budget_worker.py")
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def url(postgres_url: str) -> str:
    database = Database(postgres_url)
    await database.create_all()
    await database.close()
    return postgres_url


@pytest.fixture
def connection() -> str:
    return f"shop-{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def shared(url: str) -> AsyncIterator[SharedBudgets]:
    budgets = SharedBudgets(url)
    yield budgets
    await budgets.close()


@pytest.fixture
async def other(url: str) -> AsyncIterator[SharedBudgets]:
    """Another process, as far as the database can tell."""
    budgets = SharedBudgets(url)
    yield budgets
    await budgets.close()


def limits(concurrency: int, per_second: int = 10_000, burst: int = 10_000) -> Budget:
    return Budget(concurrency=concurrency, per_second=per_second, burst=burst)


async def worker(*arguments: str) -> Process:
    environment = {"PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(sys.executable, str(WORKER), *arguments, stdout=PIPE, env=environment)


async def test_three_processes_together_never_exceed_the_limit(url: str, connection: str) -> None:
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("create table gauge (now int)")
        database.execute("insert into gauge values (0)")

    processes = [await worker(url, connection, "5", "100") for _ in range(3)]
    outputs = [(await process.communicate())[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert 4 <= max(int(output) for output in outputs) <= 5


async def test_the_slots_of_a_killed_process_are_free_again(url: str, connection: str, shared: SharedBudgets) -> None:
    budget = shared.budget(connection, limits(3))
    holder = await worker(url, connection, "3", "0", "hold")
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"holding\n"
    with pytest.raises(PlatformBusy):
        await budget.enter(0.05)

    holder.kill()
    await holder.communicate()

    for _ in range(3):
        await budget.enter(5)


async def test_a_busy_process_does_not_starve_another(shared: SharedBudgets, other: SharedBudgets, connection: str) -> None:
    budgets = [one.budget(connection, limits(2)) for one in (shared, other)]
    order: list[int] = []
    busy_is_in = asyncio.Event()

    async def call(number: int) -> None:
        place = await budgets[number].enter(20)
        busy_is_in.set()
        order.append(number)
        await asyncio.sleep(0.002)
        budgets[number].leave(place)

    busy = [asyncio.create_task(call(0)) for _ in range(200)]
    await busy_is_in.wait()
    await asyncio.gather(*busy, *(call(1) for _ in range(10)))

    assert max(position for position, number in enumerate(order) if number == 1) < 150


async def test_the_rate_is_shared(shared: SharedBudgets, other: SharedBudgets, connection: str) -> None:
    budgets = [one.budget(connection, limits(50, per_second=100, burst=5)) for one in (shared, other)]
    clock = SystemClock()
    began = clock.monotonic()

    await asyncio.gather(*(budgets[number % 2].enter(20) for number in range(25)))

    assert clock.monotonic() - began >= 19 / 100


async def test_a_cancelled_waiter_takes_no_place(shared: SharedBudgets, other: SharedBudgets, connection: str) -> None:
    budget, rival = shared.budget(connection, limits(1)), other.budget(connection, limits(1))
    place = await budget.enter(5)
    waiter = asyncio.create_task(budget.enter(5))
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter

    budget.leave(place)

    await rival.enter(5)


async def test_after_a_lost_session_nothing_begins_before_what_is_under_way_has_ended(
    url: str, shared: SharedBudgets, connection: str
) -> None:
    budget = shared.budget(connection, limits(2))
    place = await budget.enter(5)
    session = await shared.session()
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("select pg_terminate_backend(%s)", [session.info.backend_pid])

    with pytest.raises(PlatformBusy):
        await budget.enter(0.8)
    budget.leave(place)

    await budget.enter(5)
