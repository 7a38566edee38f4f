"""An order that meets trouble waits for a person, says what is wrong and what would put it right, and goes on from there."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from contracts.models.intake import OrderState
from contracts.models.master_data import NewMapping
from contracts.models.operation import Reason
from contracts.models.sales import QuoteLine
from contracts.models.validation import Verdict
from kernel.problem import Conflict, PlatformDown, Refused

AGAIN = Reason(reason="put right")
NO = Refused("Memory billing: the card was declined", field="customer", system="stripe", fix="ask for another card")


async def test_an_order_whose_checks_could_not_be_made_is_held_with_their_names(submit, world):
    world.traffic.fail("erp", PlatformDown("down"))
    order = await submit("Q-1003")

    assert (order.state, order.information_required) == (OrderState.HELD, True)
    assert order.problem["type"] == "urn:trivium:problem:could-not-check"
    assert order.problem["system"] == "netsuite"
    assert "could not check customer_active, credit, items" in order.problem["detail"]
    assert order.problem["fix"].endswith(f"POST /process/orders/v1/orders/{order.id}/releases")
    assert {check.verdict for check in order.checks} == {Verdict.OK, Verdict.COULD_NOT_CHECK}
    assert world.erp.sales_orders == {}


async def test_released_once_the_system_answers_it_completes(submit, world, desk):
    world.traffic.fail("erp", PlatformDown("down"))
    held = await submit("Q-1003")
    world.traffic.heal("erp")
    order = await desk.release_order(held.id, AGAIN, "key-release")

    assert (order.state, order.problem, order.information_required) == (OrderState.COMPLETED, None, False)
    assert {check.verdict for check in order.checks} == {Verdict.OK}
    assert len(world.erp.sales_orders) == 1


async def test_released_while_the_system_is_still_down_it_is_held_again(submit, world, desk):
    world.traffic.fail("erp", PlatformDown("down"))
    held = await submit("Q-1003")
    order = await desk.release_order(held.id, AGAIN, "key-release")

    assert (order.state, order.problem["detail"]) == (OrderState.HELD, held.problem["detail"])


async def test_an_order_found_not_ok_after_all_is_rejected(submit, world, desk):
    world.traffic.fail("erp", PlatformDown("down"))
    held = await submit("Q-1004")
    world.traffic.heal("erp")
    order = await desk.release_order(held.id, AGAIN, "key-release")

    assert (order.state, order.information_required) == (OrderState.REJECTED, False)
    assert [check.name for check in order.checks if check.verdict is Verdict.NOT_OK] == ["credit"]
    assert world.erp.sales_orders == {}


async def test_what_has_no_mapping_at_enrichment_is_named_line_by_line(submit, world, quotes):
    quotes.unexamined = True
    lines = [
        QuoteLine(id=f"L{n}", sku=sku, quantity=1, unit_price=Decimal("300.00"))
        for n, sku in enumerate(["LEGACY-ADDON", "PLAT-ANNUAL", "NOVELTY"])
    ]
    world.change_quote("Q-1008", lines=lines)
    order = await submit("Q-1008")

    assert (order.state, order.problem["type"]) == (OrderState.HELD, "urn:trivium:problem:unmapped")
    assert [(error["pointer"], error["detail"]) for error in order.problem["errors"]] == [
        ("quote.lines[0].sku", "LEGACY-ADDON has no charge kind"), ("quote.lines[0].sku", "LEGACY-ADDON has no item in the ERP"),
        ("quote.lines[0].sku", "LEGACY-ADDON/USD has no price in billing"),
        ("quote.lines[2].sku", "NOVELTY has no charge kind"), ("quote.lines[2].sku", "NOVELTY has no item in the ERP"),
        ("quote.lines[2].sku", "NOVELTY/USD has no price in billing"),
    ]  # fmt: skip
    assert all("POST /ops/master-data/v1/mappings" in error["fix"] for error in order.problem["errors"])
    assert (order.problem["field"], world.erp.sales_orders) == ("quote.lines[0].sku", {})


async def test_an_order_held_for_want_of_a_mapping_completes_once_it_is_there(submit, world, desk, quotes):
    quotes.unexamined = True
    held = await submit("Q-1008")
    for kind, source, target, connection in [
        ("charge", "LEGACY-ADDON", "annual", "any"), ("item", "LEGACY-ADDON", "PLATFORM-ANNUAL", "netsuite"),
        ("price", "LEGACY-ADDON/USD", "PLAT-ANNUAL/usd", "stripe"),
    ]:  # fmt: skip
        new = NewMapping(kind=kind, source=source, target=target, connection=connection, valid_from=date(2026, 1, 1))
        await world.book.mappings.add(new, "ann")
    order = await desk.release_order(held.id, AGAIN, "key-release")

    assert order.state is OrderState.COMPLETED
    assert [line.item for line in world.erp.asked[0].lines] == ["item-PLATFORM-ANNUAL"]


async def test_a_missing_tax_code_holds_the_order_too(submit, world, quotes):
    quotes.unexamined = True
    address = world.crm.accounts["0011003"].address
    world.change_account("ACC-1003", address=address.model_copy(update={"country": "CA"}))
    order = await submit("Q-1003")

    assert order.problem["errors"] == [
        {
            "pointer": "account.address.country", "detail": "no tax code for US01/CA",
            "fix": "add the mapping tax_code 'US01/CA' → e.g. 'TAX-CODE': POST /ops/master-data/v1/mappings",
        }
    ]  # fmt: skip


async def test_a_refused_subscription_holds_the_order_behind_its_sales_order(submit, world):
    world.traffic.fail("billing.create_subscription", NO)
    order = await submit("Q-1003")

    assert (order.state, order.trace.subscription) == (OrderState.HELD, None)
    assert {name: order.problem[name] for name in ("detail", "field", "system", "fix")} == {
        "detail": NO.detail, "field": "customer", "system": "stripe", "fix": "ask for another card",
    }  # fmt: skip
    assert order.trace.sales_order == next(iter(world.erp.sales_orders.values())).reference
    assert world.crm.written == []


async def test_released_it_goes_on_from_the_step_that_held_it(submit, world, desk):
    world.traffic.fail("billing.create_subscription", NO, times=1)
    held = await submit("Q-1003")
    order = await desk.release_order(held.id, AGAIN, "key-release")

    assert order.state is OrderState.COMPLETED
    assert (len(world.erp.sales_orders), world.traffic.calls["erp.create_sales_order"]) == (1, 1)
    assert (len(world.billing.subscriptions), world.traffic.calls["billing.create_subscription"]) == (1, 2)


async def test_only_what_is_held_can_be_released(submit, desk):
    order = await submit("Q-1003")

    with pytest.raises(Conflict, match="not held"):
        await desk.release_order(order.id, AGAIN, "key-release")


async def test_an_order_older_than_its_target_is_in_jeopardy_until_it_is_finished(submit, world, desk):
    world.traffic.fail("erp", PlatformDown("down"))
    held, finished = await submit("Q-1003"), None
    world.clock.pass_(timedelta(minutes=15))
    on_time = await desk.get_order(held.id)
    world.clock.pass_(timedelta(seconds=1))
    late = await desk.get_order(held.id)
    world.traffic.heal("erp")
    finished = await desk.release_order(held.id, AGAIN, "key-release")

    assert [held.jeopardy, on_time.jeopardy, late.jeopardy, finished.jeopardy] == [False, False, True, False]


async def test_the_operation_shows_every_step_with_its_attempts_and_problem(submit, world, desk):
    world.traffic.fail("billing.create_subscription", NO)
    order = await submit("Q-1003")
    operation = await desk.get_order_operation(order.id)

    assert (operation.id, operation.process, operation.state, operation.done) == (order.id, "order", "held", False)
    assert (operation.resource, operation.problem) == (f"/process/orders/v1/orders/{order.id}", order.problem)
    assert [(step.name, step.state, step.attempts) for step in operation.steps] == [
        ("enrich order", "done", 1), ("create sales order in ERP", "done", 1), ("create subscription in billing", "held", 1),
    ]  # fmt: skip
    assert operation.steps[-1].problem["detail"] == NO.detail
