"""Invoices: `/v1/invoices`, their lines, what is done to them, and previews of invoices that do not exist."""

from typing import Any

from sandbox.stripe import collecting, invoicing, lines, rating, subscribing
from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import card_declined, conflict_of_state, invalid, missing
from sandbox.stripe.lists import page, slice_of
from sandbox.stripe.parameters import (
    EXPAND,
    PAGE,
    Required,
    Shape,
    array,
    boolean,
    changed_metadata,
    choice,
    group,
    integer,
    metadata,
    ranged,
    text,
)
from sandbox.stripe.periods import DAY
from sandbox.stripe.resources import amending
from sandbox.stripe.resources import subscription_params as given
from sandbox.stripe.resources.customers import PAYMENT_METHODS
from sandbox.stripe.resources.reading import retrieve, search
from sandbox.stripe.resources.subscriptions import unsaved
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_ID = text(unset=False)


def list_invoices(call: Call) -> Wire:
    plain = {k: call.params[k] for k in ("status", "collection_method") if k in call.params}
    equal = {"customer": call.get("customer"), "subscription": call.get("subscription")}
    rows = call.account.table("invoice")
    return page(rows, "/v1/invoices", call.params, equal, lambda row: all(row[k] == v for k, v in plain.items()))


def list_lines(call: Call) -> Wire:
    invoice = call.named("invoice", "invoice")
    return slice_of(call.account.invoice_lines[invoice["id"]], f"/v1/invoices/{invoice['id']}/lines", call.params)


def update(call: Call) -> Wire:
    """Metadata and description at any time, the terms of payment only while it is a draft."""
    row, changes = call.named("invoice", "invoice"), dict(call.params)
    if row["status"] != "draft" and set(changes) - {"metadata", "description", "auto_advance"}:
        raise invoicing.not_editable(row, "Finalized invoices can't be updated in this way.")
    if "metadata" in changes:
        changes["metadata"] = changed_metadata(row["metadata"], changes["metadata"])
    days = changes.pop("days_until_due", None)
    if days is not None:
        changes["due_date"] = row["created"] + days * DAY
    return call.account.update(row, changes, "invoice.updated")


def finalize(call: Call) -> Wire:
    row = call.named("invoice", "invoice")
    if "auto_advance" in call.params:
        row["auto_advance"] = call.params["auto_advance"]
    return invoicing.finalize(call.account, row)


def send(call: Call) -> Wire:
    """Finalizes a draft on the way."""
    account, row = call.account, call.named("invoice", "invoice")
    if row["status"] == "draft":
        invoicing.finalize(account, row)
    if row["status"] not in ("open", "paid"):
        raise invoicing.not_editable(row, "You can only send open or paid invoices.")
    account.emit("invoice.sent", row)
    return row


def pay(call: Call) -> Wire:
    """Out of band, or with a payment method; a draft is finalized on the way."""
    account, row, method = call.account, call.named("invoice", "invoice"), call.get("payment_method")
    if method is not None and method not in PAYMENT_METHODS:
        raise invalid(f"No such PaymentMethod: '{method}'", "payment_method", "resource_missing")
    if row["status"] == "paid":
        raise conflict_of_state("Invoice is already paid")
    if row["status"] == "draft":
        invoicing.finalize(account, row)
    if row["status"] not in ("open", "uncollectible"):
        if row["status"] == "paid":
            return row
        raise conflict_of_state(f"This invoice can no longer be paid: it is {row['status']}.", "status_transition_invalid")
    if call.get("paid_out_of_band"):
        return collecting.pay_out_of_band(account, row)
    method = method or _usual_method(account, row)
    if method is None:
        message = "There is no `default_payment_method` set on this Customer or Invoice. Please set a payment method."
        raise conflict_of_state(message, "resource_missing")
    if not collecting.collect(account, row, method):
        [payment] = [p for p in account.table("invoice_payment").having("invoice", row["id"]) if p["status"] == "open"]
        raise card_declined(account.table("payment_intent").rows[payment["payment"]["payment_intent"]])
    return row


def _usual_method(account: Account, invoice: Wire) -> str | None:
    customer = account.table("customer").rows.get(invoice["customer"])
    return customer["invoice_settings"]["default_payment_method"] if customer else None


def void(call: Call) -> Wire:
    return invoicing.close(call.account, call.named("invoice", "invoice"), "void", "voided_at", "invoice.voided")


