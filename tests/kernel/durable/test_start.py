"""Starting: one key is one run, however often and from however many sides it is asked for."""

import asyncio
from datetime import timedelta

import pytest

from kernel import context
from kernel.clock import SystemClock
from kernel.db import Database
from kernel.durable.index import Opening, RunIndex
from kernel.durable.port import Run, RunState
from kernel.durable.store import Store
from kernel.problem import Conflict, KeyReused, NotFound
from tests.kernel.durable.places import Place, asked
from tests.kernel.durable.stories import Request, Result, Vendor, order


async def test_a_run_completes_with_its_result_and_its_steps(place: Place) -> None:
    vendor = Vendor()
    async with place.engine(order=order(vendor, "erp.create", "billing.create")) as durable:
        started = await durable.start("order", "Q-1", Request(), asked(subject={"quote": "Q-1"}))
        done = await durable.wait(started.id, 10)
        shown = await durable.get(started.id)

    assert started.state is RunState.RUNNING
    assert (done.id, done.state, done.result) == ("order:Q-1", RunState.COMPLETED, {"id": "billing.create of Q-1"})
    assert (done.client, done.correlation_id, done.subject) == ("sales", "corr-1", {"quote": "Q-1"})
    assert shown is not None
    assert [(s.name, s.state, s.attempts) for s in shown.steps] == [("erp.create", "done", 1), ("billing.create", "done", 1)]
    assert all(step.finished_at is not None and step.finished_at >= step.started_at for step in shown.steps)
    assert vendor.calls == ["order:Q-1:erp.create", "order:Q-1:billing.create"]


async def test_many_starts_of_one_key_are_one_run(place: Place) -> None:
    vendor = Vendor()
    async with place.engine(order=order(vendor, "erp.create")) as durable:
        started = await asyncio.gather(*(durable.start("order", "Q-1", Request(), asked()) for _ in range(25)))
        await durable.wait("order:Q-1", 10)
        again = await durable.start("order", "Q-1", Request(), asked())
        found = await durable.search()

    assert {record.id for record in started} == {"order:Q-1"}
    assert again.state is RunState.COMPLETED
    assert vendor.calls == ["order:Q-1:erp.create"]
    assert len(found) == 1


async def test_a_key_is_not_for_two_requests(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked("key-1", "print-1"))

        with pytest.raises(KeyReused):
            await durable.start("order", "Q-1", Request(), asked("key-1", "print-2"))
        with pytest.raises(KeyReused):
            await durable.start("order", "Q-2", Request(), asked("key-1", "print-1"))
        with pytest.raises(Conflict, match="another content"):
            await durable.start("order", "Q-1", Request(), asked("key-2", "print-2"))
        assert (await durable.start("order", "Q-1", Request(), asked("key-3", "print-1"))).id == "order:Q-1"


