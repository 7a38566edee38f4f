"""Subscription schedules: `/v1/subscription_schedules`, phases that start, change and end a subscription as time passes."""

from sandbox.stripe import subscribing
from sandbox.stripe.account import Call
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
    either,
    group,
    integer,
    metadata,
    ranged,
    text,
)
from sandbox.stripe.resources import phasing
from sandbox.stripe.resources import subscription_params as given
from sandbox.stripe.resources.customers import check_currency
from sandbox.stripe.resources.reading import retrieve
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_ID = text(unset=False)
_OVER = frozenset({"canceled", "completed", "released"})


def create(call: Call) -> Wire:
    account, params = call.account, call.params
    if "from_subscription" in params:
        return _from_subscription(call, params["from_subscription"])
    if "customer" not in params:
        raise missing("customer")
    if not params.get("phases"):
        raise missing("phases")
    customer = account.find("customer", params["customer"], "customer")
    begin = account.now() if params.get("start_date", "now") == "now" else params["start_date"]
    row = phasing.row(account, customer["id"], params.get("end_behavior", "release"), params.get("metadata", {}))
    row["phases"] = phasing.phases(account, params["phases"], begin)
    for phase in row["phases"]:
        check_currency(customer, phase["currency"])
    account.save(row)
    account.emit("subscription_schedule.created", row)
    if begin <= account.now():
        phasing.begin(account, row)
    else:
        account.later(begin, lambda: phasing.begin(account, row))
    return row


def _from_subscription(call: Call, id: str) -> Wire:
    """A schedule whose one phase is a subscription's current period, as the vendor makes it; phases follow by update."""
    account, subscription = call.account, call.account.find("subscription", id, "from_subscription")
    if set(call.params) - {"from_subscription"}:
        message = "You cannot set other parameters when `from_subscription` is set."
        raise invalid(message, "from_subscription", "parameters_exclusive")
    if subscription["schedule"]:
        raise conflict_of_state(f"The subscription {id} is already attached to a schedule: {subscription['schedule']}.")
    items = subscribing.items_of(subscription)
    phase = {
        "items": [{"price": i["price"]["id"]} | ({"quantity": i["quantity"]} if "quantity" in i else {}) for i in items],
        "end_date": max(i["current_period_end"] for i in items),
        "metadata": {},
        "collection_method": subscription["collection_method"],
        "invoice_settings": {"days_until_due": subscription["days_until_due"]},
    }
    row = phasing.row(account, subscription["customer"], "release", {})
    row["phases"] = phasing.phases(account, [phase], min(i["current_period_start"] for i in items))
    account.save(row)
    account.emit("subscription_schedule.created", row)
    account.update(subscription, {"schedule": row["id"]})
    phasing.enter(account, row, row["phases"][0], subscription["id"])
    return row


def update(call: Call) -> Wire:
    account, row, params = call.account, call.named("subscription_schedule", "schedule"), call.params
    _still_going(row)
    changes: Wire = {k: params[k] for k in ("end_behavior",) if k in params}
    if "metadata" in params:
        changes["metadata"] = changed_metadata(row["metadata"], params["metadata"])
    if params.get("phases"):
        begin = params["phases"][0].get("start_date", row["phases"][0]["start_date"])
        changes["phases"] = phasing.phases(account, params["phases"], begin)
    return account.update(row, changes, "subscription_schedule.updated")


def _still_going(row: Wire) -> None:
    if row["status"] in _OVER:
        message = f"You cannot change a subscription schedule that is currently in the `{row['status']}` status."
        raise conflict_of_state(message, "status_transition_invalid")


def cancel(call: Call) -> Wire:
    account, row = call.account, call.named("subscription_schedule", "schedule")
    _still_going(row)
    account.update(row, {"status": "canceled", "canceled_at": account.now(), "current_phase": None})
    account.emit("subscription_schedule.canceled", row)
    subscription = account.table("subscription").rows.get(row["subscription"] or "")
    if subscription and subscription["status"] in subscribing.LIVE | {"incomplete"}:
        options = {"invoice_now": call.get("invoice_now", True), "prorate": call.get("prorate", True)}
        subscribing.end(account, subscription, **options)
    return row


def release(call: Call) -> Wire:
    row = call.named("subscription_schedule", "schedule")
    _still_going(row)
    return phasing.release(call.account, row)


def list_schedules(call: Call) -> Wire:
    url, waiting = "/v1/subscription_schedules", call.get("scheduled")

    def keep(row: Wire) -> bool:
        return not waiting or row["status"] == "not_started"

    return page(call.account.table("subscription_schedule"), url, call.params, {"customer": call.get("customer")}, keep)


_PHASE: Shape = {
    "add_invoice_items": array(group(given.ADDED_ONCE), 20),
    "collection_method": given.COLLECTION,
    "currency": text(3, unset=False),
    "default_tax_rates": array(_ID, 5),
    "duration": group({"interval": Required(choice("day", "month", "week", "year")), "interval_count": integer(1)}),
    "end_date": integer(0),
    "invoice_settings": group({"days_until_due": integer(0, 730)}),
    "items": Required(array(group(given.ITEM), 20)),
    "metadata": metadata,
    "proration_behavior": given.PRORATION,
    "start_date": integer(0),
}
_UPDATED: Shape = EXPAND | {
    "end_behavior": choice("cancel", "release"),
    "metadata": metadata,
    "phases": array(group(_PHASE), 10),
    "proration_behavior": given.PRORATION,
}
_CREATED: Shape = EXPAND | {
    "customer": _ID,
    "end_behavior": choice("cancel", "release"),
    "from_subscription": _ID,
    "metadata": metadata,
    "phases": array(group({k: v for k, v in _PHASE.items() if k != "start_date"}), 10),
    "start_date": either(choice("now"), integer(0)),
}
_URL = "/v1/subscription_schedules/{schedule}"
OPERATIONS = (
    Operation("POST", "/v1/subscription_schedules", create, _CREATED),
    Operation("POST", _URL, update, _UPDATED),
    Operation("POST", f"{_URL}/cancel", cancel, EXPAND | {"invoice_now": boolean, "prorate": boolean}),
    Operation("POST", f"{_URL}/release", release, EXPAND | {"preserve_cancel_date": boolean}),
    Operation(
        "GET", "/v1/subscription_schedules", list_schedules, PAGE | {"created": ranged, "customer": _ID, "scheduled": boolean}
    ),
    retrieve(_URL, "subscription_schedule"),
)