def mark_uncollectible(call: Call) -> Wire:
    row = call.named("invoice", "invoice")
    return invoicing.close(call.account, row, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def delete(call: Call) -> Wire:
    row = call.named("invoice", "invoice")
    if row["status"] != "draft":
        raise invoicing.not_editable(row, "You can only delete draft invoices.")
    if row["parent"] is not None:
        raise conflict_of_state("You can't delete invoices created by subscriptions.")
    call.account.emit("invoice.deleted", row)
    return call.account.delete(row)


def preview(call: Call) -> Wire:
    """The next invoice of a subscription, as it is or with changes; or the first of one that does not exist yet."""
    params = call.params
    details = params.get("subscription_details") or {}
    if "subscription" in params:
        return _of_existing(call, call.account.find("subscription", params["subscription"], "subscription"), details)
    if "customer" not in params:
        raise missing("customer")
    if not details.get("items"):
        message = "Nothing to invoice for customer: give subscription_details[items], or a subscription."
        raise conflict_of_state(message, "invoice_upcoming_none")
    return _of_new(call, details)


def _of_new(call: Call, details: dict[str, Any]) -> Wire:
    account = call.account
    for n, item in enumerate(details["items"]):
        if "id" in item:
            raise invalid("You cannot name items of a subscription that does not exist.", f"subscription_details[items][{n}][id]")
    taken = {k: v for k, v in details.items() if k in ("items", "default_tax_rates", "trial_end", "metadata")}
    shared = {k: call.params[k] for k in ("automatic_tax", "customer") if k in call.params}
    row, _ = unsaved(call, taken | shared)
    taxation = subscribing.taxes(account, row)
    entries = subscribing.advance_lines(account, row, subscribing.items_of(row)) + _once(call, row, taxation)
    return _previewed(account, row, entries)


def _of_existing(call: Call, row: Wire, details: dict[str, Any]) -> Wire:
    account = call.account
    if row["status"] == "canceled":
        raise conflict_of_state(f"No upcoming invoices for subscription: {row['id']}", "invoice_upcoming_none")
    once = _once(call, row, subscribing.taxes(account, row))
    if details.get("cancel_now"):
        items = subscribing.items_of(row)
        ending = subscribing.usage_lines(account, row, items, account.now())
        return _previewed(account, row, ending + subscribing.credit_lines(account, row, items, account.now()) + once)
    amendment = amending.amended(account, row, details)
    entries = account.pending_lines.get(row["id"], []) + amendment.lines + once
    if details.get("proration_behavior") != "always_invoice" and amendment.anchor is None:
        entries = entries + _next_period(account, row, amendment.items)
    return _previewed(account, row, entries)


def _next_period(account: Account, row: Wire, items: list[Wire]) -> list[Wire]:
    """What renewal will bill: usage so far, and the items that renew first for their next period."""
    end = min(item["current_period_end"] for item in items)
    due = [item for item in items if item["current_period_end"] == end]
    following = []
    for item in due:
        begin, until = subscribing.natural_period(item["price"], row["billing_cycle_anchor"], end)
        following.append(item | {"current_period_start": begin, "current_period_end": until})
    return subscribing.usage_lines(account, row, due, account.now()) + subscribing.advance_lines(account, row, following)


def _once(call: Call, row: Wire, taxation: lines.Taxation) -> list[Wire]:
    added = given.entries(call.account, call.get("invoice_items") or [], "invoice_items", "one_time")
    if added:
        given.currency_of([{"price": {"currency": row["currency"]}}, *added], None)
    return [lines.one_time(call.account, one, row["id"], call.account.now(), taxation) for one in added]


def _previewed(account: Account, row: Wire, entries: list[Wire]) -> Wire:
    customer = account.table("customer").rows[row["customer"]]
    periods = [e["period"] for e in entries]
    period = (min((p["start"] for p in periods), default=account.now()), max((p["end"] for p in periods), default=account.now()))
    invoice = invoicing.draft(account, customer, entries, "upcoming", subscribing.terms(row, period), preview=True)
    shown = [entry | {"invoice": invoice["id"]} for entry in entries]
    invoice["lines"] = invoice["lines"] | {"data": shown, "has_more": False}
    if row["id"] not in account.table("subscription").rows:
        invoice["parent"]["subscription_details"]["subscription"] = None
    return invoice | rating.totals(shown)


_DETAILS: Shape = {
    "billing_cycle_anchor": group({"type": Required(choice("now", "unchanged"))}),
    "cancel_now": boolean,
    "default_tax_rates": array(_ID, 5),
    "items": array(group(given.CHANGED_ITEM), 20),
    "metadata": metadata,
    "proration_behavior": given.PRORATION,
    "proration_date": integer(0),
}
_PREVIEW: Shape = EXPAND | {
    "automatic_tax": group({"enabled": Required(boolean)}),
    "currency": text(3, unset=False),
    "customer": _ID,
    "invoice_items": array(group(given.ADDED_ONCE), 250),
    "preview_mode": choice("next", "recurring"),
    "subscription": _ID,
    "subscription_details": group(_DETAILS),
}
_UPDATED: Shape = EXPAND | {
    "auto_advance": boolean,
    "days_until_due": integer(0, 730),
    "description": text(1500),
    "due_date": integer(0),
    "footer": text(),
    "metadata": metadata,
    "number": text(26),
}
_PAY: Shape = EXPAND | {"off_session": boolean, "paid_out_of_band": boolean, "payment_method": _ID}
_FILTERS: Shape = {
    "collection_method": given.COLLECTION,
    "created": ranged,
    "customer": _ID,
    "status": choice("draft", "open", "paid", "uncollectible", "void"),
    "subscription": _ID,
}
_URL = "/v1/invoices/{invoice}"
OPERATIONS = (
    Operation("GET", "/v1/invoices", list_invoices, PAGE | _FILTERS),
    Operation("GET", f"{_URL}/lines", list_lines, PAGE),
    Operation("POST", _URL, update, _UPDATED),
    Operation("POST", f"{_URL}/finalize", finalize, EXPAND | {"auto_advance": boolean}),
    Operation("POST", f"{_URL}/send", send, EXPAND),
    Operation("POST", f"{_URL}/pay", pay, _PAY),
    Operation("POST", f"{_URL}/void", void, EXPAND),
    Operation("POST", f"{_URL}/mark_uncollectible", mark_uncollectible, EXPAND),
    Operation("POST", "/v1/invoices/create_preview", preview, _PREVIEW),
    Operation("DELETE", _URL, delete, {}),
    retrieve(_URL, "invoice"),
    search("/v1/invoices/search", "invoice"),
)
