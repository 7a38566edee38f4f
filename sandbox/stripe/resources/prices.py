"""Prices: `/v1/prices`. The amount never changes; a lookup key can move from an old price to its successor."""

from decimal import Decimal
from typing import Any

from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import conflict_of_state, invalid, missing
from sandbox.stripe.lists import page
from sandbox.stripe.parameters import (
    EXPAND,
    PAGE,
    Required,
    Shape,
    array,
    boolean,
    changed_metadata,
    choice,
    decimal,
    group,
    integer,
    metadata,
    ranged,
    text,
)
from sandbox.stripe.resources.reading import retrieve, search
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_INTERVAL = choice("day", "week", "month", "year")
_AMOUNT: Shape = {"unit_amount": integer(0, 999_999_999_999), "unit_amount_decimal": decimal}
_TAX_BEHAVIOR = choice("exclusive", "inclusive", "unspecified")

# `price_data` of a subscription's items, and of what is added once to its first invoice
RECURRING_DATA: Shape = _AMOUNT | {
    "currency": Required(text(3, unset=False)),
    "product": Required(text(unset=False)),
    "recurring": Required(group({"interval": Required(_INTERVAL), "interval_count": integer(1, 365)})),
    "tax_behavior": _TAX_BEHAVIOR,
}
ONE_TIME_DATA: Shape = {name: check for name, check in RECURRING_DATA.items() if name != "recurring"}

_CREATED: Shape = (
    EXPAND
    | _AMOUNT
    | {
        "active": boolean,
        "billing_scheme": choice("per_unit"),
        "currency": Required(text(3, unset=False)),
        "lookup_key": text(200),
        "metadata": metadata,
        "nickname": text(),
        "product": text(unset=False),
        "recurring": group(
            {
                "interval": Required(_INTERVAL),
                "interval_count": integer(1, 365),
                "meter": text(unset=False),
                "usage_type": choice("licensed", "metered"),
            }
        ),
        "tax_behavior": _TAX_BEHAVIOR,
        "transfer_lookup_key": boolean,
    }
)
_UPDATED: Shape = EXPAND | {
    "active": boolean,
    "lookup_key": text(200),
    "metadata": metadata,
    "nickname": text(),
    "tax_behavior": _TAX_BEHAVIOR,
    "transfer_lookup_key": boolean,
}


def create(call: Call) -> Wire:
    account, params = call.account, call.params
    if params.get("product") is None:
        raise missing("product")
    row = price_row(account, params)
    row["metadata"] = changed_metadata({}, params.get("metadata", {}))
    row |= {k: params[k] for k in ("active", "lookup_key", "nickname") if k in params}
    _move_lookup_key(account, params)
    account.save(row)
    account.emit("price.created", row)
    return row


def price_row(account: Account, data: dict[str, Any]) -> Wire:
    """A price object from `price_data` or from the parameters of a creation; not stored yet."""
    product = account.find("product", data["product"], "product")
    if not product["active"]:
        raise invalid(f"The product '{product['id']}' is marked as inactive.", "product", "product_inactive")
    unit_amount, unit_decimal = _amounts(data)
    recurring = data.get("recurring")
    return {
        "id": account.new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": account.now(),
        "currency": _currency(data["currency"]),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product["id"],
        "recurring": _recurring(account, recurring) if recurring else None,
        "tax_behavior": data.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": unit_decimal,
    }


def _currency(code: str) -> str:
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise invalid(f"Invalid currency: {code}. It must be a three-letter ISO 4217 code.", "currency")
    return code.lower()


def _amounts(data: dict[str, Any]) -> tuple[int | None, str]:
    """`unit_amount` and `unit_amount_decimal`; the integer is null where the amount has a fraction of a minor unit."""
    if "unit_amount" in data and "unit_amount_decimal" in data:
        message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal."
        raise invalid(message, "unit_amount_decimal", "parameters_exclusive")
    exact = data.get("unit_amount_decimal", data.get("unit_amount"))
    if exact is None:
        raise missing("unit_amount")
    amount = Decimal(exact)
    if amount < 0:
        raise invalid("This value must be greater than or equal to 0.", "unit_amount_decimal", "parameter_invalid_integer")
    whole = amount == amount.to_integral_value()
    return int(amount) if whole else None, str(int(amount)) if whole else f"{amount.normalize():f}"


def _recurring(account: Account, given: dict[str, Any]) -> Wire:
    usage_type, meter = given.get("usage_type", "licensed"), given.get("meter")
    if meter is not None:
        if usage_type != "metered":
            raise invalid("A meter may only be set on prices with `usage_type=metered`.", "recurring[meter]")
        account.find("billing.meter", meter, "recurring[meter]")
    elif usage_type == "metered":
        raise invalid("A price with `usage_type=metered` must be backed by a meter.", "recurring[meter]", "parameter_missing")
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": meter,
        "trial_period_days": None,
        "usage_type": usage_type,
    }


def _move_lookup_key(account: Account, params: dict[str, Any], to: str | None = None) -> None:
    key = params.get("lookup_key")
    for holder in account.table("price").having("lookup_key", key) if key else ():
        if holder["id"] == to:
            continue
        if not params.get("transfer_lookup_key"):
            message = f"A price (`{holder['id']}`) already uses that lookup key."
            raise conflict_of_state(message, "resource_already_exists", "lookup_key")
        account.update(holder, {"lookup_key": None}, "price.updated")


def update(call: Call) -> Wire:
    row = call.named("price", "price")
    changes = {k: v for k, v in call.params.items() if k != "transfer_lookup_key"}
    if "metadata" in changes:
        changes["metadata"] = changed_metadata(row["metadata"], changes["metadata"])
    _move_lookup_key(call.account, call.params, row["id"])
    return call.account.update(row, changes, "price.updated")


def list_prices(call: Call) -> Wire:
    keys, recurring = call.get("lookup_keys"), call.get("recurring", {})
    plain = {k: call.params[k] for k in ("active", "currency", "type") if k in call.params}

    def keep(row: Wire) -> bool:
        return (
            all(row[k] == v for k, v in plain.items())
            and (keys is None or row["lookup_key"] in keys)
            and all((row["recurring"] or {}).get(k) == v for k, v in recurring.items())
        )

    table, url = call.account.table("price"), "/v1/prices"
    if keys and len(keys) == 1:
        return page(table, url, call.params, {"product": call.get("product"), "lookup_key": keys[0]}, keep)
    return page(table, url, call.params, {"product": call.get("product")}, keep)


_FILTERS: Shape = {
    "active": boolean,
    "created": ranged,
    "currency": text(3, unset=False),
    "lookup_keys": array(text(200, unset=False), 10),
    "product": text(unset=False),
    "recurring": group({"interval": _INTERVAL, "meter": text(unset=False), "usage_type": choice("licensed", "metered")}),
    "type": choice("one_time", "recurring"),
}
OPERATIONS = (
    Operation("POST", "/v1/prices", create, _CREATED),
    Operation("POST", "/v1/prices/{price}", update, _UPDATED),
    Operation("GET", "/v1/prices", list_prices, PAGE | _FILTERS),
    retrieve("/v1/prices/{price}", "price"),
    search("/v1/prices/search", "price"),
)
