"""Replaying: what was done is not done again, what was told is told the same, whichever process tells it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel import context
from kernel.durable.patience import Patience
from kernel.durable.port import Run, RunState
from kernel.problem import Refused
from tests.kernel.durable.places import QUICK, Place, asked, until
from tests.kernel.durable.stories import Request, Result, Vendor, order


async def test_finished_steps_are_not_performed_again_after_a_restart(place: Place) -> None:
    vendor = Vendor()
    moments: list[datetime] = []
    seen: list[str] = []

    async def story(run: Run, request: Request) -> Result:
        made = await run.step("erp.create", vendor.makes("customer"), Result, undo=vendor.unmake)
        moments.append(await run.now())
        await run.note(customer=made.id, at=moments[-1])

        async def last(key: str) -> Result:
            seen.append(context.correlation_id.get())
            return await vendor.makes("references")(key)

        vendor.failures = [Refused("the CRM says no")] if len(vendor.calls) == 1 else []
        return await run.step("crm.write", last, Result)

    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        held = await durable.wait("order:Q-1", 10)
    async with place.engine(order=story) as durable:
        still = await durable.wait("order:Q-1", 10)
        await durable.release("order:Q-1", "ann")
        done = await durable.wait("order:Q-1", 10)
        shown = await durable.get("order:Q-1")

    assert (held.state, still.state, done.state) == (RunState.HELD, RunState.HELD, RunState.COMPLETED)
    assert vendor.times == {"order:Q-1:erp.create": 1, "order:Q-1:crm.write": 2}
    assert len(moments) == 2
    assert moments[0] == moments[1]
    assert done.facts == {"customer": "customer", "at": moments[0].isoformat().replace("+00:00", "Z")}
    assert seen == ["corr-1", "corr-1"]
    assert shown is not None
    assert [(step.name, step.attempts) for step in shown.steps] == [("erp.create", 1), ("crm.write", 2)]


async def test_a_step_in_flight_at_the_end_of_a_process_is_attempted_again_under_its_key(place: Place) -> None:
    keys: list[str] = []
    inside = asyncio.Event()

    async def story(run: Run, request: Request) -> Result:
        async def call(key: str) -> Result:
            keys.append(key)
            inside.set()
            if len(keys) == 1:
                await asyncio.Event().wait()
            return Result(id=key)

        return await run.step("erp.create", call, Result)

    async with place.engine(order=story) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await inside.wait()
    async with place.engine(order=story) as durable:
        done = await durable.wait("order:Q-1", 10)

    assert done.state is RunState.COMPLETED
    assert keys == ["order:Q-1:erp.create"] * 2


async def test_a_step_about_to_end_is_finished_before_the_process_closes(place: Place) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()
    calls: list[str] = []

    async def story(run: Run, request: Request) -> Result:
        async def call(key: str) -> Result:
            calls.append(key)
            inside.set()
            await go_on.wait()
            return Result(id=key)

        await run.step("erp.create", call, Result)
        return await run.step("billing.create", call, Result)

    async with place.engine(order=story, patience=Patience(tend_every=0.1, closing=10)) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await inside.wait()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
    async with place.engine(order=story) as durable:
        done = await durable.wait("order:Q-1", 10)

    assert done.state is RunState.COMPLETED
    assert calls == ["order:Q-1:erp.create", "order:Q-1:billing.create"]


async def test_a_story_that_stumbles_is_held_and_told_again_once_corrected(place: Place) -> None:
    vendor = Vendor()

    async def wrong(run: Run, request: Request) -> Result:
        made = await run.step("erp.create", vendor.makes("customer"), Result, undo=vendor.unmake)
        return Result(id=made.nonsense)  # type: ignore[attr-defined]

    async with place.engine(order=wrong) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        held = await durable.wait("order:Q-1", 10)
    async with place.engine(order=order(vendor, "erp.create")) as durable:
        done = await until(durable, "order:Q-1", RunState.COMPLETED)

    assert held.state is RunState.HELD
    assert held.problem is not None
    assert "AttributeError" in held.problem["detail"]
    assert (done.state, done.problem) == (RunState.COMPLETED, None)
    assert vendor.calls == ["order:Q-1:erp.create"]


async def test_a_story_that_stumbles_can_be_cancelled_and_is_undone(place: Place) -> None:
    vendor = Vendor()

    async def wrong(run: Run, request: Request) -> Result:
        await run.step("erp.create", vendor.makes("customer"), Result, undo=vendor.unmake)
        raise ZeroDivisionError

    async with place.engine(order=wrong) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await until(durable, "order:Q-1", RunState.HELD)
        await durable.release("order:Q-1", "ann")
        again = await until(durable, "order:Q-1", RunState.HELD)
        await durable.cancel("order:Q-1", "ann", "hopeless")
        ended = await durable.wait("order:Q-1", 10)

    assert again.problem is not None
    assert (ended.state, ended.reason, ended.problem) == (RunState.CANCELLED, "hopeless (ann)", None)
    assert vendor.calls == ["order:Q-1:erp.create", "order:Q-1:undo-erp.create"]


async def test_a_story_changed_under_its_run_is_held_with_nothing_undone(place: Place) -> None:
    vendor = Vendor()

    def waits(*names: str) -> Callable[[Run, Request], Awaitable[Result]]:
        async def story(run: Run, request: Request) -> Result:
            made = await order(vendor, *names)(run, request)
            await run.decision("credit terms", Result, timedelta(days=5))
            return made

        return story

    async with place.engine(order=waits("erp.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await durable.wait("order:Q-1", 10)
    async with place.engine(order=waits("renamed.create")) as durable:
        changed = await until(durable, "order:Q-1", RunState.HELD)
    async with place.engine(order=waits("erp.create")) as durable:
        waiting = await until(durable, "order:Q-1", RunState.WAITING)
        await durable.signal("order:Q-1", "credit terms", Result(id="net 30"), once="1")
        done = await durable.wait("order:Q-1", 10)

    assert changed.problem is not None
    assert "DBOSUnexpectedStepError" in changed.problem["detail"]
    assert (waiting.waiting_for, waiting.problem) == ("credit terms", None)
    assert done.state is RunState.COMPLETED
    assert vendor.calls == ["order:Q-1:erp.create"]


@pytest.mark.parametrize("second", ["create order", "create-order", "undo create order", "undo-create-order"])
async def test_no_two_steps_share_an_idempotency_key(embedded: Place, second: str) -> None:
    vendor = Vendor()
    async with embedded.engine(order=order(vendor, "create order", second)) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        held = await durable.wait("order:Q-1", 10)

    assert held.state is RunState.HELD
    assert vendor.calls == ["order:Q-1:create-order"]


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(refusals=st.lists(st.booleans(), min_size=1, max_size=4), restarts=st.sets(st.integers(0, 3)))
async def test_any_mix_of_refusals_and_restarts_has_each_effect_once(
    embedded: Place, refusals: list[bool], restarts: set[int]
) -> None:
    key, data = "Q-1", embedded.data / str(uuid4())
    place = Place(f"sqlite:///{data / 'trivium.sqlite'}", data)
    names = [f"step.{n}" for n in range(len(refusals))]
    refused = {f"order:{key}:{name}" for name, no in zip(names, refusals, strict=True) if no}
    done: list[str] = []

    async def story(run: Run, request: Request) -> Result:
        for name in names:

            async def call(step_key: str) -> Result:
                if step_key in refused:
                    refused.discard(step_key)
                    raise Refused("not yet")
                done.append(step_key)
                return Result(id=step_key)

            await run.step(name, call, Result)
        return Result(id="all")

    state = RunState.RUNNING
    for turn in range(12):
        async with place.engine(order=story, patience=QUICK) as durable:
            await durable.start("order", key, Request(), asked(key))
            while (state := (await durable.wait(f"order:{key}", 10)).state) is RunState.HELD:
                await durable.release(f"order:{key}", "ann")
                if turn in restarts:
                    break
        if state is RunState.COMPLETED:
            break

    assert state is RunState.COMPLETED
    assert list(dict.fromkeys(done)) == [f"order:{key}:{name}" for name in names]
