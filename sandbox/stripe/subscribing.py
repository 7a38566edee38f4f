"""A subscription's life: items and their periods, the first invoice, renewals with usage in arrears, changes, the end."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.stripe import collecting, invoicing, lines
from sandbox.stripe.account import Account
from sandbox.stripe.lines import Period, Taxation
from sandbox.stripe.periods import after, period_at
from sandbox.stripe.resources.meters import aggregate
from sandbox.stripe.wire import Wire, listing

LIVE = frozenset({"active", "trialing", "past_due"})


def metered(item: Wire) -> bool:
    return bool(item["price"]["recurring"]["usage_type"] == "metered")


def natural_period(price: Wire, anchor: int, at: int) -> Period:
    """The period of a price that holds a time, counted from the subscription's anchor."""
    recurring = price["recurring"]
    return period_at(anchor, recurring["interval"], recurring["interval_count"], at)


def new_item(account: Account, subscription: str, given: dict[str, Any], period: Period) -> Wire:
    """An item; `given` has price and tax_rates as rows. A metered item has no quantity."""
    price = given["price"]
    item: Wire = {
        "id": account.new_id("si"),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": account.now(),
        "current_period_end": period[1],
        "current_period_start": period[0],
        "current_trial": None,
        "discounts": [],
        "metadata": given.get("metadata") or {},
        "plan": plan(price),
        "price": price,
        "subscription": subscription,
        "tax_rates": given.get("tax_rates") or [],
    }
    if price["recurring"]["usage_type"] == "licensed":
        item["quantity"] = given.get("quantity", 1)
    return item


def plan(price: Wire) -> Wire:
    """The price in the words of the object that prices succeeded; items still carry it."""
    recurring = price["recurring"]
    same = ("active", "billing_scheme", "created", "currency", "id", "livemode", "metadata", "nickname", "product", "tiers_mode")
    return {name: price[name] for name in same} | {
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "meter": recurring["meter"],
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": recurring["usage_type"],
    }


def items_of(subscription: Wire) -> list[Wire]:
    found: list[Wire] = subscription["items"]["data"]
    return found


def set_items(subscription: Wire, items: Sequence[Wire]) -> None:
    subscription["items"] = listing(f"/v1/subscription_items?subscription={subscription['id']}", list(items))


def save(account: Account, subscription: Wire) -> None:
    """Stores a subscription, its items, and prices that came as `price_data`."""
    for item in items_of(subscription):
        keep_price(account, item["price"])
        account.save(item)
    account.save(subscription)


def keep_price(account: Account, price: Wire) -> None:
    if price["id"] not in account.table("price").rows:
        account.save(price)


def taxes(account: Account, subscription: Wire) -> Taxation:
    customer = account.table("customer").rows[subscription["customer"]]
    return lines.taxation(account, customer, subscription["default_tax_rates"], subscription["automatic_tax"]["enabled"])


def terms(subscription: Wire, period: Period) -> Wire:
    """What an invoice takes from its subscription."""
    return {
        "automatic_tax": subscription["automatic_tax"]["enabled"],
        "collection_method": subscription["collection_method"],
        "currency": subscription["currency"],
        "days_until_due": subscription["days_until_due"],
        "default_tax_rates": subscription["default_tax_rates"],
        "period": period,
        "subscription": subscription,
    }


def payment_method(account: Account, subscription: Wire) -> str | None:
    customer = account.table("customer").rows.get(subscription["customer"])
    own: str | None = subscription["default_payment_method"]
    usual: str | None = customer["invoice_settings"]["default_payment_method"] if customer else None
    return own or usual


def bill(account: Account, subscription: Wire, entries: Sequence[Wire], reason: str, period: Period, *, at_once: bool) -> Wire:
    """An invoice of a subscription; `at_once`: if it is charged automatically, now. Otherwise it waits as a draft."""
    customer = account.table("customer").rows[subscription["customer"]]
    invoice = invoicing.draft(account, customer, entries, reason, terms(subscription, period))
    account.update(subscription, {"latest_invoice": invoice["id"]})
    if at_once and subscription["collection_method"] == "charge_automatically":
        finalize_and_collect(account, invoice)
    else:
        account.later(invoice["automatically_finalizes_at"], lambda: _finalize_when_due(account, invoice["id"]))
    return invoice


def finalize_and_collect(account: Account, invoice: Wire) -> None:
    """Finalizes, and charges the customer's payment method where the invoice is charged automatically."""
    invoicing.finalize(account, invoice)
    details: Wire = (invoice["parent"] or {}).get("subscription_details") or {}
    subscription = account.table("subscription").rows.get(details.get("subscription", ""))
    if invoice["status"] != "open" or invoice["collection_method"] != "charge_automatically" or subscription is None:
        return
    method = payment_method(account, subscription)
    if method is None or collecting.collect(account, invoice, method):
        return
    if subscription["status"] == "active":
        account.update(subscription, {"status": "past_due"}, "customer.subscription.updated")


