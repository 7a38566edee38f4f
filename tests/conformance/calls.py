"""Every method of every port as a call that can be made against the seeded world, over and over."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.models.catalog import ChargeKind
from contracts.models.money import Money
from contracts.models.order import NewSalesOrder, SalesOrderLine
from contracts.models.party import Address, CreditTerms, CustomerStatusChange, NewCustomer
from contracts.models.sales import References
from contracts.models.subscription import NewSubscription, SubscriptionLine
from contracts.models.tax import TaxableLine, TaxRequest
from contracts.ports.system import Billing, Crm, Erp
from tests.conformance.platform import BillingFacts, CrmFacts, ErpFacts, Facts

SAN_FRANCISCO = Address(line1="1 Test Ave", city="San Francisco", postal_code="94105", country="US", state="CA")


@dataclass(frozen=True)
class Calls:
    """`run` maps each method's name to a call of it; `new` maps each create to the form it sends."""

    run: Mapping[str, Callable[[], Awaitable[Any]]]
    new: Mapping[str, Any] = field(default_factory=dict)


def new_customer(facts: BillingFacts | ErpFacts, key: str = "ACC-7001") -> NewCustomer:
    return NewCustomer(
        key=key,
        legal_name="Conformance Testing Inc",
        email="ap@conformance.example",
        address=SAN_FRANCISCO,
        currency=facts.currency,
        legal_entity=facts.legal_entity,
        tax_id="12-3456789",
        terms=CreditTerms(payment_days=30, credit_limit=Money.of("25000", facts.currency)),
    )


def tax_request(facts: BillingFacts) -> TaxRequest:
    lines = [
        TaxableLine(line="L1", sku="A", amount=Money.of("1200.00", facts.currency), quantity=1),
        TaxableLine(line="L2", sku="B", amount=Money.of("0.07", facts.currency), quantity=3),
    ]
    return TaxRequest(currency=facts.currency, ship_to=SAN_FRANCISCO, lines=lines)


async def new_subscription(port: Billing, facts: BillingFacts, key: str = "ORD-7001") -> NewSubscription:
    """A contract of ten annual seats, usage and eight hours of service for the seeded customer."""
    customer = await port.find_customer(facts.customer_key)
    assert customer is not None
    quantities = {ChargeKind.ANNUAL: 10, ChargeKind.MONTHLY_USAGE: 1, ChargeKind.SERVICE: 8}
    prices = {one.key: one.id for one in (await port.list_prices([facts.prices[kind][0] for kind in quantities])).items}
    lines = [
        SubscriptionLine(line=f"L-{kind}", sku=kind, price=prices[facts.prices[kind][0]], kind=kind, quantity=quantity)
        for kind, quantity in quantities.items()
    ]
    return NewSubscription(
        key=key, customer=customer.reference, currency=facts.currency, contract_months=12, payment_days=30, lines=lines
    )


async def new_sales_order(port: Erp, facts: ErpFacts, key: str = "ORD-7001") -> NewSalesOrder:
    """Two pieces of a seeded item, at a price that the ERP does not know."""
    customer = await port.find_customer(facts.customer_key)
    items = (await port.list_items([facts.item], facts.currency)).items
    tax = await port.find_tax_code(facts.tax_code)
    assert customer is not None
    assert tax is not None
    line = SalesOrderLine(line="L1", item=items[0].id, quantity=2, amount="2400.02", tax_code=tax.code)
    return NewSalesOrder(
        key=key,
        customer=customer.reference,
        legal_entity=facts.legal_entity,
        currency=facts.currency,
        ordered_on=facts.open_day,
        lines=[line],
    )


async def calls(port: Any, facts: Facts, through: Any = None) -> Calls:
    """The calls of a port, after making what they need through `port`; they go `through` another connector's port if given."""
    target = through or port
    match facts:
        case CrmFacts():
            return _crm(target, facts)
        case BillingFacts():
            return await _billing(port, target, facts)
        case ErpFacts():
            return await _erp(port, target, facts)


def _crm(target: Crm, facts: CrmFacts) -> Calls:
    references = References(order_key="ORD-7001", erp_order_number="SO-1", billing_subscription_id="sub_1")
    customers = References(erp_customer_id="123", billing_customer_id="cus_1")
    return Calls(
        {
            "get_account": lambda: target.get_account(facts.account),
            "get_quote": lambda: target.get_quote(facts.quote),
            "list_quotes": lambda: target.list_quotes(facts.account),
            "list_opportunities": lambda: target.list_opportunities(facts.account),
            "write_account_references": lambda: target.write_account_references(facts.account, customers),
            "write_quote_references": lambda: target.write_quote_references(facts.quote, references),
        }
    )


async def _billing(port: Billing, target: Billing, facts: BillingFacts) -> Calls:
    subscription = await new_subscription(port, facts, "ORD-7002")
    customer, made = subscription.customer.id, await port.create_subscription(subscription, "conformance-7002")
    new = {"create_customer": new_customer(facts), "create_subscription": await new_subscription(port, facts)}
    keys = [key for key, _ in facts.prices.values()]
    return Calls(
        {
            "find_customer": lambda: target.find_customer(facts.customer_key),
            "get_customer": lambda: target.get_customer(customer),
            "create_customer": lambda: target.create_customer(new["create_customer"], "conformance-7001-customer"),
            "set_customer_status": lambda: target.set_customer_status(customer, CustomerStatusChange(status="blocked")),
            "list_prices": lambda: target.list_prices(keys),
            "preview_tax": lambda: target.preview_tax(tax_request(facts)),
            "find_subscription": lambda: target.find_subscription(customer, subscription.key),
            "get_subscription": lambda: target.get_subscription(made.reference.id),
            "list_subscriptions": lambda: target.list_subscriptions(customer),
            "list_invoices": lambda: target.list_invoices(customer),
            "create_subscription": lambda: target.create_subscription(new["create_subscription"], "conformance-7001"),
            "cancel_subscription": lambda: target.cancel_subscription(made.reference.id),
        },
        new,
    )


async def _erp(port: Erp, target: Erp, facts: ErpFacts) -> Calls:
    order = await new_sales_order(port, facts, "ORD-7002")
    customer, made = order.customer.id, await port.create_sales_order(order, "conformance-7002")
    new = {"create_customer": new_customer(facts), "create_sales_order": await new_sales_order(port, facts)}
    terms = CreditTerms(payment_days=60, credit_limit=Money.of("75000", facts.currency))
    return Calls(
        {
            "find_customer": lambda: target.find_customer(facts.customer_key),
            "get_customer": lambda: target.get_customer(customer),
            "create_customer": lambda: target.create_customer(new["create_customer"], "conformance-7001-customer"),
            "set_customer_status": lambda: target.set_customer_status(customer, CustomerStatusChange(status="blocked")),
            "get_credit": lambda: target.get_credit(customer),
            "set_credit_terms": lambda: target.set_credit_terms(customer, terms),
            "list_items": lambda: target.list_items([facts.item], facts.currency),
            "find_tax_code": lambda: target.find_tax_code(facts.tax_code),
            "get_legal_entity": lambda: target.get_legal_entity(facts.legal_entity),
            "find_period": lambda: target.find_period(facts.open_day),
            "find_sales_order": lambda: target.find_sales_order(order.key),
            "get_sales_order": lambda: target.get_sales_order(made.reference.id),
            "create_sales_order": lambda: target.create_sales_order(new["create_sales_order"], "conformance-7001"),
            "cancel_sales_order": lambda: target.cancel_sales_order(made.reference.id),
        },
        new,
    )
