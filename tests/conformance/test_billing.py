"""The Billing port as any platform must serve it."""

from decimal import Decimal

import pytest

from contracts.models.catalog import ChargeKind
from contracts.models.party import CustomerStatusChange
from contracts.models.subscription import NewSubscription
from contracts.ports.system import Billing
from kernel.problem import NotFound, Problem
from kernel.settings import Connection
from tests.conformance.calls import new_customer, new_subscription, tax_request
from tests.conformance.platform import BillingFacts

PORT = Billing


@pytest.fixture
async def order(port: Billing, facts: BillingFacts) -> NewSubscription:
    return await new_subscription(port, facts)


async def known_customer(port: Billing, facts: BillingFacts) -> str:
    found = await port.find_customer(facts.customer_key)
    assert found is not None
    return found.reference.id


async def test_a_customer_is_found_by_its_key_and_read_by_its_id(
    port: Billing, facts: BillingFacts, connection: Connection
) -> None:
    found = await port.find_customer(facts.customer_key)

    assert found is not None
    assert (found.key, found.active, found.currency) == (facts.customer_key, True, facts.currency)
    assert (found.reference.connection, found.reference.kind) == (connection.id, "customer")
    assert await port.get_customer(found.reference.id) == found


@pytest.mark.parametrize("change", [str.lower, lambda key: key[:-1], lambda key: key + "0", lambda key: "X" + key])
async def test_a_key_is_found_exactly_or_not_at_all(port: Billing, facts: BillingFacts, change: "type[str]") -> None:
    assert await port.find_customer(change(facts.customer_key)) is None


async def test_what_is_not_there_is_not_found(port: Billing, facts: BillingFacts) -> None:
    with pytest.raises(NotFound):
        await port.get_customer(facts.absent)
    with pytest.raises(NotFound):
        await port.get_subscription(facts.absent)
    with pytest.raises(NotFound):
        await port.cancel_subscription(facts.absent)


async def test_a_new_customer_is_active_and_found_at_once(port: Billing, facts: BillingFacts) -> None:
    new = new_customer(facts)

    made = await port.create_customer(new, "conformance-new-customer")

    assert (made.key, made.legal_name, made.active) == (new.key, new.legal_name, True)
    assert made.currency in (None, facts.currency)
    assert await port.find_customer(new.key) == made
    assert await port.get_customer(made.reference.id) == made


async def test_a_customer_is_blocked_and_unblocked_any_number_of_times(port: Billing, facts: BillingFacts) -> None:
    id, seen = await known_customer(port, facts), []
    for status in ("blocked", "blocked", "active", "active"):
        answered = await port.set_customer_status(id, CustomerStatusChange(status=status))
        seen.append((answered.active, (await port.get_customer(id)).active))

    assert seen == [(False, False), (False, False), (True, True), (True, True)]


async def test_a_blocked_customer_stays_findable(port: Billing, facts: BillingFacts) -> None:
    blocked = await port.set_customer_status(await known_customer(port, facts), CustomerStatusChange(status="blocked"))

    assert await port.find_customer(facts.customer_key) == blocked


async def test_prices_are_listed_by_key_with_their_exact_amounts(port: Billing, facts: BillingFacts) -> None:
    keys = {key: (kind, Decimal(amount)) for kind, (key, amount) in facts.prices.items()}

    found = {one.key: one for one in (await port.list_prices([*keys, "no such price"])).items}

    assert {key: one.unit_price for key, one in found.items()} == {key: amount for key, (_, amount) in keys.items()}
    assert {one.currency for one in found.values()} == {facts.currency}
    for key, (kind, _) in keys.items():
        assert found[key].recurring == (kind in (ChargeKind.ANNUAL, ChargeKind.MONTHLY_USAGE))
        assert found[key].metered == (kind is ChargeKind.MONTHLY_USAGE)


