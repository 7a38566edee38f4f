"""What sales promised: opportunities and quotes, as the CRM holds them."""

from datetime import date
from typing import Annotated

from pydantic import Field

from contracts.models.base import Code, Id, Key, Model, Months, Name, Quantity
from contracts.models.money import Amount, Currency, Money
from contracts.models.reference import Reference


class QuoteLine(Model):
    id: Id
    sku: Code
    quantity: Quantity
    unit_price: Amount


class Quote(Model):
    """A quote and the contract it offers. `number` is what people call it; `approved` is the CRM's own decision."""

    reference: Reference
    number: Key
    name: Name
    status: Code
    approved: bool
    account: Reference
    opportunity: Reference | None = None
    currency: Currency
    expires_on: date | None = None
    contract_start: date | None = None
    contract_months: Months
    lines: Annotated[list[QuoteLine], Field(max_length=500)]
    total: Money
    order_key: Key | None = None


class Quotes(Model):
    items: Annotated[list[Quote], Field(max_length=200)]


class Opportunity(Model):
    reference: Reference
    name: Name
    stage: Code
    amount: Money | None = None
    won: bool


class Opportunities(Model):
    items: Annotated[list[Opportunity], Field(max_length=200)]


class References(Model):
    """What sales should see on its record: our order, the ERP's order and customer, billing's subscription and customer.

    Absent members are left as they are.
    """

    order_key: Key | None = None
    erp_customer_id: Id | None = None
    erp_order_number: Code | None = None
    billing_customer_id: Id | None = None
    billing_subscription_id: Id | None = None
