"""Holding: a run that needs a person waits for one, keeps its key, and is never lost."""

import pytest

from kernel.durable.patience import Patience
from kernel.durable.port import RunState
from kernel.problem import Conflict, PlatformDown, Refused
from tests.kernel.durable.places import QUICK, Place, asked
from tests.kernel.durable.stories import Request, Vendor, order


async def test_a_retryable_problem_is_repeated_under_the_same_key(place: Place) -> None:
    vendor = Vendor(PlatformDown("erp: down"), PlatformDown("erp: down"))
    async with place.engine(order=order(vendor, "erp.create"), patience=Patience(first_pause=0.01)) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        done = await durable.wait("order:Q-1", 10)
        shown = await durable.get("order:Q-1")

    assert done.state is RunState.COMPLETED
    assert vendor.times == {"order:Q-1:erp.create": 3}
    assert shown is not None
    assert [(step.state, step.attempts) for step in shown.steps] == [("done", 3)]


async def test_a_platform_that_stays_down_holds_the_run_once_the_budget_is_spent(place: Place) -> None:
    vendor = Vendor(*[PlatformDown("erp: down") for _ in range(1000)])
    async with place.engine(order=order(vendor, "erp.create"), patience=QUICK) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        held = await durable.wait("order:Q-1", 10)
        tried = len(vendor.calls)
        vendor.failures.clear()
        released = await durable.release("order:Q-1", "ann")
        done = await durable.wait("order:Q-1", 10)
        shown = await durable.get("order:Q-1")

    assert held.state is RunState.HELD
    assert held.problem is not None
    assert held.problem["type"] == "urn:trivium:problem:platform-down"
    assert tried > 2
    assert released.state is not RunState.HELD
    assert released.problem is None
    assert (done.state, done.problem) == (RunState.COMPLETED, None)
    assert vendor.times == {"order:Q-1:erp.create": tried + 1}
    assert shown is not None
    assert [(step.state, step.attempts) for step in shown.steps] == [("done", tried + 1)]


async def test_a_refusal_holds_the_run_at_once_and_says_why(place: Place) -> None:
    vendor = Vendor(Refused("NetSuite: the period is closed", system="netsuite", fix="open the period"))
    async with place.engine(order=order(vendor, "erp.create", "billing.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        held = await durable.wait("order:Q-1", 10)
        shown = await durable.get("order:Q-1")
        listed = await durable.search(state=RunState.HELD)

    assert held.state is RunState.HELD
    assert held.problem is not None
    assert (held.problem["detail"], held.problem["fix"]) == ("NetSuite: the period is closed", "open the period")
    assert [record.id for record in listed] == ["order:Q-1"]
    assert shown is not None
    assert [(step.name, step.state, step.problem) for step in shown.steps] == [("erp.create", "held", held.problem)]
    assert vendor.calls == ["order:Q-1:erp.create"]


async def test_an_unexpected_exception_holds_the_run_and_keeps_its_message_to_the_log(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    vendor = Vendor(KeyError("secret-token"))
    async with place.engine(order=order(vendor, "erp.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        held = await durable.wait("order:Q-1", 10)
        await durable.release("order:Q-1", "ann")
        done = await durable.wait("order:Q-1", 10)

    assert held.problem is not None
    assert held.problem["type"] == "urn:trivium:problem:internal"
    assert "KeyError" in held.problem["detail"]
    assert "secret-token" not in str(held.problem)
    assert "secret-token" in caplog.text
    assert done.state is RunState.COMPLETED


async def test_a_held_step_can_be_released_again_and_again(place: Place) -> None:
    vendor = Vendor(Refused("no"), Refused("still no"), Refused("no, really"))
    async with place.engine(order=order(vendor, "erp.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        reasons = []
        for _ in range(3):
            held = await durable.wait("order:Q-1", 10)
            reasons.append(held.problem and held.problem["detail"])
            await durable.release("order:Q-1", "ann")
        done = await durable.wait("order:Q-1", 10)

    assert reasons == ["no", "still no", "no, really"]
    assert done.state is RunState.COMPLETED
    assert vendor.times == {"order:Q-1:erp.create": 4}


async def test_only_a_held_run_can_be_released(place: Place) -> None:
    async with place.engine(order=order(Vendor(), "erp.create")) as durable:
        await durable.start("order", "Q-1", Request(), asked())
        await durable.wait("order:Q-1", 10)

        with pytest.raises(Conflict, match="not held"):
            await durable.release("order:Q-1", "ann")