async def test_a_request_that_started_a_run_finds_it_again_by_its_key(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create")) as durable:
        before = await durable.replayed(asked())
        await durable.start("order", "Q-1", Request(), asked())
        after = await durable.replayed(asked())

        assert before is None
        assert after is not None
        assert after.id == "order:Q-1"
        with pytest.raises(KeyReused):
            await durable.replayed(asked(fingerprint="print-2"))


async def test_a_key_that_joined_a_run_means_that_run_and_nothing_else(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create")) as durable:
        begun = await durable.start("order", "Q-1", Request(), asked())
        joined = await durable.join(begun.id, asked("another-key"))
        again = await durable.replayed(asked("another-key"))

        assert again is not None
        assert (joined.id, again.id) == (begun.id, begun.id)
        with pytest.raises(KeyReused):
            await durable.replayed(asked("another-key", fingerprint="print-2"))


async def test_an_unknown_process_or_run_is_not_found(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create")) as durable:
        with pytest.raises(NotFound):
            await durable.start("refund", "Q-1", Request(), asked())
        with pytest.raises(NotFound):
            await durable.wait("order:none", 1)
        with pytest.raises(NotFound):
            await durable.release("order:none", "ann")
        assert await durable.get("order:none") is None


async def test_a_run_recorded_but_never_begun_is_begun_by_the_sweep(place: Place) -> None:
    vendor = Vendor()
    database = Database(place.url)
    await database.create_all()
    await database.close()
    store = Store(database)
    index = RunIndex(store, SystemClock())
    opening = Opening("order", "Q-1", Request().model_dump_json(), "sales", "print-1", "corr-1", index.now() - 60_000_000)
    await index.open(opening, "key-1")
    store.close()

    async with place.engine(order=order(vendor, "erp.create")) as durable:
        done = await durable.wait("order:Q-1", 10)

    assert done.state is RunState.COMPLETED
    assert vendor.calls == ["order:Q-1:erp.create"]


async def test_waiting_ends_with_the_time_given(place: Place) -> None:
    answer = asyncio.Event()

    async def slow(run: Run, request: Request) -> Result:
        async def call(key: str) -> Result:
            await answer.wait()
            return Result(id=key)

        return await run.step("erp.create", call, Result)

    async with place.engine(order=slow) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        early = await durable.wait("order:Q-1", 0.1)
        shown = await durable.get("order:Q-1")
        answer.set()
        late = await durable.wait("order:Q-1", 10)

    assert (early.state, late.state) == (RunState.RUNNING, RunState.COMPLETED)
    assert shown is not None
    assert [(step.name, step.state) for step in shown.steps] == [("erp.create", "running")]


@pytest.mark.parametrize("accounts", [None, [], ["salesforce/1", "salesforce/2"]])
async def test_a_step_knows_for_whom_it_works(place: Place, accounts: list[str] | None) -> None:
    seen: list[tuple[str, context.Principal]] = []

    async def story(run: Run, request: Request) -> Result:
        async def call(key: str) -> Result:
            seen.append((context.correlation_id.get(), context.caller.get()))
            return Result(id=key)

        return await run.step("erp.create", call, Result)

    context.correlation_id.set("the caller's own")
    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked(accounts=accounts, partner="acme"))
        await durable.wait("order:Q-1", 10)

    may_see = None if accounts is None else frozenset(accounts)
    assert seen == [("corr-1", context.Someone("sales", may_see, "acme"))]


async def test_a_run_that_is_restored_works_for_whoever_started_it(embedded: Place) -> None:
    seen: list[frozenset[str] | None] = []
    parked = asyncio.Event()

    async def story(run: Run, request: Request) -> Result:
        await run.decision("go on", Result, timedelta(days=1))

        async def call(key: str) -> Result:
            seen.append(context.caller.get().accounts)
            parked.set()
            return Result(id=key)

        return await run.step("erp.create", call, Result)

    async with embedded.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked(accounts=["salesforce/1"], partner="acme"))
        await durable.wait("order:Q-1", 10)
    async with embedded.engine(order=story) as durable:
        await durable.signal("order:Q-1", "go on", Result(id="yes"), once="1")
        async with asyncio.timeout(10):
            await parked.wait()

    assert seen == [frozenset({"salesforce/1"})]


async def test_the_people_of_two_partners_do_not_come_across_each_others_keys(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create")) as durable:
        first = await durable.start("order", "Q-1", Request(), asked(partner="acme"))
        second = await durable.start("order", "Q-2", Request(), asked(fingerprint="print-2", partner="globex"))
        again = await durable.replayed(asked(partner="acme"))
        nobodys = await durable.replayed(asked())

        with pytest.raises(KeyReused):
            await durable.start("order", "Q-2", Request(), asked(fingerprint="print-2", partner="acme"))

    assert (first.key, second.key) == ("Q-1", "Q-2")
    assert again is not None
    assert (again.key, nobodys) == ("Q-1", None)


async def test_what_is_not_among_the_wanted_is_neither_found_nor_a_place_to_go_on_from(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create")) as durable:
        for n in range(1, 7):
            subject = {"account": f"A-{n % 3}"} if n != 6 else {}
            await durable.start("order", f"Q-{n}", Request(quote=f"Q-{n}"), asked(f"key-{n}", subject=subject))
        mine = {"account": ["A-1", "A-2"]}
        found = await durable.search(among=mine, limit=3)
        rest = await durable.search(among=mine, before=found[-1].id)
        nothing = await durable.search(among={"account": []})
        from_anothers = await durable.search(among=mine, before="order:Q-3")
        from_nowhere = await durable.search(among=mine, before="order:Q-99")

    assert [record.key for record in found] == ["Q-5", "Q-4", "Q-2"]
    assert [record.key for record in rest] == ["Q-1"]
    assert list(nothing) == list(from_anothers) == list(from_nowhere) == []


async def test_runs_are_found_newest_first_by_what_they_are_about(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create"), refund=order(Vendor(), "erp.refund")) as durable:
        for n in range(1, 6):
            subject = {"account": f"A-{n % 2}", "quote": f"Q-{n}"}
            await durable.start("order", f"Q-{n}", Request(quote=f"Q-{n}"), asked(f"key-{n}", subject=subject))
            await durable.wait(f"order:Q-{n}", 10)
        await durable.start("refund", "R-1", Request(), asked("key-r"))
        await durable.wait("refund:R-1", 10)
        orders = await durable.search(process="order", limit=2)
        more = await durable.search(process="order", before=orders[-1].id, limit=10)
        about = await durable.search(subject={"account": "A-0"})
        none = await durable.search(state=RunState.HELD)

    assert [record.key for record in orders] == ["Q-5", "Q-4"]
    assert [record.key for record in more] == ["Q-3", "Q-2", "Q-1"]
    assert [record.key for record in about] == ["Q-4", "Q-2"]
    assert none == []
