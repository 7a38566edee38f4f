"""The ERP's sales order: what is to be delivered, by which legal entity, with the dimensions its books need."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from contracts.models.base import Code, Day, Id, Key, Model, Quantity
from contracts.models.money import Amount, Currency, Money
from contracts.models.reference import Reference


class SalesOrderLine(Model):
    """`item` is the ERP's item id, `amount` the exact total of the line in the order's currency; `dimensions` maps an ERP
    dimension (department, class, location) to its id there.
    """

    line: Key
    item: Id
    quantity: Quantity
    amount: Amount
    tax_code: Code | None = None
    dimensions: Mapping[Code, Id] = Field(default_factory=dict, max_length=10)


class NewSalesOrder(Model):
    """A sales order to create if the ERP has none under `key`."""

    key: Key
    customer: Reference
    legal_entity: Code
    currency: Currency
    ordered_on: Day
    lines: Annotated[list[SalesOrderLine], Field(min_length=1, max_length=500)]
    customer_reference: Code | None = None


SalesOrderStatus = Literal["pending", "in_progress", "completed", "cancelled"]


class SalesOrder(Model):
    reference: Reference
    key: Key
    number: Code
    status: SalesOrderStatus
    total: Money
    customer: Id
