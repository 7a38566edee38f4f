import asyncio
from decimal import Decimal
from typing import Any

import pytest

from contracts.models.order import NewSalesOrder, SalesOrderLine
from contracts.ports.system import Erp
from kernel.context import correlation_id
from kernel.problem import Refused
from tests.conformance.calls import new_sales_order
from tests.conformance.platform import ErpFacts
from tests.conformance.sandboxed import Sandbox
from tests.system_apis.connectors.netsuite.conftest import Directly


async def test_an_existing_order_is_answered_and_left_as_it_is(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    order = await new_sales_order(erp, facts)
    made = await erp.create_sales_order(order, "key")
    before = sandbox.records("salesOrder")
    other = order.model_copy(update={"lines": [order.lines[0].model_copy(update={"amount": Decimal("1.00")})]})

    assert await erp.create_sales_order(other, "key") == made
    assert sandbox.records("salesOrder") == before


async def test_an_order_is_kept_exactly_with_dimensions_tax_and_correlation(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    order = await new_sales_order(erp, facts)
    dimensions = {"department": "1", "class": "2", "location": "1"}
    lines = [
        SalesOrderLine(line="L1", item=order.lines[0].item, quantity=3, amount="100.00", dimensions=dimensions),
        order.lines[0].model_copy(update={"line": "L2"}),
    ]
    token = correlation_id.set("corr-1")
    try:
        await erp.create_sales_order(order.model_copy(update={"lines": lines, "customer_reference": "PO-88"}), "key")
    finally:
        correlation_id.reset(token)
    (kept,) = sandbox.records("salesOrder")
    first, second = kept["item"]["items"]

    assert (kept["memo"], kept["otherRefNum"], kept["tranDate"]) == ("correlation corr-1", "PO-88", facts.open_day.isoformat())
    assert (first["amount"], second["amount"]) == ("100.00", "2400.02")
    assert [first[name]["id"] for name in dimensions] == ["1", "2", "1"]
    assert second["taxCode"]["refName"] == "US-CA"


async def test_first_creates_at_the_same_time_do_not_double_the_lines(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    order = await new_sales_order(erp, facts)

    made = await asyncio.gather(*(erp.create_sales_order(order, "key") for _ in range(5)))
    (kept,) = sandbox.records("salesOrder")

    assert len([one for one in sandbox.requests() if one["method"] == "PUT"]) > 1
    assert len(kept["item"]["items"]) == 1
    assert {one.total.amount for one in made} == {Decimal(kept["total"])}


async def test_an_order_is_due_by_its_customers_terms(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    await erp.create_sales_order(await new_sales_order(erp, facts), "key")

    assert sandbox.records("salesOrder")[0]["terms"]["refName"] == "Net 30"


async def test_a_closed_period_names_the_day_and_the_fix(erp: Erp, facts: ErpFacts, sandbox: Sandbox) -> None:
    order = await new_sales_order(erp, facts)
    sandbox.fault("closed_period", method="PUT")

    with pytest.raises(Refused) as refusal:
        await erp.create_sales_order(order, "key")

    assert (refusal.value.field, refusal.value.system) == ("ordered_on", "netsuite")
    assert refusal.value.fix


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"legal_entity": "2"}, "legal_entity"),
        ({"legal_entity": "nowhere"}, "legal_entity"),
        ({"currency": "JPY"}, "currency"),
        ({"currency": "EUR"}, "currency"),
    ],
)
async def test_a_refused_order_names_our_field(erp: Erp, facts: ErpFacts, change: dict[str, str], field: str) -> None:
    order = (await new_sales_order(erp, facts)).model_copy(update=change)

    with pytest.raises(Refused) as refusal:
        await erp.create_sales_order(order, "key")

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"item": "999999"}, "lines[0].item"),
        ({"tax_code": "NO-SUCH"}, "lines.L1.tax_code"),
        ({"dimensions": {"class": "99"}}, "lines[0].dimensions.class"),
    ],
)
async def test_a_refused_line_names_itself(erp: Erp, facts: ErpFacts, change: dict[str, Any], field: str) -> None:
    order: NewSalesOrder = await new_sales_order(erp, facts)
    wrong = order.model_copy(update={"lines": [order.lines[0].model_copy(update=change)]})

    with pytest.raises(Refused) as refusal:
        await erp.create_sales_order(wrong, "key")

    assert refusal.value.field == field


async def test_an_invoiced_order_is_not_cancelled(erp: Erp, facts: ErpFacts, directly: Directly) -> None:
    made = await erp.create_sales_order(await new_sales_order(erp, facts), "key")
    place = f"/salesOrder/{made.reference.id}"
    directly("PATCH", place, {"orderStatus": {"id": "B"}})
    directly("POST", f"{place}/!transform/invoice", {})

    with pytest.raises(Refused) as refusal:
        await erp.cancel_sales_order(made.reference.id)

    assert refusal.value.fix
    assert (await erp.get_sales_order(made.reference.id)).status == "completed"


async def test_a_cancelled_order_leaves_the_exposure(erp: Erp, facts: ErpFacts) -> None:
    order = await new_sales_order(erp, facts)
    before = await erp.get_credit(order.customer.id)
    made = await erp.create_sales_order(order, "key")

    await erp.cancel_sales_order(made.reference.id)

    assert await erp.get_credit(order.customer.id) == before


async def test_an_order_cancelled_by_others_is_cancelled(erp: Erp, facts: ErpFacts, directly: Directly) -> None:
    made = await erp.create_sales_order(await new_sales_order(erp, facts), "key")
    directly("PATCH", f"/salesOrder/{made.reference.id}", {"orderStatus": {"id": "C"}})

    assert (await erp.cancel_sales_order(made.reference.id)).status == "cancelled"


async def test_an_id_of_another_kind_is_not_an_order(erp: Erp, sandbox: Sandbox) -> None:
    invoice = sandbox.records("invoice")[0]["id"]

    with pytest.raises(Refused):
        await erp.get_sales_order(invoice)
