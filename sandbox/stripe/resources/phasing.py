"""A schedule at work: its phases start, change and end one subscription as time passes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sandbox.stripe import lines, subscribing
from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import Refused, invalid
from sandbox.stripe.parameters import changed_metadata
from sandbox.stripe.periods import after
from sandbox.stripe.resources import subscription_params as given
from sandbox.stripe.resources.amending import amend
from sandbox.stripe.resources.subscriptions import start as start_subscription
from sandbox.stripe.wire import Wire


def row(account: Account, customer: str, end_behavior: str, changes: dict[str, str | None]) -> Wire:
    defaults = {
        "application_fee_percent": None, "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": "automatic", "billing_thresholds": None, "collection_method": "charge_automatically",
        "default_payment_method": None, "description": None, "on_behalf_of": None, "transfer_data": None,
        "invoice_settings": given.INVOICE_SETTINGS | {"days_until_due": None},
    }  # fmt: skip
    null = (
        "application", "canceled_at", "completed_at", "current_phase", "customer_account", "released_at",
        "released_subscription", "subscription", "test_clock",
    )  # fmt: skip
    return dict.fromkeys(null) | {
        "id": account.new_id("sub_sched"),
        "object": "subscription_schedule",
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": None},
        "created": account.now(),
        "customer": customer,
        "default_settings": defaults,
        "end_behavior": end_behavior,
        "livemode": False,
        "metadata": changed_metadata({}, changes),
        "pause_schedules": [],
        "phases": [],
        "status": "not_started",
    }


def phases(account: Account, wanted: Sequence[dict[str, Any]], begin: int) -> list[Wire]:
    """Phases one after the other; each ends at a date or lasts a duration."""
    found = []
    for n, one in enumerate(wanted):
        name = f"phases[{n}]"
        if "end_date" in one:
            end = one["end_date"]
        elif "duration" in one:
            end = after(begin, one["duration"]["interval"], one["duration"].get("interval_count", 1))
        else:
            raise Refused(400, "Each phase needs an end_date or a duration.", code="parameter_missing", param=f"{name}[end_date]")
        if end <= begin:
            raise invalid("The end of a phase must be after its start.", f"{name}[end_date]")
        found.append(_phase(account, one, name, begin, end))
        begin = end
    return found


def _phase(account: Account, one: dict[str, Any], name: str, begin: int, end: int) -> Wire:
    items = given.entries(account, one["items"], f"{name}[items]", "recurring")
    added = given.entries(account, one.get("add_invoice_items", []), f"{name}[add_invoice_items]", "one_time")
    method = one.get("collection_method")
    days = (one.get("invoice_settings") or {}).get("days_until_due")
    null = (
        "application_fee_percent", "billing_cycle_anchor", "billing_thresholds", "default_payment_method", "description",
        "on_behalf_of", "transfer_data", "trial_end",
    )  # fmt: skip
    return dict.fromkeys(null) | {
        "add_invoice_items": [_entry(account, e) for e in added],
        "collection_method": method,
        "currency": given.currency_of(items + added, one.get("currency")),
        "default_tax_rates": lines.tax_rates(account, one.get("default_tax_rates"), f"{name}[default_tax_rates]"),
        "discounts": [],
        "end_date": end,
        "invoice_settings": given.INVOICE_SETTINGS | {"days_until_due": given.due_days(method, days) if method else None},
        "items": [_entry(account, e) | {"billing_thresholds": None, "plan": e["price"]["id"]} for e in items],
        "metadata": changed_metadata({}, one.get("metadata", {})),
        "proration_behavior": one.get("proration_behavior", "create_prorations"),
        "start_date": begin,
    }


def _entry(account: Account, entry: dict[str, Any]) -> Wire:
    subscribing.keep_price(account, entry["price"])
    metered = entry["price"]["recurring"] and entry["price"]["recurring"]["usage_type"] == "metered"
    quantity = {} if metered else {"quantity": entry["quantity"]}
    same = {"discounts": [], "metadata": entry["metadata"], "tax_rates": entry["tax_rates"]}
    return same | {"price": entry["price"]["id"]} | quantity


def _as_params(entries: Sequence[Wire]) -> list[dict[str, Any]]:
    """A phase's items in the words in which a subscription takes them."""
    taken = ("price", "quantity", "metadata")
    return [{k: e[k] for k in taken if k in e} | {"tax_rates": [r["id"] for r in e["tax_rates"]]} for e in entries]