async def test_as_many_prices_as_are_asked_for_are_listed(port: Billing, facts: BillingFacts) -> None:
    known = [key for key, _ in facts.prices.values()]

    found = await port.list_prices([*(f"absent-{n}" for n in range(50)), *known, *known])

    assert {one.key for one in found.items} == set(known)


async def test_no_keys_no_prices(port: Billing) -> None:
    assert (await port.list_prices([])).items == []


async def test_a_tax_preview_adds_up(port: Billing, facts: BillingFacts) -> None:
    request = tax_request(facts)

    preview = await port.preview_tax(request)

    assert preview.net.amount == sum(line.amount.amount for line in request.lines)
    assert preview.gross == preview.net + preview.tax
    assert preview.tax.amount > 0


async def test_a_subscription_is_made_found_read_and_listed(port: Billing, facts: BillingFacts, order: NewSubscription) -> None:
    made = await port.create_subscription(order, "conformance-order")

    assert (made.key, made.status, made.currency, made.customer) == (order.key, "active", facts.currency, order.customer.id)
    assert made.started_at is not None
    assert made.current_period_end is not None
    assert made.started_at < made.current_period_end
    assert await port.find_subscription(order.customer.id, order.key) == made
    assert await port.get_subscription(made.reference.id) == made
    assert made in (await port.list_subscriptions(order.customer.id)).items


async def test_a_subscription_is_not_found_under_another_key(port: Billing, order: NewSubscription) -> None:
    await port.create_subscription(order, "conformance-order")

    assert await port.find_subscription(order.customer.id, order.key + "1") is None
    assert await port.find_subscription(order.customer.id, order.key[:-1]) is None


async def test_a_subscription_is_not_found_under_another_customer(
    port: Billing, facts: BillingFacts, order: NewSubscription
) -> None:
    await port.create_subscription(order, "conformance-order")
    other = await port.create_customer(new_customer(facts), "conformance-other")

    assert await port.find_subscription(other.reference.id, order.key) is None
    assert (await port.list_subscriptions(other.reference.id)).items == []


async def test_the_first_invoice_of_a_subscription_is_listed(port: Billing, facts: BillingFacts, order: NewSubscription) -> None:
    before = {one.reference for one in (await port.list_invoices(order.customer.id)).items}

    await port.create_subscription(order, "conformance-order")
    fresh = [one for one in (await port.list_invoices(order.customer.id)).items if one.reference not in before]
    net = 10 * Decimal(facts.prices[ChargeKind.ANNUAL][1]) + 8 * Decimal(facts.prices[ChargeKind.SERVICE][1])

    assert len(fresh) == 1
    assert fresh[0].total.currency == facts.currency
    assert fresh[0].open_amount == fresh[0].total
    assert net <= fresh[0].total.amount <= net * Decimal("1.3"), "usage is not charged yet, and taxes are below 30 %"


async def test_a_subscription_is_cancelled_once_however_often_it_is_asked_for(port: Billing, order: NewSubscription) -> None:
    made = await port.create_subscription(order, "conformance-order")

    answers = [await port.cancel_subscription(made.reference.id) for _ in range(3)]
    found = await port.find_subscription(order.customer.id, order.key)

    assert {(one.reference, one.status) for one in answers} == {(made.reference, "cancelled")}
    assert found is not None
    assert found.status == "cancelled"


async def test_a_subscription_of_nobody_or_of_no_price_is_refused_and_not_made(
    port: Billing, facts: BillingFacts, order: NewSubscription
) -> None:
    stranger = order.model_copy(update={"customer": order.customer.model_copy(update={"id": facts.absent})})
    wrong_line = order.lines[0].model_copy(update={"price": "price_0000000000"})

    for wrong in (stranger, order.model_copy(update={"lines": [wrong_line]})):
        with pytest.raises(Problem) as refusal:
            await port.create_subscription(wrong, "conformance-wrong")
        assert not refusal.value.retryable
        assert not refusal.value.ambiguous
    assert await port.find_subscription(order.customer.id, order.key) is None
