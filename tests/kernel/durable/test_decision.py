"""Deciding: a decision wakes its run once, in time or not at all."""

import asyncio
from datetime import timedelta

import pytest

from kernel.durable.port import Run, RunState
from kernel.problem import Conflict
from tests.kernel.durable.places import Place, asked, until
from tests.kernel.durable.stories import Request, Result, Vendor, order


def approval(within: timedelta, times: int = 1):  # type: ignore[no-untyped-def]
    async def story(run: Run, request: Request) -> Result:
        answers = [await run.decision("credit terms", Result, within) for _ in range(times)]
        return Result(id=",".join(answer.id if answer else "nobody" for answer in answers))

    return story


async def test_a_decision_wakes_the_run(place: Place) -> None:
    async with place.engine(order=approval(timedelta(days=5))) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        waiting = await durable.wait("order:Q-1", 10)
        await durable.signal("order:Q-1", "credit terms", Result(id="net 30"), once="decision-1")
        done = await durable.wait("order:Q-1", 10)

    assert (waiting.state, waiting.waiting_for) == (RunState.WAITING, "credit terms")
    assert (done.state, done.result, done.waiting_for) == (RunState.COMPLETED, {"id": "net 30"}, None)


async def test_the_same_decision_counts_once(place: Place) -> None:
    async with place.engine(order=approval(timedelta(days=5), times=2)) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await durable.wait("order:Q-1", 10)
        decide = [durable.signal("order:Q-1", "credit terms", Result(id="first"), once="decision-1") for _ in range(8)]
        await asyncio.gather(*decide)
        again = await durable.wait("order:Q-1", 10)
        await durable.signal("order:Q-1", "credit terms", Result(id="first"), once="decision-1")
        still = await durable.wait("order:Q-1", 10)
        await durable.signal("order:Q-1", "credit terms", Result(id="second"), once="decision-2")
        done = await durable.wait("order:Q-1", 10)

    assert (again.state, still.state) == (RunState.WAITING, RunState.WAITING)
    assert done.result == {"id": "first,second"}


async def test_nobody_deciding_in_time_is_an_answer_too(place: Place) -> None:
    async with place.engine(order=approval(timedelta(seconds=0.05))) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        done = await until(durable, "order:Q-1", RunState.COMPLETED)
        with pytest.raises(Conflict):
            await durable.signal("order:Q-1", "credit terms", Result(id="late"), once="decision-1")

    assert done.result == {"id": "nobody"}


async def test_a_run_hears_only_what_it_waits_for(place: Place) -> None:
    async with place.engine(order=approval(timedelta(days=5)), plain=order(Vendor(), "erp.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await durable.start("plain", "Q-1", Request(), asked("key-2"))
        await durable.wait("order:Q-1", 10)
        await durable.wait("plain:Q-1", 10)

        with pytest.raises(Conflict, match="not waiting"):
            await durable.signal("order:Q-1", "another topic", Result(id="x"), once="1")
        with pytest.raises(Conflict, match="not waiting"):
            await durable.signal("plain:Q-1", "credit terms", Result(id="x"), once="1")


async def test_an_answer_accepted_before_a_restart_is_heard_after_it(place: Place) -> None:
    async with place.engine(order=approval(timedelta(days=5))) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await durable.wait("order:Q-1", 10)
        # Accepted in the index, and the process ends before the engine has the message.
        await durable._runtime.orders.signal("order:Q-1", "credit terms", '{"id": "net 30"}', "decision-1")

    async with place.engine(order=approval(timedelta(days=5))) as durable:
        done = await durable.wait("order:Q-1", 10)

    assert done.result == {"id": "net 30"}
