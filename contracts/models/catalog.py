"""What is sold: charge kinds, the ERP's items, billing's prices."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.models.base import Code, Id, Model, Name
from contracts.models.money import Amount, Currency


class ChargeKind(StrEnum):
    """How a line earns: its billing rhythm and its revenue treatment follow from it."""

    ANNUAL = "annual"
    MONTHLY_USAGE = "monthly_usage"
    SERVICE = "service"
    GOODS = "goods"


class Item(Model):
    """An ERP item. `available` is None where stock does not apply; `unit_price` is the base price in the asked currency."""

    code: Code
    id: Id
    name: Name
    active: bool
    available: Annotated[Decimal, Field(max_digits=18, decimal_places=6)] | None = None
    unit_price: Amount | None = None


class Items(Model):
    items: Annotated[list[Item], Field(max_length=500)]


class Price(Model):
    """A price by which billing can rate a line. `key` is the platform's own stable name of it."""

    id: Id
    key: Code
    currency: Currency
    unit_price: Amount
    recurring: bool
    metered: bool


class Prices(Model):
    items: Annotated[list[Price], Field(max_length=500)]
