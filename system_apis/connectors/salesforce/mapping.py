"""Salesforce's words as our models, and references as its fields. Pure functions: no I/O; every field is checked before use.

A field of the wrong type is an unintelligible answer; one whose content people got wrong is refused with what to correct.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import TypeVar

from pydantic import ValidationError

from contracts.models.money import Money
from contracts.models.party import Account, Address
from contracts.models.reference import Reference
from contracts.models.sales import Opportunity, Quote, QuoteLine, References
from kernel.problem import Refused
from system_apis.connectors.salesforce.fields import Fields
from system_apis.connectors.salesforce.options import CURRENCY, Options

_ALPHA_2 = re.compile(r"[A-Z]{2}")
_PRICE_UNIT = Decimal("1E-12")  # the finest unit price that our models hold
_MOST = Decimal(10**9)  # the largest quantity
M = TypeVar("M")


def _understood(make: Callable[[Fields, Options], M]) -> Callable[[Fields, Options], M]:
    """What Salesforce holds within its types but beyond our bounds is for a person to correct there."""

    @wraps(make)
    def made(wire: Fields, options: Options) -> M:
        try:
            return make(wire, options)
        except ValidationError as error:
            first = error.errors()[0]
            raise _wrong(wire, ".".join(str(part) for part in first["loc"]), first["msg"]) from None

    return made


@_understood
def account(wire: Fields, options: Options) -> Account:
    """An account without a number is known everywhere by its Salesforce id."""
    return Account(
        reference=_reference(wire, "account", wire.id()),
        number=wire.optional_text(options.account_number_field) or wire.id(),
        name=wire.text("Name"),
        currency=_currency(wire, options),
        active=wire.flag(options.active_field) if options.active_field else True,
        email=wire.optional_text(options.email_field),
        address=_address(wire, options),
        tax_id=wire.optional_text(options.tax_id_field),
        parent=_optional_reference(wire, "account", wire.optional_id("ParentId")),
        erp_customer_id=wire.optional_text(options.erp_customer_id_field),
        billing_customer_id=wire.optional_text(options.billing_customer_id_field),
    )


@_understood
def quote(wire: Fields, options: Options) -> Quote:
    """`total` is the quote's grand total: tax and shipping that sales entered on the quote are in it, and in no line."""
    currency, lines, owner = _currency(wire, options), wire.children("QuoteLineItems"), wire.optional_id("AccountId")
    if owner is None:
        raise _wrong(wire, "AccountId", "a quote without an account cannot be sold", "relate the quote to an opportunity")
    return Quote(
        reference=_reference(wire, "quote", wire.id()),
        number=wire.text("QuoteNumber"),
        name=wire.text("Name"),
        status=wire.optional_text("Status") or "none",
        approved=wire.optional_text("Status") in options.approved_statuses,
        account=_reference(wire, "account", owner),
        opportunity=_optional_reference(wire, "opportunity", wire.optional_id("OpportunityId")),
        currency=currency,
        expires_on=wire.optional_day("ExpirationDate"),
        contract_start=wire.optional_day(options.contract_start_field),
        contract_months=_contract_months(wire, options),
        lines=[_line(line, options) for line in lines],
        total=_money(wire, "GrandTotal", currency) if lines else Money.zero(currency),
        order_key=wire.optional_text(options.order_key_field),
    )


@_understood
def opportunity(wire: Fields, options: Options) -> Opportunity:
    valued = wire.optional_number("Amount") is not None
    return Opportunity(
        reference=_reference(wire, "opportunity", wire.id()),
        name=wire.text("Name"),
        stage=wire.text("StageName"),
        amount=_money(wire, "Amount", _currency(wire, options)) if valued else None,
        won=wire.flag("IsWon"),
    )


def account_form(references: References, options: Options) -> dict[str, str]:
    """Orders and subscriptions are written on quotes; an account holds the customer's ids."""
    return _form(
        (options.erp_customer_id_field, references.erp_customer_id),
        (options.billing_customer_id_field, references.billing_customer_id),
    )


