"""Stripe's words as our models. Pure functions: no I/O; every wire field is checked before it is used."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from contracts.models.base import Key
from contracts.models.catalog import Price
from contracts.models.party import Customer
from contracts.models.reference import Reference
from contracts.models.subscription import Invoice, InvoiceStatus, Subscription, SubscriptionStatus
from contracts.models.tax import TaxPreview, TaxRequest
from kernel.problem import Refused
from system_apis.connectors.stripe.amounts import major, money
from system_apis.connectors.stripe.fields import Fields

EXTERNAL_ID = "external_id"  # our metadata on customers: the business key
EXTERNAL_REF = "external_ref"  # our metadata on subscriptions: the business key
CURRENCY = "currency"  # the currency agreed with a customer that Stripe has not charged yet
STATUS = "trivium_status"  # "blocked", or absent
BLOCKED = "blocked"

_KEY: TypeAdapter[str] = TypeAdapter(Key)
_SUBSCRIPTION_STATUS: Mapping[str, SubscriptionStatus] = {
    "incomplete": "pending",
    "incomplete_expired": "cancelled",
    "trialing": "active",
    "active": "active",
    "past_due": "past_due",
    "unpaid": "past_due",
    "canceled": "cancelled",
    "paused": "paused",
}
_INVOICE_STATUS: Mapping[str, InvoiceStatus] = {
    "draft": "draft",
    "open": "open",
    "paid": "paid",
    "uncollectible": "uncollectible",
    "void": "void",
}
M = TypeVar("M")
S = TypeVar("S")


def _understood(make: Callable[..., M]) -> Callable[..., M]:
    """What Stripe says within its types but beyond our bounds is an unintelligible answer too."""

    @wraps(make)
    def made(wire: Fields, *more: Any) -> M:
        try:
            return make(wire, *more)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise wire.odd(f"({where})") from None

    return made


def key(wire: Fields, name: str) -> str | None:
    """The business key in the metadata; None where there is none, or a person wrote something that cannot be one."""
    found = wire.object("metadata").optional_text(name)
    try:
        return None if found is None else _KEY.validate_python(found)
    except ValidationError:
        return None


def currency(wire: Fields) -> str:
    return wire.text("currency").upper()


@_understood
def customer(wire: Fields) -> Customer:
    """A customer without a name is shown by its id. Its currency is the charged one, or until then the agreed one."""
    metadata = wire.object("metadata")
    charged = wire.optional_text("currency") or metadata.optional_text(CURRENCY)
    return Customer(
        reference=Reference(connection=wire.system, kind="customer", id=wire.text("id")),
        key=key(wire, EXTERNAL_ID),
        legal_name=wire.optional_text("name") or wire.text("id"),
        currency=charged.upper() if charged else None,
        active=metadata.optional_text(STATUS) != BLOCKED,
    )


@_understood
def price(wire: Fields) -> Price:
    """A per-unit price; raises Refused for tiers, which a single unit price cannot express."""
    if wire.text("billing_scheme") != "per_unit":
        fix = "give the lookup key to a price with one amount per unit"
        raise Refused(f"Stripe: the price {wire.text('id')} has tiers", system=wire.system, field="keys", fix=fix)
    recurring = wire.optional_object("recurring")
    return Price(
        id=wire.text("id"),
        key=wire.text("lookup_key"),
        currency=currency(wire),
        unit_price=major(wire.decimal("unit_amount_decimal"), currency(wire)),
        recurring=recurring is not None,
        metered=recurring is not None and recurring.text("usage_type") == "metered",
    )


@_understood
def subscription(wire: Fields) -> Subscription:
    """Periods belong to the items since API release 2025-03-31; the first to end is when Stripe charges next."""
    ends = [item.instant("current_period_end") for item in wire.listed("items")]
    return Subscription(
        reference=Reference(connection=wire.system, kind="subscription", id=wire.text("id")),
        key=key(wire, EXTERNAL_REF),
        status=_status(wire, _SUBSCRIPTION_STATUS),
        currency=currency(wire),
        customer=wire.text("customer"),
        started_at=wire.instant("start_date"),
        current_period_end=min(ends, default=None),
    )


def live(found: Subscription) -> bool:
    return found.status != "cancelled"


@_understood
def invoice(wire: Fields) -> Invoice:
    finalized = wire.object("status_transitions").optional_instant("finalized_at")
    return Invoice(
        reference=Reference(connection=wire.system, kind="invoice", id=wire.text("id")),
        number=wire.optional_text("number"),
        status=_status(wire, _INVOICE_STATUS),
        total=_money(wire, "total"),
        open_amount=_money(wire, "amount_remaining"),
        issued_at=wire.optional_instant("effective_at") or finalized,
    )


@_understood
def tax_preview(wire: Fields, request: TaxRequest) -> TaxPreview:
    """The calculation's totals; they must be those of the lines that were sent, since no tax is contained in them."""
    gross, tax = _money(wire, "amount_total"), _money(wire, "tax_amount_exclusive")
    net = gross - tax
    sent = sum((line.amount.amount for line in request.lines), start=net.amount * 0)
    if wire.integer("tax_amount_inclusive") or currency(wire) != request.currency or net.amount != sent:
        raise wire.odd("amount_total")
    return TaxPreview(net=net, tax=tax, gross=gross)


def _money(wire: Fields, field: str) -> Any:
    return money(wire.integer(field), currency(wire))


def _status(wire: Fields, known: Mapping[str, S]) -> S:
    found = known.get(wire.text("status"))
    if found is None:
        raise wire.odd("status")
    return found
