"""Tax rates: `/v1/tax_rates`, whose percentage never changes."""

from decimal import Decimal

from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page
from sandbox.stripe.parameters import EXPAND, PAGE, Required, Shape, boolean, changed_metadata, decimal, metadata, ranged, text
from sandbox.stripe.resources.reading import retrieve
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_RATE: Shape = EXPAND | {
    "active": boolean,
    "country": text(2),
    "description": text(),
    "display_name": text(100, unset=False),
    "jurisdiction": text(200),
    "metadata": metadata,
    "state": text(3),
    "tax_type": text(40),
}


def create_rate(call: Call) -> Wire:
    params = call.params
    if not 0 <= params["percentage"] <= 100:
        raise invalid("Invalid decimal: percentage must be between 0 and 100", "percentage")
    row = rate_row(call.account, params["display_name"], params["percentage"], params["inclusive"])
    row |= {k: v for k, v in params.items() if k != "metadata"}
    row["metadata"] = changed_metadata({}, params.get("metadata", {}))
    call.account.save(row)
    call.account.emit("tax_rate.created", row)
    return row


def rate_row(account: Account, name: str, percentage: Decimal, inclusive: bool) -> Wire:
    return {
        "id": account.new_id("txr"),
        "object": "tax_rate",
        "active": True,
        "country": None,
        "created": account.now(),
        "description": None,
        "display_name": name,
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": inclusive,
        "jurisdiction": None,
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": {},
        "percentage": percentage,
        "rate_type": "percentage",
        "state": None,
        "tax_type": None,
    }


def update_rate(call: Call) -> Wire:
    row, changes = call.named("tax_rate", "tax_rate"), dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = changed_metadata(row["metadata"], changes["metadata"])
    return call.account.update(row, changes, "tax_rate.updated")


def list_rates(call: Call) -> Wire:
    plain = {k: call.params[k] for k in ("active", "inclusive") if k in call.params}
    rows = call.account.table("tax_rate")
    return page(rows, "/v1/tax_rates", call.params, keep=lambda row: all(row[k] == v for k, v in plain.items()))


_CREATED_RATE: Shape = _RATE | {
    "display_name": Required(text(100, unset=False)),
    "inclusive": Required(boolean),
    "percentage": Required(decimal),
}
OPERATIONS = (
    Operation("POST", "/v1/tax_rates", create_rate, _CREATED_RATE),
    Operation("POST", "/v1/tax_rates/{tax_rate}", update_rate, _RATE),
    Operation("GET", "/v1/tax_rates", list_rates, PAGE | {"active": boolean, "created": ranged, "inclusive": boolean}),
    retrieve("/v1/tax_rates/{tax_rate}", "tax_rate"),
)
