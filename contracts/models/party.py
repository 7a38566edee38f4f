"""Who we sell to: the CRM's account, and the customer that billing and the ERP make of it."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from contracts.models.base import Code, Country, Days, Email, Id, Key, Model, Name, TaxId, classified
from contracts.models.money import Currency, Money
from contracts.models.reference import Reference


class Address(Model):
    model_config = ConfigDict(json_schema_extra=classified("confidential"))

    line1: Annotated[str, Field(max_length=255)]
    city: Annotated[str, Field(max_length=100)]
    postal_code: Annotated[str, Field(max_length=20)]
    country: Country
    state: Annotated[str, Field(max_length=50)] | None = None


class Account(Model):
    """An account as sales knows it. `number` is the business key under which every platform knows the customer."""

    reference: Reference
    number: Key
    name: Name
    currency: Currency
    active: bool
    email: Email | None = None
    address: Address | None = None
    tax_id: TaxId | None = None
    parent: Reference | None = None
    erp_customer_id: Id | None = None
    billing_customer_id: Id | None = None


class Accounts(Model):
    items: Annotated[list[Account], Field(max_length=200)]


class CreditTerms(Model):
    """What finance grants: days until payment is due, and the exposure up to which orders are accepted."""

    payment_days: Days
    credit_limit: Money


class NewCustomer(Model):
    """A customer to create if the platform has none under `key`."""

    key: Key
    legal_name: Name
    email: Email
    address: Address
    currency: Currency
    legal_entity: Code
    tax_id: TaxId | None = None
    terms: CreditTerms | None = None


class Customer(Model):
    """A customer in billing or in an ERP."""

    reference: Reference
    key: Key | None = None
    legal_name: Name
    currency: Currency | None = None
    active: bool


class Credit(Model):
    """A customer's standing in the ERP: exposure is what is owed plus what is ordered and not yet invoiced."""

    limit: Money | None = None
    exposure: Money
    overdue_days: Days
    on_hold: bool


CustomerStatus = Literal["active", "blocked"]


class CustomerStatusChange(Model):
    status: CustomerStatus
