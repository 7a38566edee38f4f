"""One customer seen across the three systems, each part with its own answer to whether it could be asked."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from contracts.models.base import Code, Key, Model, classified
from contracts.models.intake import Order
from contracts.models.party import Account, Credit, Customer
from contracts.models.sales import Opportunity, Quote
from contracts.models.subscription import Invoice, Subscription


class Unavailable(Model):
    """A part that could not be shown, and why."""

    part: Code
    problem: Mapping[str, Any]


class CustomerView(Model):
    """What sales sees of a customer; a part whose system did not answer is listed in `unavailable` and left out."""

    customer_key: Key
    account: Account
    erp_customer: Customer | None = None
    credit: Annotated[Credit | None, Field(json_schema_extra=classified("confidential"))] = None
    billing_customer: Customer | None = None
    opportunities: Annotated[list[Opportunity], Field(max_length=200)] = []
    quotes: Annotated[list[Quote], Field(max_length=200)] = []
    subscriptions: Annotated[list[Subscription], Field(max_length=200)] = []
    invoices: Annotated[list[Invoice], Field(max_length=200)] = []
    orders: Annotated[list[Order], Field(max_length=200)] = []
    unavailable: Annotated[list[Unavailable], Field(max_length=20)] = []
