"""Stopping: what was done is undone, last first, and an undo that fails is a person's business, never skipped."""

import asyncio
from datetime import timedelta

import pytest

from kernel.durable.patience import Patience
from kernel.durable.port import Run, RunState, Stop
from kernel.problem import Conflict, PlatformDown, Refused
from tests.kernel.durable.places import Place, asked
from tests.kernel.durable.stories import Request, Result, Vendor, order

UNDONE = ["order:Q-1:undo-billing.create", "order:Q-1:undo-erp.create"]


async def test_cancelling_a_held_run_undoes_what_was_done(place: Place) -> None:
    vendor = Vendor()

    async def story(run: Run, request: Request) -> Result:
        await order(vendor, "erp.create", "billing.create")(run, request)
        vendor.failures = [Refused("the CRM says no")]
        return await run.step("crm.write", vendor.makes("references"), Result, undo=vendor.unmake)

    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        held = await durable.wait("order:Q-1", 10)
        await durable.cancel("order:Q-1", "ann", "customer withdrew")
        ended = await durable.wait("order:Q-1", 10)
        shown = await durable.get("order:Q-1")

        with pytest.raises(Conflict):
            await durable.cancel("order:Q-1", "ann", "again")

    assert held.state is RunState.HELD
    assert (ended.state, ended.reason) == (RunState.CANCELLED, "customer withdrew (ann)")
    assert vendor.calls[-2:] == UNDONE
    assert shown is not None
    assert {step.name: step.state for step in shown.steps} == {
        "erp.create": "undone",
        "billing.create": "undone",
        "crm.write": "given up",
        "undo billing.create": "done",
        "undo erp.create": "done",
    }


async def test_cancelling_a_waiting_run_does_not_wait_for_the_decision(place: Place) -> None:
    vendor = Vendor()

    async def story(run: Run, request: Request) -> Result:
        made = await run.step("erp.create", vendor.makes("customer"), Result, undo=vendor.unmake)
        await run.decision("credit terms", Result, within=timedelta(days=5))
        return made

    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        waiting = await durable.wait("order:Q-1", 10)
        await durable.cancel("order:Q-1", "ann", "duplicate")
        ended = await durable.wait("order:Q-1", 10)

    assert (waiting.state, waiting.waiting_for) == (RunState.WAITING, "credit terms")
    assert (ended.state, ended.waiting_for) == (RunState.CANCELLED, None)
    assert vendor.calls[-1] == "order:Q-1:undo-erp.create"


async def test_cancelling_a_moving_run_stops_it_before_its_next_step(place: Place) -> None:
    vendor, inside, go_on = Vendor(), asyncio.Event(), asyncio.Event()

    async def story(run: Run, request: Request) -> Result:
        async def slow(key: str) -> Result:
            inside.set()
            await go_on.wait()
            return Result(id=key)

        await run.step("erp.create", slow, Result, undo=vendor.unmake)
        return await run.step("billing.create", vendor.makes("subscription"), Result, undo=vendor.unmake)

    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await inside.wait()
        await durable.cancel("order:Q-1", "ann", "customer withdrew")
        go_on.set()
        ended = await durable.wait("order:Q-1", 10)

    assert ended.state is RunState.CANCELLED
    assert vendor.calls == ["order:Q-1:undo-erp.create"]


@pytest.mark.parametrize("asked_here", [True, False])
async def test_a_cancelled_run_is_not_repeated_any_longer(place: Place, asked_here: bool) -> None:
    tried = asyncio.Event()

    async def story(run: Run, request: Request) -> Result:
        async def call(key: str) -> Result:
            tried.set()
            raise PlatformDown("erp: down", retry_after=3600)

        return await run.step("erp.create", call, Result)

    async with place.engine(order=story, patience=Patience(budget=9999, tend_every=0.1)) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await tried.wait()
        # Asked of another process, the cancellation is only a row until this one looks.
        await (durable if asked_here else durable._runtime.orders).cancel("order:Q-1", "ann", "no patience")
        ended = await durable.wait("order:Q-1", 10)

    assert ended.state is RunState.CANCELLED


async def test_a_story_that_stops_itself_ends_in_the_state_it_names(place: Place) -> None:
    vendor = Vendor()

    async def story(run: Run, request: Request) -> Result:
        await order(vendor, "erp.create", "billing.create")(run, request)
        raise Stop(RunState.REFUSED, "finance refused the terms")

    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        ended = await durable.wait("order:Q-1", 10)

    assert (ended.state, ended.reason) == (RunState.REFUSED, "finance refused the terms")
    assert vendor.calls[-2:] == UNDONE


async def test_a_problem_of_the_story_itself_fails_the_run_with_everything_undone(place: Place) -> None:
    vendor = Vendor()

    async def story(run: Run, request: Request) -> Result:
        await order(vendor, "erp.create", "billing.create")(run, request)
        raise Refused("the totals differ", field="total")

    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        ended = await durable.wait("order:Q-1", 10)

    assert ended.state is RunState.FAILED
    assert ended.problem is not None
    assert (ended.problem["detail"], ended.problem["field"]) == ("the totals differ", "total")
    assert vendor.calls[-2:] == UNDONE


async def test_an_undo_that_fails_is_held_for_a_person(place: Place) -> None:
    vendor = Vendor()

    async def story(run: Run, request: Request) -> Result:
        await order(vendor, "erp.create", "billing.create")(run, request)
        vendor.failures = [Refused("invoiced already")] if len(vendor.calls) == 2 else []
        raise Stop(RunState.REFUSED, "finance refused the terms")

    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        held = await durable.wait("order:Q-1", 10)
        with pytest.raises(Conflict, match="undone already"):
            await durable.cancel("order:Q-1", "ann", "whatever")
        await durable.release("order:Q-1", "ann")
        ended = await durable.wait("order:Q-1", 10)

    assert held.state is RunState.HELD
    assert held.problem is not None
    assert held.problem["detail"] == "invoiced already"
    assert ended.state is RunState.REFUSED
    assert vendor.calls[-3:] == [UNDONE[0], UNDONE[0], UNDONE[1]]
