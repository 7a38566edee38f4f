"""Billing's subscription: what is charged, how often, and since when."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.models.base import Code, Days, Id, Instant, Key, Model, Months, Quantity
from contracts.models.catalog import ChargeKind
from contracts.models.money import Currency, Money
from contracts.models.reference import Reference


class SubscriptionLine(Model):
    """`price` is the platform's price id; metered lines carry no quantity of their own.

    With `amount` the whole line is charged exactly that, whatever the price says: the part of a bundle.
    """

    line: Key
    sku: Code
    price: Id
    kind: ChargeKind
    quantity: Quantity
    amount: Money | None = None


class NewSubscription(Model):
    """A subscription to create if the customer has none under `key`; one-time lines go on its first invoice."""

    key: Key
    customer: Reference
    currency: Currency
    contract_months: Months
    payment_days: Days
    lines: Annotated[list[SubscriptionLine], Field(min_length=1, max_length=500)]


SubscriptionStatus = Literal["pending", "active", "paused", "past_due", "cancelled"]


class Subscription(Model):
    reference: Reference
    key: Key | None = None
    status: SubscriptionStatus
    currency: Currency
    customer: Id
    started_at: Instant | None = None
    current_period_end: Instant | None = None


class Subscriptions(Model):
    items: Annotated[list[Subscription], Field(max_length=200)]


InvoiceStatus = Literal["draft", "open", "paid", "void", "uncollectible"]


class Invoice(Model):
    """An invoice as billing issued it; `open_amount` is what is still to be paid."""

    reference: Reference
    number: Code | None = None
    status: InvoiceStatus
    total: Money
    open_amount: Money
    issued_at: Instant | None = None


class Invoices(Model):
    items: Annotated[list[Invoice], Field(max_length=200)]
