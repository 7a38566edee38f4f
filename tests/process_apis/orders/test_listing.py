"""Orders are listed newest first, a page at a time, by state or by customer."""

from datetime import timedelta

import pytest

from contracts.models.intake import OrderState
from contracts.models.operation import Reason
from kernel.problem import PlatformDown

WHY = Reason(reason="the customer withdrew")


@pytest.fixture
async def three(submit, world):
    """Q-1003 and a copy of it for Harbor, Q-1010 for Rheinblick, a minute apart."""
    world.crm.quotes["0Q02003"] = world.quote("Q-1003").model_copy(update={"number": "Q-2003"})
    orders = []
    for number in ("Q-1003", "Q-1010", "Q-2003"):
        orders.append((await submit(number)).id)
        world.clock.pass_(timedelta(minutes=1))
    return orders


async def ids(listing):
    return [order.id for order in (await listing).items]


async def test_the_newest_comes_first(desk, three):
    assert await ids(desk.list_orders()) == list(reversed(three))


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_following_the_cursor_shows_each_order_once(desk, three, limit):
    seen, cursor, pages = [], None, 0
    while cursor is not None or pages == 0:
        page = await desk.list_orders(cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        seen, cursor, pages = seen + [order.id for order in page.items], page.next, pages + 1

    assert seen == list(reversed(three))
    assert pages == -(-3 // limit)


async def test_orders_of_the_same_instant_are_paged_without_loss(desk, submit, world):
    world.crm.quotes["0Q02003"] = world.quote("Q-1003").model_copy(update={"number": "Q-2003"})
    made = {(await submit(number)).id for number in ("Q-1003", "Q-2003", "Q-1010")}
    first = await desk.list_orders(limit=2)
    second = await desk.list_orders(limit=2, cursor=first.next)

    assert {order.id for order in first.items + second.items} == made


async def test_a_customer_is_shown_its_own(desk, three):
    assert await ids(desk.list_orders(customer_key="ACC-1003")) == [three[2], three[0]]
    assert await ids(desk.list_orders(customer_key="ACC-9999")) == []


async def test_a_state_is_the_one_that_is_shown(desk, three, submit, world):
    world.change_quote("Q-1011", lines=world.quote("Q-1003").lines, total=world.quote("Q-1003").total)
    world.traffic.fail("billing", PlatformDown("down"))
    held = (await submit("Q-1011")).id
    world.traffic.heal("billing")
    await desk.cancel_order(three[0], WHY, "key-cancel")

    assert await ids(desk.list_orders(state=OrderState.HELD)) == [held]
    assert await ids(desk.list_orders(state=OrderState.COMPLETED)) == [three[2], three[1]]


async def test_every_state_can_be_asked_for(desk, three):
    for state in OrderState:
        listed = await desk.list_orders(state=state)
        assert {order.state for order in listed.items} <= {state}