def _finalize_when_due(account: Account, id: str) -> None:
    invoice = account.table("invoice").rows.get(id)
    if invoice and invoice["status"] == "draft" and invoice["auto_advance"]:
        finalize_and_collect(account, invoice)


def advance_lines(account: Account, subscription: Wire, items: Sequence[Wire]) -> list[Wire]:
    """What the licensed items cost for their current periods; a period cut short by the anchor costs its share."""
    taxation, found = taxes(account, subscription), []
    for item in items:
        if metered(item):
            continue
        period = (item["current_period_start"], item["current_period_end"])
        recurring = item["price"]["recurring"]
        start = after(period[1], recurring["interval"], -recurring["interval_count"])
        cut = start < period[0] and period[1] == subscription["billing_cycle_anchor"]
        found.append(lines.licensed(account, item, period, taxation, (start, period[1]) if cut else None))
    return found


def usage_lines(account: Account, subscription: Wire, items: Sequence[Wire], until: int) -> list[Wire]:
    """What the metered items used in their current periods, up to a time."""
    taxation, found = taxes(account, subscription), []
    for item in filter(metered, items):
        meter = account.table("billing.meter").rows[item["price"]["recurring"]["meter"]]
        period = (item["current_period_start"], min(until, item["current_period_end"]))
        used: Decimal = aggregate(account, meter, subscription["customer"], *period)
        found.append(lines.usage(account, item, period, used, taxation))
    return found


def schedule_renewal(account: Account, subscription: Wire) -> None:
    """Has the subscription renewed, or ended, when the first of its periods ends."""
    id = subscription["id"]
    times = [item["current_period_end"] for item in items_of(subscription)]
    if subscription["cancel_at"]:
        times.append(subscription["cancel_at"])
    if times:
        account.later(min(times), lambda: _renew(account, id))


def _renew(account: Account, id: str) -> None:
    subscription, now = account.table("subscription").rows[id], account.now()
    if subscription["status"] not in LIVE:
        return
    if subscription["cancel_at"] and subscription["cancel_at"] <= now:
        end(account, subscription, invoice_now=True, prorate=False)
        return
    due = [item for item in items_of(subscription) if item["current_period_end"] <= now]
    if not due:
        return  # the end was moved; its own renewal is still to come
    before = [dict(item) for item in items_of(subscription)]
    entries = usage_lines(account, subscription, due, now) + account.pending_lines.pop(id, [])
    ended = (min(item["current_period_start"] for item in due), now)
    for item in due:
        start, until = natural_period(item["price"], subscription["billing_cycle_anchor"], item["current_period_end"])
        item |= {"current_period_start": start, "current_period_end": until}
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    save(account, subscription)
    account.emit("customer.subscription.updated", subscription, {"items": listing(subscription["items"]["url"], before)})
    bill(account, subscription, entries + advance_lines(account, subscription, due), "subscription_cycle", ended, at_once=False)
    schedule_renewal(account, subscription)


def credit_lines(account: Account, subscription: Wire, items: Sequence[Wire], at: int) -> list[Wire]:
    """The unused rest of the licensed items' periods, given back."""
    taxation = taxes(account, subscription)
    return [lines.proration(account, i, at, taxation, credit=True) for i in items if not metered(i)]


def end(account: Account, subscription: Wire, *, invoice_now: bool, prorate: bool, details: Wire | None = None) -> Wire:
    """Cancels for good. `invoice_now` bills open usage and prorations, `prorate` gives back what is unused."""
    now, items = account.now(), items_of(subscription)
    entries = account.pending_lines.pop(subscription["id"], [])
    if invoice_now:
        entries = entries + [u for u in usage_lines(account, subscription, items, now) if u["amount"]]
    if prorate:
        entries = entries + credit_lines(account, subscription, items, now)
    changes: dict[str, Any] = {"status": "canceled", "canceled_at": subscription["canceled_at"] or now, "ended_at": now}
    reason = {"comment": None, "feedback": None, "reason": "cancellation_requested"}
    changes["cancellation_details"] = reason | (details or {})
    account.update(subscription, changes)
    account.emit("customer.subscription.deleted", subscription)
    if entries and invoice_now:
        start = min((i["current_period_start"] for i in items), default=now)
        bill(account, subscription, entries, "subscription_update", (start, now), at_once=True)
    elif entries:
        account.pending_lines[subscription["id"]] = entries
    return subscription
