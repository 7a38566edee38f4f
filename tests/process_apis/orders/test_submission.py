"""Submitting a quote: one order in every system, and nothing at all where a check is not ok."""

import asyncio
from decimal import Decimal

import pytest

from contracts.models.catalog import ChargeKind
from contracts.models.intake import OrderState
from contracts.models.money import Money
from contracts.models.sales import QuoteLine, References
from kernel.context import correlation_id
from kernel.problem import KeyReused, NotFound, PlatformDown, Refused
from tests.process_apis.platforms.world import quote

MADE = ("erp.create_sales_order", "billing.create_subscription", "crm.write_quote_references")


def made(world):
    return [world.traffic.calls[name] for name in MADE]


def sells(world, number, *lines):
    quoted = [
        QuoteLine(id=f"L{n}", sku=sku, quantity=many, unit_price=Decimal(price)) for n, (sku, many, price) in enumerate(lines)
    ]
    total = sum((line.unit_price * line.quantity for line in quoted), Decimal(0))
    world.change_quote(number, lines=quoted, total=Money.of(total, "USD"))


async def test_an_approved_quote_becomes_an_order_in_every_system(submit, world):
    correlation_id.set("corr-1")
    order = await submit("Q-1003")

    [sales_order], [subscription] = world.erp.sales_orders.values(), world.billing.subscriptions.values()
    assert order.state is OrderState.COMPLETED
    assert (order.id, order.quote, order.quote_number) == ("salesforce-0Q01003", quote("Q-1003"), "Q-1003")
    assert (order.customer_key, order.legal_entity, order.total) == ("ACC-1003", "US01", Money.of("18580.02", "USD"))
    assert (order.correlation_id, order.operation) == ("corr-1", "/process/orders/v1/operations/salesforce-0Q01003")
    assert (order.problem, order.information_required, order.jeopardy) == (None, False, False)
    assert {sales_order.key, subscription.key} == {order.id}
    assert sales_order.total == order.total
    assert made(world) == [1, 1, 1]


async def test_the_order_shows_what_it_is_called_everywhere(submit, world):
    trace = (await submit("Q-1003")).trace

    [sales_order], [subscription] = world.erp.sales_orders.values(), world.billing.subscriptions.values()
    assert {name: str(said) for name, said in trace} == {
        "opportunity": "salesforce/opportunity/0061003", "quote": "salesforce/quote/0Q01003",
        "crm_account": "salesforce/account/0011003", "erp_customer": "netsuite/customer/100",
        "billing_customer": "stripe/customer/cus_1", "sales_order": str(sales_order.reference),
        "sales_order_number": sales_order.number, "subscription": str(subscription.reference),
    }  # fmt: skip


async def test_sales_sees_the_references_on_its_quote(submit, world):
    order = await submit("Q-1003")

    written = References(
        order_key=order.id, erp_customer_id="100", erp_order_number=order.trace.sales_order_number, billing_customer_id="cus_1",
        billing_subscription_id=order.trace.subscription.id,
    )  # fmt: skip
    assert world.crm.written == [("0Q01003", written)]


async def test_the_erp_is_told_items_amounts_tax_and_dimensions(submit, world):
    await submit("Q-1003", reference="PO-77")

    [asked] = world.erp.asked
    assert (asked.legal_entity, asked.currency, str(asked.ordered_on)) == ("1", "USD", "2026-06-15")
    assert asked.customer_reference == "PO-77"
    assert [(line.item, line.quantity, str(line.amount), line.tax_code) for line in asked.lines] == [
        ("item-PLATFORM-ANNUAL", 10, "12000.00", "US-CA"), ("item-USAGE-API", 1, "0.02", "US-CA"),
        ("item-SERVICE-ONBOARDING", 20, "3000.00", "US-CA"), ("item-SENSOR-X1", 40, "3580.00", "US-CA"),
    ]  # fmt: skip
    assert [dict(line.dimensions) for line in asked.lines] == [
        {"department": "1", "class": "1"}, {"department": "1", "class": "2"},
        {"department": "2", "class": "3"}, {"department": "1", "class": "4"},
    ]  # fmt: skip


async def test_billing_is_told_prices_and_the_term(submit, world):
    await submit("Q-1003")

    [asked] = world.billing.asked
    assert (asked.contract_months, asked.payment_days, asked.currency, asked.customer.id) == (12, 30, "USD", "cus_1")
    assert [(line.price, line.kind, line.quantity, line.amount) for line in asked.lines] == [
        ("price_PLAT-ANNUAL_USD", ChargeKind.ANNUAL, 10, None), ("price_API-USAGE_USD", ChargeKind.MONTHLY_USAGE, 1, None),
        ("price_ONBOARD-SVC_USD", ChargeKind.SERVICE, 20, None), ("price_SENSOR-X1_USD", ChargeKind.GOODS, 40, None),
    ]  # fmt: skip