def begin(account: Account, row: Wire) -> None:
    """Starts the first phase: a subscription comes into being."""
    if row["status"] != "not_started":
        return
    phase, customer = row["phases"][0], account.table("customer").rows[row["customer"]]
    params: dict[str, Any] = {
        "add_invoice_items": _as_params(phase["add_invoice_items"]),
        "customer": row["customer"],
        "default_tax_rates": [r["id"] for r in phase["default_tax_rates"]],
        "items": _as_params(phase["items"]),
        "metadata": phase["metadata"],
    }
    if customer["invoice_settings"]["default_payment_method"] is None:
        params["payment_behavior"] = "default_incomplete"  # nobody is there to hear a refusal
    if phase["collection_method"]:
        params |= {"collection_method": phase["collection_method"]}
    if phase["invoice_settings"]["days_until_due"] is not None:
        params["days_until_due"] = phase["invoice_settings"]["days_until_due"]
    if phase["start_date"] < account.now():
        params["backdate_start_date"] = phase["start_date"]
    subscription = start_subscription(Call(account, {}, {}), params)
    account.update(subscription, {"schedule": row["id"]})
    enter(account, row, phase, subscription["id"])


def enter(account: Account, row: Wire, phase: Wire, subscription: str) -> None:
    current = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    changes = {"status": "active", "subscription": subscription, "current_phase": current}
    account.update(row, changes, "subscription_schedule.updated")
    account.later(phase["end_date"], lambda: _leave(account, row, current), first=True)


def _leave(account: Account, row: Wire, phase: Wire) -> None:
    """The next phase, or what is to happen after the last."""
    if row["status"] != "active" or row["current_phase"] != phase:
        return
    subscription = account.table("subscription").rows[row["subscription"]]
    for before, following in pairwise(row["phases"]):
        if before["end_date"] == phase["end_date"] and subscription["status"] in subscribing.LIVE:
            _change_to(account, subscription, following)
            enter(account, row, following, subscription["id"])
            return
    now = account.now()
    if row["end_behavior"] == "cancel":
        over = {"status": "completed", "completed_at": now, "current_phase": None}
        account.update(row, over, "subscription_schedule.completed")
        if subscription["status"] in subscribing.LIVE:
            subscribing.end(account, subscription, invoice_now=True, prorate=False)
    else:
        release(account, row)


def _change_to(account: Account, subscription: Wire, phase: Wire) -> None:
    old = {item["price"]["id"]: item["id"] for item in subscribing.items_of(subscription)}
    wanted = _as_params(phase["items"])
    changes = [one | ({"id": old[one["price"]]} if one["price"] in old else {}) for one in wanted]
    kept = {one["price"] for one in wanted}
    changes += [{"id": id, "deleted": True} for price, id in old.items() if price not in kept]
    params = {"items": changes, "metadata": phase["metadata"], "proration_behavior": phase["proration_behavior"]}
    params["add_invoice_items"] = _as_params(phase["add_invoice_items"])
    amend(Call(account, {}, {}), subscription, params)


def release(account: Account, row: Wire) -> Wire:
    """The subscription goes on without its schedule."""
    subscription = account.table("subscription").rows.get(row["subscription"] or "")
    if subscription:
        account.update(subscription, {"schedule": None})
    freed = {"released_subscription": row["subscription"], "subscription": None, "current_phase": None}
    account.update(row, freed | {"status": "released", "released_at": account.now()})
    account.emit("subscription_schedule.released", row)
    return row
