"""Subscriptions: `/v1/subscriptions`, flexible billing unless asked otherwise, with a first invoice at creation."""

from typing import Any

from sandbox.stripe import collecting, invoicing, lines, subscribing
from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import Refused, card_declined, invalid, missing, no_such
from sandbox.stripe.lists import page
from sandbox.stripe.parameters import PAGE, Shape, changed_metadata, choice, ranged, text, within
from sandbox.stripe.periods import DAY
from sandbox.stripe.resources import amending
from sandbox.stripe.resources import subscription_params as given
from sandbox.stripe.resources.customers import PAYMENT_METHODS, check_currency
from sandbox.stripe.resources.reading import retrieve, search
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

ENDED = frozenset({"canceled", "incomplete_expired"})
_NULL = (
    "application", "application_fee_percent", "billing_cycle_anchor_config", "billing_thresholds", "canceled_at",
    "customer_account", "default_source", "ended_at", "latest_invoice", "managed_payments", "next_pending_invoice_item_invoice",
    "on_behalf_of", "pause_collection", "payment_settings", "pending_invoice_item_interval", "pending_setup_intent",
    "pending_update", "schedule", "test_clock", "transfer_data", "trial_settings",
)  # fmt: skip


def create(call: Call) -> Wire:
    return start(call, call.params)


def start(call: Call, params: dict[str, Any]) -> Wire:
    """A new subscription and its first invoice. Everything is checked before anything is stored."""
    account = call.account
    row, added = unsaved(call, params)
    taxation = subscribing.taxes(account, row)
    method = _method(account, row, params)
    customer = account.table("customer").rows[row["customer"]]
    subscribing.save(account, row)
    if customer["currency"] is None:
        account.update(customer, {"currency": row["currency"]}, "customer.updated")
    account.emit("customer.subscription.created", row)
    _first_invoice(account, row, added, taxation, waiting=method is None)
    subscribing.schedule_renewal(account, row)
    return row


def unsaved(call: Call, params: dict[str, Any]) -> tuple[Wire, list[dict[str, Any]]]:
    """The subscription that the parameters describe, and what is added once to its first invoice."""
    account = call.account
    customer = account.find("customer", params["customer"], "customer")
    items = given.entries(account, params.get("items") or [], "items", "recurring")
    if not items:
        raise missing("items")
    added = given.entries(account, params.get("add_invoice_items") or [], "add_invoice_items", "one_time")
    currency = given.currency_of(items + added, params.get("currency"))
    check_currency(customer, currency)
    row = _row(account, customer, params, currency)
    given.same_interval(items, row["billing_mode"]["type"])
    _set_periods(account, row, items, params)
    return row, added


def _row(account: Account, customer: Wire, params: dict[str, Any], currency: str) -> Wire:
    now, method = account.now(), params.get("collection_method", "charge_automatically")
    begin = params.get("backdate_start_date", now)
    trial_end = _trial_end(params, now)
    automatic = params.get("automatic_tax", {}).get("enabled", False)
    return dict.fromkeys(_NULL) | {
        "id": account.new_id("sub"),
        "object": "subscription",
        "automatic_tax": {"disabled_reason": None, "enabled": automatic, "liability": {"type": "self"} if automatic else None},
        "billing_cycle_anchor": params.get("billing_cycle_anchor") or trial_end or begin,
        "billing_mode": _mode(params),
        "billing_schedules": [],
        "cancel_at": None,
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": method,
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "days_until_due": given.due_days(method, params.get("days_until_due")),
        "default_payment_method": params.get("default_payment_method"),
        "default_tax_rates": lines.tax_rates(account, params.get("default_tax_rates"), "default_tax_rates"),
        "description": params.get("description"),
        "discounts": [],
        "invoice_settings": dict(given.INVOICE_SETTINGS),
        "livemode": False,
        "metadata": changed_metadata({}, params.get("metadata", {})),
        "start_date": begin,
        "status": "trialing" if trial_end else "active" if method == "send_invoice" else "incomplete",
        "trial_end": trial_end,
        "trial_start": now if trial_end else None,
    }


def _mode(params: dict[str, Any]) -> Wire:
    mode = params.get("billing_mode", {"type": "flexible"})
    flexible = {"proration_discounts": "included"} | mode.get("flexible", {})
    return {"type": mode["type"], "flexible": flexible if mode["type"] == "flexible" else None, "updated_at": None}


def _trial_end(params: dict[str, Any], now: int) -> int | None:
    if params.get("trial_period_days"):
        return now + int(params["trial_period_days"]) * DAY
    at = params.get("trial_end")
    if at in (None, "now"):
        return None
    if at <= now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
    return int(at)


