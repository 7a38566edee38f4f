"""Cancelling: what is under way is undone, what is finished is taken back, and the quote may be ordered again."""

import pytest

from contracts.models.intake import OrderState
from contracts.models.operation import Reason
from kernel.problem import Conflict, NotFound, PlatformDown, Refused

WHY = Reason(reason="the customer withdrew")
NO = Refused("Memory billing: not now", system="stripe", fix="wait for the invoice run to end")


def standing(world):
    """The states of the sales orders and subscriptions there are."""
    return (
        [order.status for order in world.erp.sales_orders.values()],
        [subscription.status for subscription in world.billing.subscriptions.values()],
    )


async def test_cancelling_a_held_order_undoes_its_sales_order(submit, world, desk):
    world.traffic.fail("billing.create_subscription", NO)
    held = await submit("Q-1003")
    order = await desk.cancel_order(held.id, WHY, "key-cancel")

    assert (order.state, order.information_required) == (OrderState.CANCELLED, False)
    assert standing(world) == (["cancelled"], [])
    assert world.crm.written == []


async def test_cancelling_an_order_held_before_it_did_anything_calls_nobody(submit, world, desk):
    world.traffic.fail("erp", PlatformDown("down"))
    held = await submit("Q-1003")
    order = await desk.cancel_order(held.id, WHY, "key-cancel")

    assert order.state is OrderState.CANCELLED
    assert world.traffic.calls["erp.cancel_sales_order"] == 0


async def test_cancelling_a_finished_order_ends_the_subscription_and_closes_the_sales_order(submit, world, desk, durable):
    done = await submit("Q-1003")
    order = await desk.cancel_order(done.id, WHY, "key-cancel")
    taken_back = await durable.get(f"order_cancellation:{done.id}")

    assert (order.state, order.trace) == (OrderState.CANCELLED, done.trace)
    assert standing(world) == (["cancelled"], ["cancelled"])
    assert [step.name for step in taken_back.steps] == ["cancel subscription in billing", "cancel sales order in ERP"]


async def test_a_finished_order_without_subscription_is_taken_back_in_the_erp_alone(submit, world, desk):
    world.change_quote("Q-1003", lines=world.quote("Q-1003").lines[3:])
    done = await submit("Q-1003")
    order = await desk.cancel_order(done.id, WHY, "key-cancel")

    assert (order.state, standing(world)) == (OrderState.CANCELLED, (["cancelled"], []))


@pytest.mark.parametrize("finished", [True, False])
async def test_cancelling_again_changes_nothing(submit, world, desk, finished):
    if not finished:
        world.traffic.fail("billing.create_subscription", NO)
    order = await submit("Q-1003")
    first = await desk.cancel_order(order.id, WHY, "key-cancel")
    calls = dict(world.traffic.calls)
    again = await desk.cancel_order(order.id, Reason(reason="for another reason"), "key-again")

    assert again == first
    assert dict(world.traffic.calls) == calls


async def test_a_cancellation_that_meets_trouble_waits_for_a_person(submit, world, desk):
    done = await submit("Q-1003")
    world.traffic.fail("billing.cancel_subscription", NO)
    order = await desk.cancel_order(done.id, WHY, "key-cancel")

    assert (order.state, order.information_required) == (OrderState.PENDING_CANCELLATION, True)
    assert order.problem["detail"] == NO.detail
    assert standing(world) == (["pending"], ["active"])


async def test_a_held_cancellation_is_released_like_any_order(submit, world, desk):
    done = await submit("Q-1003")
    world.traffic.fail("billing.cancel_subscription", NO, times=1)
    await desk.cancel_order(done.id, WHY, "key-cancel")
    order = await desk.release_order(done.id, Reason(reason="the run has ended"), "key-release")

    assert (order.state, order.problem, order.information_required) == (OrderState.CANCELLED, None, False)
    assert standing(world) == (["cancelled"], ["cancelled"])


async def test_a_rejected_order_leaves_nothing_to_cancel(submit, world, desk):
    world.traffic.fail("erp", PlatformDown("down"))
    held = await submit("Q-1004")
    world.traffic.heal("erp")
    rejected = await desk.release_order(held.id, WHY, "key-release")

    assert rejected.state is OrderState.REJECTED
    with pytest.raises(Conflict, match="has ended without effect"):
        await desk.cancel_order(held.id, WHY, "key-cancel")


@pytest.mark.parametrize("finished", [True, False])
async def test_a_quote_whose_order_was_cancelled_is_ordered_under_the_next_key(submit, world, desk, finished):
    if not finished:
        world.traffic.fail("billing.create_subscription", NO)
    first = await submit("Q-1003", "key-0001")
    await desk.cancel_order(first.id, WHY, "key-cancel")
    world.traffic.heal("billing.create_subscription")
    second = await submit("Q-1003", "key-0002")

    assert (first.id, second.id, second.state) == ("salesforce-0Q01003", "salesforce-0Q01003.2", OrderState.COMPLETED)
    assert [order.key for order in world.erp.sales_orders.values()] == [first.id, second.id]
    assert standing(world)[0] == ["cancelled", "pending"]
    assert (await submit("Q-1003", "key-0001")).id == first.id
    assert (await submit("Q-1003", "key-0003")).id == second.id


async def test_a_quote_whose_order_is_still_being_taken_back_is_not_ordered_again(submit, world, desk):
    first = await submit("Q-1003", "key-0001")
    world.traffic.fail("billing.cancel_subscription", NO)
    await desk.cancel_order(first.id, WHY, "key-cancel")
    again = await submit("Q-1003", "key-0002")

    assert (again.id, again.state) == (first.id, OrderState.PENDING_CANCELLATION)


async def test_an_order_that_does_not_exist_is_not_found(desk):
    for asked in (desk.get_order("nope"), desk.cancel_order("nope", WHY, "key-1234"), desk.release_order("nope", WHY, "key-1234"),
                  desk.get_order_operation("nope")):  # fmt: skip
        with pytest.raises(NotFound, match="there is no order nope"):
            await asked
