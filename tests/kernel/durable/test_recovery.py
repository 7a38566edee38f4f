"""Recovery: what nobody works on is found, what kills its process is held, what the engine gave up is shown."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.db import Database
from kernel.durable.engine import DbosDurable
from kernel.durable.locks import EngineRefused, Life, life_key
from kernel.durable.patience import Patience
from kernel.durable.port import Run, RunState
from kernel.durable.recovery import Suspicion
from tests.kernel.durable.places import Place, asked
from tests.kernel.durable.stories import Request, Result, Vendor, order

WEAK = Patience(tend_every=0.05, closing=0.0, crashes=1)


class Stuck:
    """A story whose only step hangs until it is healthy; `called` counts the attempts one by one."""

    def __init__(self) -> None:
        self.called, self.healthy, self.calls = asyncio.Semaphore(0), asyncio.Event(), 0

    async def __call__(self, run: Run, request: Request) -> Result:
        async def call(key: str) -> Result:
            self.calls += 1
            self.called.release()
            await self.healthy.wait()
            return Result(id=key)

        return await run.step("erp.create", call, Result)


async def test_a_run_that_takes_its_process_down_again_and_again_is_held(place: Place) -> None:
    story = Stuck()
    async with place.engine(order=story, patience=WEAK) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await story.called.acquire()
    async with place.engine(order=story, patience=WEAK):
        await asyncio.wait_for(story.called.acquire(), 10)
    async with place.engine(order=story, patience=WEAK) as durable:
        held = await durable.wait("order:Q-1", 10)
        found = await durable.search(state=RunState.HELD)
        story.healthy.set()
        await durable.release("order:Q-1", "ann")
        done = await durable.wait("order:Q-1", 10)

    assert held.state is RunState.HELD
    assert held.problem is not None
    assert "ended 1 times in a row" in held.problem["detail"]
    assert [record.id for record in found] == ["order:Q-1"]
    assert story.calls == 3
    assert done.state is RunState.COMPLETED


async def test_a_parked_run_survives_any_number_of_restarts(embedded: Place) -> None:
    told = asyncio.Semaphore(0)

    async def story(run: Run, request: Request) -> Result:
        told.release()
        return await run.decision("credit terms", Result, timedelta(days=5)) or Result(id="nobody")

    async with embedded.engine(order=story, patience=WEAK) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await told.acquire()
        await durable.wait("order:Q-1", 10)
    for _ in range(4):
        async with embedded.engine(order=story, patience=WEAK) as durable:
            await asyncio.wait_for(told.acquire(), 10)
            waiting = await durable.wait("order:Q-1", 10)
            assert waiting.state is RunState.WAITING
    async with embedded.engine(order=story, patience=WEAK) as durable:
        await durable.signal("order:Q-1", "credit terms", Result(id="net 30"), once="1")
        done = await durable.wait("order:Q-1", 10)

    assert done.result == {"id": "net 30"}


async def test_a_run_that_the_engine_ended_is_shown_as_failed(place: Place) -> None:
    story = Stuck()
    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await story.called.acquire()
        # Somebody used DBOS's own tools, or it dead-lettered the workflow.
        durable._host.store.cancel_workflows(["order:Q-1"])
        story.healthy.set()
        ended = await durable.wait("order:Q-1", 10)
        found = await durable.search(state=RunState.FAILED)

    assert ended.problem is not None
    assert "the engine ended this run (cancelled)" in ended.problem["detail"]
    assert [record.id for record in found] == ["order:Q-1"]


async def test_work_that_lost_its_task_is_swept_up(place: Place) -> None:
    story = Stuck()
    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await story.called.acquire()
        for task in list(durable._host._dbos._workflow_tasks):  # type: ignore[union-attr]
            task.cancel()
        story.healthy.set()
        done = await durable.wait("order:Q-1", 15)

    assert done.state is RunState.COMPLETED
    assert story.calls == 2


async def test_losing_every_connection_pauses_a_run_and_changes_nothing(server: Place) -> None:
    def cut() -> None:
        with psycopg.connect(server.url, autocommit=True) as connection:
            others = "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {others}".encode())  # noqa: S608

    async def story(run: Run, request: Request) -> Result:
        async def call(key: str) -> Result:
            await asyncio.to_thread(cut)
            return Result(id=key)

        made = await run.step("erp.create", call, Result)
        await asyncio.to_thread(cut)
        await run.note(made=made.id)
        return made

    async with server.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        done = await durable.wait("order:Q-1", 30)
        shown = await durable.get("order:Q-1")

    assert (done.state, done.facts) == (RunState.COMPLETED, {"made": "order:Q-1:erp.create"})
    assert shown is not None
    assert [(step.state, step.attempts) for step in shown.steps] == [("done", 1)]


async def test_a_second_engine_on_the_same_files_is_refused(embedded: Place) -> None:
    async with embedded.engine(order=order(Vendor(), "erp.create")):
        database = Database(embedded.url)
        second = DbosDurable(database, embedded.data)

        with pytest.raises(EngineRefused, match=r"another engine \(process \d+\) works on"):
            await second.launch()
        await second.close()
        await database.close()


async def test_a_second_engine_in_one_process_is_refused(server: Place) -> None:
    async with server.engine(order=order(Vendor(), "erp.create")):
        database = Database(server.url)
        second = DbosDurable(database, server.data)

        with pytest.raises(EngineRefused, match="close that one first"):
            await second.launch()
        await second.close()
        await database.close()


async def test_a_sign_of_life_lasts_as_long_as_its_connection(server: Place) -> None:
    mine, other = Life(server.url, "mine"), Life(server.url, "other")
    await other.living()
    both = await mine.living()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND ((classid::bigint << 32) | objid::bigint) = %s",
            (life_key("mine"),),
        )
    with pytest.raises(psycopg.OperationalError):
        await mine.living()
    again = await mine.living()
    await other.end()
    async with asyncio.timeout(10):  # the server notices the end of a connection in its own time
        while life_key("other") in (alone := await mine.living()):
            pass
    await mine.end()

    assert {life_key("mine"), life_key("other")} <= both
    assert {life_key("mine"), life_key("other")} <= again
    assert life_key("mine") in alone


@given(st.lists(st.sets(st.sampled_from("abc")), max_size=12), st.integers(1, 4))
def test_a_suspect_is_confirmed_exactly_when_seen_so_many_passes_in_a_row(passes: list[set[str]], needed: int) -> None:
    suspicion = Suspicion(needed)
    confirmed = [set(suspicion.confirmed(seen)) for seen in passes]

    for n, found in enumerate(confirmed):
        last = passes[max(0, n + 1 - needed) : n + 1]
        assert found == (set.intersection(*last) if len(last) == needed else set())
