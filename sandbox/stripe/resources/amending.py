"""Changes to a running subscription: items, periods and ends, with what is credited and charged for the rest of the period."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import lines, subscribing
from sandbox.stripe.account import Account, Call
from sandbox.stripe.errors import conflict_of_state, invalid, no_such
from sandbox.stripe.parameters import changed_metadata
from sandbox.stripe.periods import after
from sandbox.stripe.resources import subscription_params as given
from sandbox.stripe.wire import Wire, listing

_WHEN_ENDED = frozenset({"cancellation_details", "metadata"})
Pair = tuple[Wire | None, Wire | None]  # an item as it was and as it will be


@dataclass
class Amendment:
    """What a change makes of a subscription's items, and the lines it causes. Nothing of it is stored yet."""

    items: list[Wire]
    pairs: list[Pair]
    lines: list[Wire] = field(default_factory=list)
    anchor: int | None = None

    @property
    def gone(self) -> list[Wire]:
        return [old for old, new in self.pairs if old is not None and new is None]


def amend(call: Call, row: Wire, params: dict[str, Any]) -> Wire:
    account = call.account
    if row["status"] in ("canceled", "incomplete_expired") and set(params) - _WHEN_ENDED:
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise conflict_of_state(message, "invalid_canceled_subscription_fields")
    changes = _plain_changes(account, row, params)
    amendment = amended(account, row | changes, params)
    added = given.entries(account, params.get("add_invoice_items") or [], "add_invoice_items", "one_time")
    if added:
        given.currency_of([{"price": {"currency": row["currency"]}}, *added], None)
    changes |= end_changes(account, row | {"items": listing("", amendment.items)}, params)
    _apply(account, row, changes, amendment)
    taxation = subscribing.taxes(account, row)
    once = [lines.one_time(account, one, row["id"], account.now(), taxation) for one in added]
    _charge(account, row, amendment.lines + once, at_once=_immediately(params))
    return row


def _immediately(params: dict[str, Any]) -> bool:
    return params.get("proration_behavior") == "always_invoice" or params.get("billing_cycle_anchor", {}).get("type") == "now"


def _apply(account: Account, row: Wire, changes: Wire, amendment: Amendment) -> None:
    """Stores the change, deletes items that are gone, and says what it was before."""
    if amendment.pairs or amendment.anchor:
        changes["items"] = listing(f"/v1/subscription_items?subscription={row['id']}", amendment.items)
    if amendment.anchor:
        changes |= {"billing_cycle_anchor": amendment.anchor}
    for item in amendment.gone:
        account.delete(item)
    account.update(row, changes, "customer.subscription.updated")
    subscribing.save(account, row)
    if "items" in changes or "cancel_at" in changes:
        subscribing.schedule_renewal(account, row)


def _charge(account: Account, row: Wire, entries: list[Wire], *, at_once: bool) -> None:
    if not entries:
        return
    if not at_once:
        account.pending_lines[row["id"]] += entries
        return
    entries = account.pending_lines.pop(row["id"], []) + entries
    period = (min(e["period"]["start"] for e in entries), max(e["period"]["end"] for e in entries))
    subscribing.bill(account, row, entries, "subscription_update", period, at_once=True)


def _plain_changes(account: Account, row: Wire, params: dict[str, Any]) -> Wire:
    """The fields that change without touching items."""
    changes: Wire = {k: params[k] for k in ("collection_method", "default_payment_method", "description") if k in params}
    if "metadata" in params:
        changes["metadata"] = changed_metadata(row["metadata"], params["metadata"])
    if "default_tax_rates" in params:
        changes["default_tax_rates"] = lines.tax_rates(account, params["default_tax_rates"], "default_tax_rates")
    if "automatic_tax" in params:
        changes["automatic_tax"] = row["automatic_tax"] | {"enabled": params["automatic_tax"]["enabled"]}
    if "collection_method" in params or "days_until_due" in params:
        method: str = params.get("collection_method") or row["collection_method"]
        kept = row["days_until_due"] if method == "send_invoice" else None
        changes["days_until_due"] = given.due_days(method, params.get("days_until_due", kept))
    if "cancellation_details" in params:
        changes["cancellation_details"] = row["cancellation_details"] | params["cancellation_details"]
    if params.get("trial_end") == "now" and row["status"] == "trialing":
        changes |= {"trial_end": account.now(), "status": "active"}
    return changes


def end_changes(account: Account, row: Wire, params: dict[str, Any]) -> Wire:
    """When the subscription is to end: at a time, at the end of its periods, or not any more."""
    ends = [item["current_period_end"] for item in subscribing.items_of(row)]
    if "cancel_at_period_end" in params:
        at = max(ends) if params["cancel_at_period_end"] else None
    elif "cancel_at" in params:
        wanted = params["cancel_at"]
        at = {"max_period_end": max(ends), "min_period_end": min(ends)}.get(wanted, wanted)
        if at is not None and at <= account.now():
            raise invalid("`cancel_at` must be a timestamp in the future.", "cancel_at")
    else:
        return {}
    details = row["cancellation_details"] | {"reason": "cancellation_requested" if at else None}
    return {
        "cancel_at": at,
        "cancel_at_period_end": bool(params.get("cancel_at_period_end", False)),
        "canceled_at": account.now() if at else None,
        "cancellation_details": details,
    }