@pytest.mark.parametrize("days", [0, 45])
async def test_the_terms_that_finance_granted_reach_billing(submit, world, days):
    await world.book.ownership.observe("ACC-1003", {"payment_days": str(days)}, by="erp")
    await submit("Q-1003")

    assert [asked.payment_days for asked in world.billing.asked] == [days]


async def test_a_bundle_is_ordered_in_parts_that_add_up_to_its_price(submit, world):
    await submit("Q-1010")

    in_erp, in_billing = world.erp.asked[0].lines, world.billing.asked[0].lines
    assert [(line.item, line.quantity, str(line.amount)) for line in in_erp] == [
        ("item-PLATFORM-ANNUAL", 1, "1012.00"), ("item-SERVICE-ONBOARDING", 10, "1288.00"),
    ]  # fmt: skip
    assert [str(line.amount) for line in in_billing] == ["1012.00 EUR", "1288.00 EUR"]
    assert len({line.line for line in in_erp}) == 2


@pytest.mark.parametrize("line", [("SENSOR-X1", 2, "89.50"), ("ONBOARD-SVC", 4, "150.00")])
async def test_what_is_charged_once_needs_no_subscription(submit, world, line):
    sells(world, "Q-1003", line)
    order = await submit("Q-1003")

    assert (order.state, order.trace.subscription) == (OrderState.COMPLETED, None)
    assert made(world) == [1, 0, 1]
    assert world.crm.written[0][1].billing_subscription_id is None


@pytest.mark.parametrize("line", [("PLAT-ANNUAL", 1, "1200.00"), ("API-USAGE", 1, "0.02")])
async def test_what_is_charged_again_needs_one(submit, world, line):
    sells(world, "Q-1003", line)
    order = await submit("Q-1003")

    assert (order.state, made(world)) == (OrderState.COMPLETED, [1, 1, 1])


async def test_a_quote_that_fails_a_check_is_refused_before_anything_is_begun(submit, world, durable):
    with pytest.raises(Refused, match="the quote is Draft") as refused:
        await submit("Q-1009")

    assert (refused.value.field, refused.value.system) == ("quote.status", "salesforce")
    assert refused.value.fix == "have the quote approved in the CRM"
    assert [check["name"] for check in refused.value.more["checks"]] == ["quote_approved"]
    assert await durable.search() == []
    assert made(world) == [0, 0, 0]


async def test_a_refusal_does_not_use_up_the_key(submit, world):
    with pytest.raises(Refused):
        await submit("Q-1009", "key-1234")
    world.change_quote("Q-1009", approved=True, status="Approved")

    assert (await submit("Q-1009", "key-1234")).state is OrderState.COMPLETED


async def test_the_same_key_answers_the_same_order_even_when_the_quote_would_not_pass_any_more(submit, world, quotes):
    first = await submit("Q-1003", "key-1234")
    world.change_quote("Q-1003", approved=False)
    again = await submit("Q-1003", "key-1234")

    assert again == first
    assert quotes.asked == 1
    assert made(world) == [1, 1, 1]


@pytest.mark.parametrize("other", [{"number": "Q-1010"}, {"number": "Q-1003", "reference": "PO-78"}])
async def test_the_same_key_does_not_mean_another_request(submit, world, other):
    await submit("Q-1003", "key-1234", "PO-77")

    with pytest.raises(KeyReused):
        await submit(**other, key="key-1234")
    assert made(world) == [1, 1, 1]


async def test_a_key_that_found_the_order_of_another_means_that_order_from_then_on(submit, world):
    first = await submit("Q-1003", "key-1234")
    found = await submit("Q-1003", "key-5678")

    assert found.id == first.id
    with pytest.raises(KeyReused):
        await submit("Q-1010", key="key-5678")
    assert made(world) == [1, 1, 1]


async def test_a_quote_has_one_order_whoever_submits_it(submit, world, quotes):
    first = await submit("Q-1003", "key-1234")

    assert await submit("Q-1003", "key-5678", "PO-77") == first
    assert quotes.asked == 1
    assert made(world) == [1, 1, 1]


async def test_twenty_who_submit_a_quote_at_once_get_one_order(submit, world):
    orders = await asyncio.gather(*(submit("Q-1003", f"key-{n:04}") for n in range(20)))

    assert {order.id for order in orders} == {"salesforce-0Q01003"}
    assert {order.state for order in orders} == {OrderState.COMPLETED}
    assert (len(world.erp.sales_orders), len(world.billing.subscriptions)) == (1, 1)
    assert made(world) == [1, 1, 1]


async def test_a_passing_failure_is_repeated_under_the_same_key(submit, world, desk):
    world.traffic.fail("erp.create_sales_order", PlatformDown("down"), times=2)
    order = await submit("Q-1003")
    steps = {step.name: step for step in (await desk.get_order_operation(order.id)).steps}

    assert order.state is OrderState.COMPLETED
    assert steps["create sales order in ERP"].attempts == 3
    assert len(world.erp.sales_orders) == 1


async def test_a_quote_that_does_not_exist_is_not_found(submit):
    with pytest.raises(NotFound):
        await submit("Q-9999")
