"""Whoever is restricted to certain accounts has their orders and no others; another's order is one that does not exist."""

import asyncio
from datetime import timedelta

import pytest

from contracts.models.intake import NewOrder, OrderState
from contracts.models.operation import CrmRecord, Reason
from kernel.problem import KeyReused, NotFound, PlatformDown, Problem
from tests.process_apis.partners import HARBOR, RHEINBLICK, calling, harbor, rheinblick
from tests.process_apis.platforms.world import quote

WHY = Reason(reason="the customer withdrew")
ORDER, OTHER = "salesforce-0Q01003", "salesforce-0Q01010"


@pytest.fixture
async def both(submit, world):
    """Harbor's order and Rheinblick's, each placed by its own partner, a minute apart."""
    with harbor():
        await submit("Q-1003")
    world.clock.pass_(timedelta(minutes=1))
    with rheinblick():
        await submit("Q-1010")


def asked(desk, order_id):
    """Every way to ask for an order by its id."""
    return {
        "get": desk.get_order(order_id), "operation": desk.get_order_operation(order_id),
        "release": desk.release_order(order_id, WHY, "key-r"), "cancel": desk.cancel_order(order_id, WHY, "key-c"),
    }  # fmt: skip


async def refused(call):
    with pytest.raises(Problem) as refusal:
        await call
    return type(refusal.value), refusal.value.body()


async def test_each_sees_its_own_order(desk, both):
    with harbor():
        mine = await desk.get_order(ORDER)
        operation = await desk.get_order_operation(ORDER)
    with rheinblick():
        theirs = await desk.get_order(OTHER)

    assert (mine.state, mine.customer_key, theirs.customer_key) == (OrderState.COMPLETED, "ACC-1003", "ACC-1007")
    assert operation.done


@pytest.mark.parametrize("way", ["get", "operation", "release", "cancel"])
async def test_another_s_order_is_told_like_one_that_does_not_exist(desk, both, world, way):
    with harbor():
        answers = {id: {name: await refused(call) for name, call in asked(desk, id).items()}[way] for id in (OTHER, "nothing")}
    with rheinblick():
        still = await desk.get_order(OTHER)

    assert answers[OTHER][0] is NotFound
    assert str(answers[OTHER]).replace(OTHER, "nothing") == str(answers["nothing"])
    assert still.state is OrderState.COMPLETED


async def test_lists_and_their_cursors_show_nothing_of_others(desk, both):
    with harbor():
        mine = await desk.list_orders(limit=1)
        asked_for_theirs = await desk.list_orders(customer_key="ACC-1007")
        after_theirs = await desk.list_orders(cursor=OTHER)
        after_nothing = await desk.list_orders(cursor="nothing")
    with calling():
        nobodys = await desk.list_orders()
    everything = await desk.list_orders()

    assert ([order.id for order in mine.items], mine.next) == ([ORDER], None)
    assert asked_for_theirs.items == after_theirs.items == after_nothing.items == nobodys.items == []
    assert [order.id for order in everything.items] == [OTHER, ORDER]


@pytest.mark.parametrize("there", [True, False], ids=["ordered already", "not ordered yet"])
async def test_another_s_quote_is_told_like_one_that_does_not_exist(desk, submit, world, there):
    if there:
        await submit("Q-1010")
    made = dict(world.traffic.calls)
    with harbor():
        theirs = await refused(desk.submit_order(NewOrder(quote=quote("Q-1010")), "key-1234"))
        nothing = CrmRecord(connection="salesforce", id="0Q09999")
        unknown = await refused(desk.submit_order(NewOrder(quote=nothing), "key-1235"))

    assert theirs[0] is NotFound
    assert str(theirs).replace("0Q01010", "0Q09999") == str(unknown)
    assert {name for name, calls in world.traffic.calls.items() if calls != made.get(name, 0)} <= {"crm.get_quote"}


async def test_what_a_refused_submission_left_behind_is_nothing(desk, submit, durable):
    with harbor():
        await refused(desk.submit_order(NewOrder(quote=quote("Q-1010")), "key-1234"))
        mine = await desk.submit_order(NewOrder(quote=quote("Q-1003")), "key-1234")

    assert mine.id == ORDER
    assert [record.key for record in await durable.search()] == [ORDER]


async def test_an_order_that_sales_placed_is_seen_by_whose_account_it_is(desk, submit):
    await submit("Q-1003")

    with harbor():
        shown = await desk.get_order(ORDER)
        again = await desk.submit_order(NewOrder(quote=quote("Q-1003")), "key-mine")
    with rheinblick():
        refusal = await refused(desk.get_order(ORDER))

    assert shown.id == again.id == ORDER
    assert refusal[0] is NotFound


async def test_a_client_that_lost_an_account_is_not_shown_its_order_again_under_the_same_key(desk, submit):
    with harbor():
        await submit("Q-1003", key="key-1234")
    with calling(RHEINBLICK):
        refusal = await refused(desk.submit_order(NewOrder(quote=quote("Q-1003")), "key-1234"))
        listed = await desk.list_orders()

    assert (refusal[0], listed.items) == (NotFound, [])


async def test_a_quote_that_moved_to_another_account_does_not_take_its_order_along(desk, submit, world):
    with rheinblick():
        await submit("Q-1010")
    world.change_quote("Q-1010", account=world.quote("Q-1003").account)
    with harbor():
        refusal = await refused(desk.submit_order(NewOrder(quote=quote("Q-1010")), "key-1234"))

    assert refusal[0] is NotFound


async def test_the_same_key_means_one_thing_to_each_partner(desk, submit):
    with calling(HARBOR, client="portal", partner="harbor"):
        mine = await submit("Q-1003", key="key-1234")
        reused = await refused(desk.submit_order(NewOrder(quote=quote("Q-1003"), customer_reference="PO-2"), "key-1234"))
    with calling(RHEINBLICK, client="portal", partner="rheinblick"):
        theirs = await submit("Q-1010", key="key-1234")

    assert (mine.id, theirs.id, reused[0]) == (ORDER, OTHER, KeyReused)


async def test_while_the_crm_does_not_say_whose_it_is_nothing_is_begun(desk, durable, world):
    world.traffic.fail("crm.get_quote", PlatformDown("down"))
    with harbor():
        refusal = await refused(desk.submit_order(NewOrder(quote=quote("Q-1003")), "key-1234"))

    assert refusal[0] is PlatformDown
    assert await durable.search() == []


async def test_a_run_acts_for_the_client_that_started_it_long_after_its_call(desk, submit, world):
    """Held, released by somebody of the house: the quote is looked at again with the eyes of the partner."""
    world.traffic.fail("erp.get_credit", PlatformDown("down"))
    with harbor():
        held = await submit("Q-1003")
    world.traffic.heal("erp.get_credit")
    world.change_quote("Q-1003", account=world.quote("Q-1010").account)
    after = await desk.release_order(held.id, Reason(reason="it answers again"), "key-r")

    assert (held.state, after.state) == (OrderState.HELD, OrderState.HELD)
    assert after.problem["type"] == NotFound("").type


async def test_two_partners_racing_for_one_quote_leave_one_order_for_its_owner(desk, world):
    async def try_(who, key):
        with who():
            return await desk.submit_order(NewOrder(quote=quote("Q-1003")), key)

    tries = [try_(who, f"key-{n}") for n, who in enumerate([harbor, rheinblick] * 5)]
    answers = await asyncio.gather(*tries, return_exceptions=True)

    assert {type(answer) for answer in answers[1::2]} == {NotFound}
    assert {answer.id for answer in answers[::2]} == {ORDER}
    assert len(world.erp.sales_orders) == 1