def amended(account: Account, row: Wire, params: dict[str, Any]) -> Amendment:
    """The items after the change and its proration lines; usable for a preview, as nothing is stored."""
    now = account.now()
    at = params.get("proration_date", now)
    pairs = _pairs(account, row, params.get("items") or [], at)
    by_id = {old["id"]: new for old, new in pairs if old is not None}
    kept = [by_id.get(item["id"], item) for item in subscribing.items_of(row)]
    items = [item for item in kept if item is not None] + [new for old, new in pairs if old is None and new is not None]
    if not items:
        raise conflict_of_state("A subscription must have at least one active price.", param="items")
    given.same_interval([{"price": i["price"]} for i in items], row["billing_mode"]["type"])
    amendment = Amendment(items, pairs)
    if params.get("billing_cycle_anchor", {}).get("type") == "now":
        _reset_anchor(account, row, amendment, now)
    elif params.get("proration_behavior") != "none" and row["status"] in subscribing.LIVE - {"trialing"}:
        amendment.lines = _prorations(account, row, pairs, at)
    amendment.lines += subscribing.usage_lines(account, row, [i for i in amendment.gone if subscribing.metered(i)], now)
    return amendment


def _pairs(account: Account, row: Wire, changes: Sequence[dict[str, Any]], at: int) -> list[Pair]:
    items = {item["id"]: item for item in subscribing.items_of(row)}
    pairs: list[Pair] = []
    for n, change in enumerate(changes):
        name = f"items[{n}]"
        if "id" not in change:
            pairs.append((None, _new(account, row, change, name, at)))
            continue
        old = items.get(change["id"])
        if old is None:
            raise no_such("subscription_item", change["id"], f"{name}[id]")
        pairs.append((old, None if change.get("deleted") else _changed(account, row, old, change, name, at)))
    return pairs


def _new(account: Account, row: Wire, change: dict[str, Any], name: str, at: int) -> Wire:
    entry = given.entry(account, change, name, "recurring")
    if any(item["price"]["id"] == entry["price"]["id"] for item in subscribing.items_of(row)):
        message = f"Cannot add multiple subscription items with the same price: {entry['price']['id']}"
        raise invalid(message, f"{name}[price]")
    given.currency_of([{"price": {"currency": row["currency"]}}, entry], None)
    period = subscribing.natural_period(entry["price"], row["billing_cycle_anchor"], at)
    return subscribing.new_item(account, row["id"], entry, period)


def _changed(account: Account, row: Wire, old: Wire, change: dict[str, Any], name: str, at: int) -> Wire:
    new = dict(old)
    if "price" in change or "price_data" in change:
        price = given.price_of(account, change, name, "recurring")
        given.currency_of([{"price": {"currency": row["currency"]}}, {"price": price}], None)
        new |= {"price": price, "plan": subscribing.plan(price)}
        if _interval(price) != _interval(old["price"]):
            start, end = subscribing.natural_period(price, row["billing_cycle_anchor"], at)
            new |= {"current_period_start": start, "current_period_end": end}
    if subscribing.metered(new):
        if "quantity" in change:
            raise invalid("You cannot set the quantity for metered prices.", f"{name}[quantity]")
        new.pop("quantity", None)
    else:
        new["quantity"] = change.get("quantity", old.get("quantity", 1))
    if "metadata" in change:
        new["metadata"] = changed_metadata(old["metadata"], change["metadata"])
    if "tax_rates" in change:
        new["tax_rates"] = lines.tax_rates(account, change["tax_rates"], f"{name}[tax_rates]")
    return new


def _interval(price: Wire) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _prorations(account: Account, row: Wire, pairs: Sequence[Pair], at: int) -> list[Wire]:
    """For every item that costs something else now: the unused rest back, the new rest charged."""
    taxation, found = subscribing.taxes(account, row), []
    for old, new in pairs:
        if old and new and (old["price"]["id"], old.get("quantity")) == (new["price"]["id"], new.get("quantity")):
            continue
        if old and not subscribing.metered(old):
            _in_period(old, at)
            found.append(lines.proration(account, old, at, taxation, credit=True))
        if new and not subscribing.metered(new):
            found.append(lines.proration(account, new, at, taxation, credit=False))
    return found


def _in_period(item: Wire, at: int) -> None:
    if not item["current_period_start"] <= at <= item["current_period_end"]:
        raise invalid("Invalid proration date: it must lie in the current period of the items that change.", "proration_date")


def _reset_anchor(account: Account, row: Wire, amendment: Amendment, now: int) -> None:
    """Every licensed item's period begins anew: the unused rest is given back, a full period charged."""
    amendment.anchor = now
    before = subscribing.items_of(row)
    amendment.lines = subscribing.usage_lines(account, row, before, now) + subscribing.credit_lines(account, row, before, now)
    fresh = []
    for item in amendment.items:
        recurring = item["price"]["recurring"]
        until = after(now, recurring["interval"], recurring["interval_count"])
        fresh.append(item | {"current_period_start": now, "current_period_end": until})
    amendment.items = fresh
    anchored = row | {"billing_cycle_anchor": now}
    amendment.lines += subscribing.advance_lines(account, anchored, fresh)
    amendment.lines = [entry for entry in amendment.lines if entry["amount"]]