def _set_periods(account: Account, row: Wire, items: list[dict[str, Any]], params: dict[str, Any]) -> None:
    """Items with their first periods, and the ends that depend on them."""
    anchor, begin = row["billing_cycle_anchor"], row["start_date"]
    made = []
    for one in items:
        period = subscribing.natural_period(one["price"], anchor, max(begin, account.now()))
        made.append(subscribing.new_item(account, row["id"], one, (begin, anchor) if anchor > begin else period))
    subscribing.set_items(row, made)
    row |= amending.end_changes(account, row, params)


def _method(account: Account, row: Wire, params: dict[str, Any]) -> str | None:
    """The payment method to charge; None where none is needed now. Raises Refused where one is needed and missing."""
    if row["default_payment_method"] is not None and row["default_payment_method"] not in PAYMENT_METHODS:
        raise invalid(f"No such PaymentMethod: '{row['default_payment_method']}'", "default_payment_method", "resource_missing")
    if row["collection_method"] == "send_invoice":
        return "none"
    method = subscribing.payment_method(account, row)
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "default_incomplete":
        return None
    if method is None and row["status"] != "trialing":
        message = "This customer has no attached payment source or default payment method. Please consider adding one."
        raise Refused(400, message, code="resource_missing")
    if method in collecting.DECLINED and behavior == "error_if_incomplete":
        raise card_declined()
    return method or "none"


def _first_invoice(account: Account, row: Wire, added: list[dict[str, Any]], taxation: lines.Taxation, *, waiting: bool) -> None:
    items, now = subscribing.items_of(row), account.now()
    period = (min(i["current_period_start"] for i in items), min(i["current_period_end"] for i in items))
    if row["status"] == "trialing":
        found = [lines.trial(account, item, period, taxation) for item in items if not subscribing.metered(item)]
    else:
        found = subscribing.advance_lines(account, row, items)
    found += [lines.one_time(account, one, row["id"], now, taxation) for one in added]
    for one in added:
        subscribing.keep_price(account, one["price"])
    invoice = subscribing.bill(account, row, found, "subscription_create", (now, now), at_once=not waiting)
    if waiting:
        invoicing.finalize(account, invoice)


def update(call: Call) -> Wire:
    return amending.amend(call, call.named("subscription", "subscription"), call.params)


def cancel(call: Call) -> Wire:
    """Ends a subscription now; one that has ended is as good as gone."""
    row = call.named("subscription", "subscription")
    if row["status"] in ENDED:
        raise no_such("subscription", row["id"], in_path=True)
    details = {k: v for k, v in call.get("cancellation_details", {}).items() if v is not None}
    options = {name: call.get(name, False) for name in ("invoice_now", "prorate")}
    return subscribing.end(call.account, row, **options, details=details)


def list_subscriptions(call: Call) -> Wire:
    """All but the canceled ones, unless a status is asked for."""
    params, status = call.params, call.get("status")
    bounds = {k: params[k] for k in ("current_period_start", "current_period_end") if k in params}

    def keep(row: Wire) -> bool:
        return (
            _has_status(row, status)
            and params.get("collection_method") in (None, row["collection_method"])
            and all(any(within(i[k], b) for i in subscribing.items_of(row)) for k, b in bounds.items())
        )

    equal = {"customer": call.get("customer"), "price": call.get("price")}
    return page(call.account.table("subscription"), "/v1/subscriptions", params, equal, keep)


def _has_status(row: Wire, status: str | None) -> bool:
    match status:
        case None:
            return row["status"] not in ENDED
        case "all":
            return True
        case "ended":
            return row["status"] in ENDED
        case _:
            return bool(row["status"] == status)


_STATUSES = ("active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid")
_FILTERS: Shape = {
    "collection_method": given.COLLECTION,
    "created": ranged,
    "current_period_end": ranged,
    "current_period_start": ranged,
    "customer": text(unset=False),
    "price": text(unset=False),
    "status": choice(*_STATUSES),
}
OPERATIONS = (
    Operation("POST", "/v1/subscriptions", create, given.CREATED),
    Operation("POST", "/v1/subscriptions/{subscription}", update, given.UPDATED),
    Operation("DELETE", "/v1/subscriptions/{subscription}", cancel, given.CANCELED),
    Operation("GET", "/v1/subscriptions", list_subscriptions, PAGE | _FILTERS),
    retrieve("/v1/subscriptions/{subscription}", "subscription"),
    search("/v1/subscriptions/search", "subscription"),
)
