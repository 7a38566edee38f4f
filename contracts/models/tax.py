"""A tax preview: what the tax engine would charge. Its result is taken as is and never computed again."""

from typing import Annotated

from pydantic import Field

from contracts.models.base import Code, Key, Model, Quantity
from contracts.models.money import Currency, Money
from contracts.models.party import Address


class TaxableLine(Model):
    line: Key
    sku: Code
    amount: Money
    quantity: Quantity


class TaxRequest(Model):
    currency: Currency
    ship_to: Address
    lines: Annotated[list[TaxableLine], Field(min_length=1, max_length=500)]


class TaxPreview(Model):
    net: Money
    tax: Money
    gross: Money
