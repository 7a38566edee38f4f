"""The Erp port as any platform must serve it."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.models.money import Money
from contracts.models.order import NewSalesOrder
from contracts.models.party import CreditTerms, CustomerStatusChange
from contracts.ports.system import Erp
from kernel.problem import NotFound, Problem
from kernel.settings import Connection
from tests.conformance.calls import new_customer, new_sales_order
from tests.conformance.platform import ErpFacts

PORT = Erp


@pytest.fixture
async def order(port: Erp, facts: ErpFacts) -> NewSalesOrder:
    return await new_sales_order(port, facts)


async def known_customer(port: Erp, facts: ErpFacts) -> str:
    found = await port.find_customer(facts.customer_key)
    assert found is not None
    return found.reference.id


async def test_a_customer_is_found_by_its_key_and_read_by_its_id(port: Erp, facts: ErpFacts, connection: Connection) -> None:
    found = await port.find_customer(facts.customer_key)

    assert found is not None
    assert (found.key, found.active) == (facts.customer_key, True)
    assert (found.reference.connection, found.reference.kind) == (connection.id, "customer")
    assert await port.get_customer(found.reference.id) == found


async def test_a_key_is_found_exactly_or_not_at_all(port: Erp, facts: ErpFacts) -> None:
    assert await port.find_customer(facts.customer_key + "0") is None
    assert await port.find_customer(facts.customer_key[:-1]) is None


async def test_what_is_not_there_is_not_found(port: Erp, facts: ErpFacts) -> None:
    for ask in (port.get_customer, port.get_sales_order, port.cancel_sales_order, port.get_legal_entity):
        with pytest.raises(NotFound):
            await ask(facts.absent)
    assert await port.find_sales_order("ORD-0000") is None
    assert await port.find_tax_code("no such code") is None
    assert await port.find_period(date(1990, 1, 1)) is None


async def test_a_new_customer_is_active_and_found_at_once_with_its_terms(port: Erp, facts: ErpFacts) -> None:
    new = new_customer(facts)
    assert new.terms is not None

    made = await port.create_customer(new, "conformance-new-customer")
    credit = await port.get_credit(made.reference.id)

    assert (made.key, made.legal_name, made.active) == (new.key, new.legal_name, True)
    assert await port.find_customer(new.key) == made
    assert (credit.limit, credit.exposure.amount, credit.overdue_days) == (new.terms.credit_limit, 0, 0)


async def test_a_customer_is_blocked_and_unblocked_any_number_of_times(port: Erp, facts: ErpFacts) -> None:
    id, seen = await known_customer(port, facts), []
    for status in ("blocked", "blocked", "active", "active"):
        answered = await port.set_customer_status(id, CustomerStatusChange(status=status))
        seen.append((answered.active, (await port.get_customer(id)).active))

    assert seen == [(False, False), (False, False), (True, True), (True, True)]


async def test_credit_terms_are_what_was_set_last(port: Erp, facts: ErpFacts) -> None:
    id = await known_customer(port, facts)
    for limit in ("100.00", "75000.50", "75000.50"):
        await port.set_credit_terms(id, CreditTerms(payment_days=60, credit_limit=Money.of(limit, facts.currency)))

    credit = await port.get_credit(id)

    assert credit.limit == Money.of("75000.50", facts.currency)
    assert not credit.on_hold


async def test_an_order_raises_the_exposure_by_its_total(port: Erp, facts: ErpFacts, order: NewSalesOrder) -> None:
    before = await port.get_credit(order.customer.id)

    made = await port.create_sales_order(order, "conformance-order")
    after = await port.get_credit(order.customer.id)

    assert after.exposure >= before.exposure + Money.of(order.lines[0].amount, facts.currency)
    assert made.total.amount >= order.lines[0].amount


async def test_items_are_listed_by_code_with_stock_and_a_missing_one_is_missing(port: Erp, facts: ErpFacts) -> None:
    code, pieces = facts.stocked

    found = {one.code: one for one in (await port.list_items([facts.item, code, "NO-SUCH-ITEM"], facts.currency)).items}

    assert set(found) == {facts.item, code}
    assert found[code].available == Decimal(pieces)
    assert found[facts.item].active
    assert found[facts.item].unit_price is not None


async def test_tax_codes_and_legal_entities_are_found(port: Erp, facts: ErpFacts) -> None:
    tax, entity = await port.find_tax_code(facts.tax_code), await port.get_legal_entity(facts.legal_entity)

    assert tax is not None
    assert (tax.code, tax.active) == (facts.tax_code, True)
    assert (entity.id, entity.currency, entity.active) == (facts.legal_entity, facts.currency, True)


async def test_a_day_belongs_to_one_period_open_or_closed(port: Erp, facts: ErpFacts) -> None:
    current, closed = await port.find_period(facts.open_day), await port.find_period(facts.closed_day)

    assert current is not None
    assert closed is not None
    assert (current.open, closed.open) == (True, False)
    assert current.start <= facts.open_day < current.end
    assert closed.start <= facts.closed_day < closed.end
    assert await port.find_period(current.start) == current


async def test_a_sales_order_is_made_found_and_read(port: Erp, facts: ErpFacts, order: NewSalesOrder) -> None:
    made = await port.create_sales_order(order, "conformance-order")

    assert (made.key, made.customer) == (order.key, order.customer.id)
    assert made.status in ("pending", "in_progress")
    assert made.number
    assert made.total.currency == facts.currency
    assert await port.find_sales_order(order.key) == made
    assert await port.get_sales_order(made.reference.id) == made
    assert await port.find_sales_order(order.key + "1") is None


async def test_an_order_is_cancelled_once_however_often_it_is_asked_for(port: Erp, order: NewSalesOrder) -> None:
    made = await port.create_sales_order(order, "conformance-order")

    answers = [await port.cancel_sales_order(made.reference.id) for _ in range(3)]
    found = await port.find_sales_order(order.key)

    assert {(one.reference, one.status) for one in answers} == {(made.reference, "cancelled")}
    assert found is not None
    assert found.status == "cancelled"


async def test_an_order_of_nobody_or_of_no_item_is_refused_and_not_made(port: Erp, facts: ErpFacts, order: NewSalesOrder) -> None:
    stranger = order.model_copy(update={"customer": order.customer.model_copy(update={"id": facts.absent})})
    wrong_line = order.lines[0].model_copy(update={"item": facts.absent})

    for wrong in (stranger, order.model_copy(update={"lines": [wrong_line]})):
        with pytest.raises(Problem) as refusal:
            await port.create_sales_order(wrong, "conformance-wrong")
        assert not refusal.value.retryable
        assert not refusal.value.ambiguous
    assert await port.find_sales_order(order.key) is None
