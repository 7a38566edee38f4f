"""The books that an ERP keeps: legal entities and accounting periods."""

from datetime import date

from contracts.models.base import Code, Country, Id, Model, Name
from contracts.models.money import Currency


class LegalEntity(Model):
    """A company that owns books in an ERP; `id` is the ERP's."""

    id: Id
    name: Name
    country: Country
    currency: Currency
    active: bool


class AccountingPeriod(Model):
    """A month of an entity's books, half-open [start, end); open means receivables may still be posted into it."""

    id: Id
    name: Name
    start: date
    end: date
    open: bool


class TaxCode(Model):
    id: Id
    code: Code
    active: bool
