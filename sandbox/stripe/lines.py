"""Invoice lines: what an item costs for a period, what it used, what is credited when it changes. Nothing is stored here."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.stripe import rating
from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid, unlocatable
from sandbox.stripe.nexus import jurisdiction, locatable
from sandbox.stripe.wire import Wire

Period = tuple[int, int]
_REASONS = {"exempt": "customer_exempt", "reverse": "reverse_charge"}


@dataclass(frozen=True)
class Taxation:
    """The rates a document's lines bear, and why."""

    rates: Sequence[Wire] = ()
    reason: str = "not_available"


def taxation(account: Account, customer: Wire, default_rates: Sequence[Wire], automatic: bool) -> Taxation:
    """Default rates as given, or the rate of the customer's own place when tax is automatic."""
    if not automatic:
        return Taxation(default_rates)
    if not locatable(customer["address"]):
        raise unlocatable("automatic_tax[enabled]")
    place = jurisdiction(customer["address"])
    if customer["tax_exempt"] != "none":
        return Taxation((), _REASONS[customer["tax_exempt"]])
    rate = account.entity_rates.get(place.entity) if place else None
    return Taxation([account.table("tax_rate").rows[rate]] if rate else (), "standard_rated")


def tax_rates(account: Account, ids: Sequence[str] | None, param: str) -> list[Wire]:
    """The rates that a parameter names."""
    found = [account.find("tax_rate", id, param) for id in ids or ()]
    for rate in found:
        if not rate["active"]:
            raise invalid(f"The tax rate {rate['id']} is inactive.", param)
    return found


def line(
    account: Account,
    price: Wire,
    amount: int,
    description: str,
    period: Period,
    parent: Wire,
    taxes: Taxation,
    quantity: Decimal | int | None = 1,
    metadata: dict[str, str] | None = None,
) -> Wire:
    """One line. Its taxes are rounded on the line, half up."""
    whole = quantity is not None and quantity == int(quantity)
    return {
        "id": account.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": metadata or {},
        "parent": parent,
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": int(quantity) if whole and quantity is not None else None,
        "quantity_decimal": None if quantity is None else f"{Decimal(quantity):f}",
        "subscription": (parent[parent["type"]] or {}).get("subscription"),
        "subtotal": amount,
        "taxes": rating.taxes_of(amount, taxes.rates, taxes.reason),
    }


def of_item(item: Wire, *, proration: bool = False, invoice_item: str | None = None) -> Wire:
    details = {
        "invoice_item": invoice_item,
        "proration": proration,
        "proration_details": {"credited_items": None},
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    return {"type": "subscription_item_details", "subscription_item_details": details, "invoice_item_details": None}


def _of_invoice_item(account: Account, subscription: str | None) -> Wire:
    details = {
        "invoice_item": account.new_id("ii"),
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription,
    }
    return {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}


def own_taxes(item: Wire, taxes: Taxation) -> Taxation:
    return Taxation(item["tax_rates"]) if item.get("tax_rates") else taxes


def _product(account: Account, price: Wire) -> str:
    product = account.table("product").rows.get(price["product"])
    return product["name"] if product else str(price["product"])


def _per(price: Wire) -> str:
    recurring = price["recurring"]
    if recurring["interval_count"] == 1:
        return str(recurring["interval"])
    return f"every {recurring['interval_count']} {recurring['interval']}s"


def licensed(account: Account, item: Wire, period: Period, taxes: Taxation, share: Period | None = None) -> Wire:
    """An item's charge for a period, paid in advance; with `share`, only for that part of the full period."""
    price, quantity = item["price"], item["quantity"]
    amount = rating.price_amount(price, quantity)
    if share is not None:
        amount = rating.prorated(amount, *share, at=share[1] - (period[1] - period[0]))
    money = rating.describe_money(price["unit_amount_decimal"], price["currency"])
    description = f"{quantity} x {_product(account, price)} (at {money} / {_per(price)})"
    return line(account, price, amount, description, period, of_item(item), own_taxes(item, taxes), quantity)


def usage(account: Account, item: Wire, period: Period, used: Decimal, taxes: Taxation) -> Wire:
    """A metered item's charge for what was used in a period that has ended."""
    price = item["price"]
    money = rating.describe_money(price["unit_amount_decimal"], price["currency"])
    description = f"{used:f} x {_product(account, price)} (at {money} / {_per(price)})"
    amount = rating.price_amount(price, used)
    return line(account, price, amount, description, period, of_item(item), own_taxes(item, taxes), used)


def trial(account: Account, item: Wire, period: Period, taxes: Taxation) -> Wire:
    description = f"Trial period for {_product(account, item['price'])}"
    return line(account, item["price"], 0, description, period, of_item(item), own_taxes(item, taxes), item["quantity"])


def one_time(account: Account, entry: dict[str, Any], subscription: str | None, at: int, taxes: Taxation) -> Wire:
    """What is added once: `entry` has price (a row), quantity, tax_rates (rows) and metadata."""
    price, quantity = entry["price"], entry["quantity"]
    amount, parent = rating.price_amount(price, quantity), _of_invoice_item(account, subscription)
    own = own_taxes(entry, taxes)
    return line(account, price, amount, _product(account, price), (at, at), parent, own, quantity, entry["metadata"])


def proration(account: Account, item: Wire, at: int, taxes: Taxation, *, credit: bool) -> Wire:
    """The unused rest of an item's period given back, or the rest of it charged, from `at` to its end."""
    price, quantity = item["price"], item["quantity"]
    start, end = item["current_period_start"], item["current_period_end"]
    rest = rating.prorated(rating.price_amount(price, quantity), start, end, min(max(at, start), end))
    words = "Unused time on" if credit else "Remaining time on"
    description = f"{words} {quantity} x {_product(account, price)}"
    parent = of_item(item, proration=True, invoice_item=account.new_id("ii"))
    amount = -rest if credit else rest
    return line(account, price, amount, description, (at, end), parent, own_taxes(item, taxes), quantity)
