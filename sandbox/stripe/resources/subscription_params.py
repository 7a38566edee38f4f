"""What subscriptions take, and how parameters become the rows they name."""

from typing import Any

from sandbox.stripe import lines
from sandbox.stripe.account import Account
from sandbox.stripe.errors import Refused, invalid, missing
from sandbox.stripe.parameters import (
    EXPAND,
    Required,
    Shape,
    array,
    boolean,
    changed_metadata,
    choice,
    either,
    group,
    integer,
    metadata,
    text,
)
from sandbox.stripe.resources.prices import ONE_TIME_DATA, RECURRING_DATA, price_row
from sandbox.stripe.wire import Wire

_ID = text(unset=False)
PRORATION = choice("always_invoice", "create_prorations", "none")
COLLECTION = choice("charge_automatically", "send_invoice")
MODE: Shape = {
    "flexible": group({"proration_discounts": choice("included", "itemized")}),
    "type": Required(choice("classic", "flexible")),
}
_UNSET: Wire = dict.fromkeys(("account_tax_ids", "custom_fields", "description", "footer"))
INVOICE_SETTINGS: Wire = _UNSET | {"issuer": {"type": "self"}}

ITEM: Shape = {
    "metadata": metadata,
    "price": _ID,
    "price_data": group(RECURRING_DATA),
    "quantity": integer(0),
    "tax_rates": array(_ID, 5),
}
CHANGED_ITEM: Shape = ITEM | {"id": _ID, "deleted": boolean, "clear_usage": boolean}
ADDED_ONCE: Shape = ITEM | {"price_data": group(ONE_TIME_DATA), "discountable": boolean}

_SHARED: Shape = EXPAND | {
    "add_invoice_items": array(group(ADDED_ONCE), 20),
    "automatic_tax": group({"enabled": Required(boolean)}),
    "cancel_at": either(integer(0, unset=True), choice("max_period_end", "min_period_end")),
    "cancel_at_period_end": boolean,
    "collection_method": COLLECTION,
    "days_until_due": integer(0, 730),
    "default_payment_method": text(),
    "default_tax_rates": array(_ID, 5),
    "description": text(500),
    "metadata": metadata,
    "off_session": boolean,
    "payment_behavior": choice("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"),
    "proration_behavior": PRORATION,
    "trial_end": either(choice("now"), integer(0)),
}
CREATED: Shape = _SHARED | {
    "backdate_start_date": integer(0),
    "billing_cycle_anchor": integer(0),
    "billing_mode": group(MODE),
    "currency": text(3, unset=False),
    "customer": Required(_ID),
    "items": array(group(ITEM), 20),
    "trial_period_days": integer(0, 730),
}
UPDATED: Shape = _SHARED | {
    "billing_cycle_anchor": group({"type": Required(choice("now", "unchanged"))}),
    "cancellation_details": group({"comment": text(), "feedback": text()}),
    "items": array(group(CHANGED_ITEM), 20),
    "proration_date": integer(0),
    "trial_end": choice("now"),
}
CANCELED: Shape = EXPAND | {
    "cancellation_details": group({"comment": text(), "feedback": text()}),
    "invoice_now": boolean,
    "prorate": boolean,
}


def price_of(account: Account, given: dict[str, Any], name: str, kind: str) -> Wire:
    """The price that an entry names or describes. Raises Refused unless it is active and of the kind."""
    if "price_data" in given:
        if "price" in given:
            message = "You may only specify one of these parameters: price, price_data."
            raise invalid(message, f"{name}[price]", "parameters_exclusive")
        price = price_row(account, given["price_data"]) | {"active": False}  # stored with what is made of it
    elif "price" in given:
        price = account.find("price", given["price"], f"{name}[price]")
        if not price["active"]:
            raise invalid("The price specified is inactive. This field only accepts active prices.", f"{name}[price]")
    else:
        raise missing(f"{name}[price]")
    if price["type"] != kind:
        message = f"The price specified is set to `type={price['type']}` but this field only accepts prices with `type={kind}`."
        raise invalid(message, f"{name}[price]")
    return price


def entry(account: Account, given: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
    """An item or an addition with its price, tax rates and metadata resolved."""
    price = price_of(account, given, name, kind)
    if "quantity" in given and price["recurring"] and price["recurring"]["usage_type"] == "metered":
        raise invalid("You cannot set the quantity for metered prices.", f"{name}[quantity]")
    return {
        "price": price,
        "quantity": given.get("quantity", 1),
        "tax_rates": lines.tax_rates(account, given.get("tax_rates"), f"{name}[tax_rates]"),
        "metadata": changed_metadata({}, given.get("metadata", {})),
    }


def entries(account: Account, given: list[dict[str, Any]], name: str, kind: str) -> list[dict[str, Any]]:
    return [entry(account, one, f"{name}[{n}]", kind) for n, one in enumerate(given)]


def currency_of(found: list[dict[str, Any]], given: str | None) -> str:
    """The one currency of all prices."""
    currencies = {one["price"]["currency"] for one in found}
    if len(currencies) > 1:
        shown = ", ".join(sorted(currencies))
        raise invalid(f"All prices on a subscription must have the same currency; these have {shown}.", "items")
    currency = str(currencies.pop())
    if given is not None and given.lower() != currency:
        raise invalid(f"The currency {given} does not match the currency of the prices, {currency}.", "currency")
    return currency


def same_interval(found: list[dict[str, Any]], mode: str) -> None:
    """Only flexible billing mixes intervals on one subscription."""
    intervals = {(e["price"]["recurring"]["interval"], e["price"]["recurring"]["interval_count"]) for e in found}
    if len(intervals) > 1 and mode == "classic":
        message = "All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`."
        raise invalid(message, "items")


def due_days(method: str, days: int | None) -> int | None:
    """`days_until_due` where the method needs it. Raises Refused where it is missing or out of place."""
    if method == "send_invoice":
        if days is None:
            message = "You must specify `days_until_due` when `collection_method` is `send_invoice`."
            raise Refused(400, message, code="parameter_missing", param="days_until_due")
        return days
    if days is not None:
        raise invalid("You can only set `days_until_due` when `collection_method` is `send_invoice`.", "days_until_due")
    return None