def quote_form(references: References, options: Options) -> dict[str, str]:
    """The fields of a quote and of an opportunity, which bear the same names; the customer's ids are the account's."""
    return _form(
        (options.order_key_field, references.order_key),
        (options.erp_order_number_field, references.erp_order_number),
        (options.billing_subscription_id_field, references.billing_subscription_id),
    )


def _form(*pairs: tuple[str, str | None]) -> dict[str, str]:
    return {field: value for field, value in pairs if field and value is not None}


def _line(wire: Fields, options: Options) -> QuoteLine:
    product = wire.parent("Product2")
    sku = product.optional_text(options.sku_field) if product else None
    if sku is None:
        fix = f"give the product a {options.sku_field}"
        raise _wrong(wire, options.sku_field, f"the product of line {wire.id()} has none", fix)
    quantity = _whole(wire, "Quantity", wire.number("Quantity"))
    return QuoteLine(id=wire.id(), sku=sku, quantity=quantity, unit_price=_unit_price(wire, quantity))


def _unit_price(wire: Fields, quantity: int) -> Decimal:
    """What one piece costs after the line's discount, fine enough that quantity times it is the line's total to the unit."""
    if not quantity or not wire.optional_number("Discount"):
        return wire.number("UnitPrice")
    try:
        return (wire.number("TotalPrice") / quantity).quantize(_PRICE_UNIT).normalize() + 0
    except InvalidOperation:
        raise wire.odd("TotalPrice") from None


def _contract_months(wire: Fields, options: Options) -> int:
    months = wire.optional_number(options.contract_months_field)
    if months is not None:
        return _whole(wire, options.contract_months_field, months)
    if options.default_contract_months is None:
        field = options.contract_months_field or "contract_months"
        fix = f"enter the contract's length in months in {field}, or set options.default_contract_months"
        raise _wrong(wire, field, "the quote does not say for how long it is", fix)
    return options.default_contract_months


def _address(wire: Fields, options: Options) -> Address | None:
    """None unless all is there that an invoice needs."""
    street, city = wire.optional_text("BillingStreet"), wire.optional_text("BillingCity")
    postal_code, country = wire.optional_text("BillingPostalCode"), wire.optional_text(options.country_field)
    state = wire.optional_text(options.state_field)
    if street is None or city is None or postal_code is None or country is None:
        return None
    if not _ALPHA_2.fullmatch(country):
        fix = (
            f"write {options.country_field} as a code of ISO 3166 such as DE, or set options.country_field to BillingCountryCode "
            "and options.state_field to BillingStateCode where the org has country and state picklists"
        )
        raise _wrong(wire, options.country_field, f"{country!r} is no country code", fix)
    line1 = ", ".join(line.strip() for line in street.splitlines())
    return Address(line1=line1, city=city, postal_code=postal_code, country=country, state=state)


def _currency(wire: Fields, options: Options) -> str:
    if CURRENCY in wire.wire or options.default_currency is None:
        return wire.text(CURRENCY)
    return options.default_currency


def _money(wire: Fields, field: str, currency: str) -> Money:
    try:
        return Money.of(wire.number(field), currency)
    except ValidationError as error:
        raise _wrong(wire, field, error.errors()[0]["msg"]) from None


def _whole(wire: Fields, field: str, number: Decimal) -> int:
    if not 0 <= number <= _MOST or number != number.to_integral_value():
        raise _wrong(wire, field, "only whole numbers up to a thousand million can be processed")
    return int(number)


def _reference(wire: Fields, kind: str, id: str) -> Reference:
    return Reference(connection=wire.system, kind=kind, id=id)


def _optional_reference(wire: Fields, kind: str, id: str | None) -> Reference | None:
    return None if id is None else _reference(wire, kind, id)


def _wrong(wire: Fields, field: str, reason: str, fix: str = "") -> Refused:
    detail = f"Salesforce: {field} of {wire.name} {wire.id()}: {reason}"
    return Refused(detail, system=wire.system, field=field, fix=fix or f"correct {field} of the {wire.name} in Salesforce")
