"""Expansion: `expand[]=customer`, `expand[]=data.latest_invoice.payments` put whole objects where ids stood."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.stripe import errors
from sandbox.stripe.account import Account
from sandbox.stripe.wire import Wire, listing

MAX_DEPTH = 4

# field that holds an id -> the table the id belongs to
EXPANDABLE: Mapping[str, str] = {
    "charge": "charge",
    "customer": "customer",
    "default_price": "price",
    "invoice": "invoice",
    "latest_charge": "charge",
    "latest_invoice": "invoice",
    "payment_intent": "payment_intent",
    "price": "price",
    "product": "product",
    "refund": "refund",
    "schedule": "subscription_schedule",
    "subscription": "subscription",
}


def _payments(account: Account, invoice: Wire) -> Wire:
    return listing("/v1/invoice_payments", account.table("invoice_payment").having("invoice", invoice["id"])[::-1])


def _subscriptions(account: Account, customer: Wire) -> Wire:
    rows = account.table("subscription").having("customer", customer["id"])[::-1]
    return listing(f"/v1/customers/{customer['id']}/subscriptions", [r for r in rows if r["status"] != "canceled"])


def _calculation_lines(account: Account, calculation: Wire) -> Wire:
    return listing(f"/v1/tax/calculations/{calculation['id']}/line_items", account.calculation_lines[calculation["id"]])


def _refunds(account: Account, charge: Wire) -> Wire:
    return listing(f"/v1/charges/{charge['id']}/refunds", account.table("refund").having("charge", charge["id"])[::-1])


# absent unless asked for
INCLUDABLE: Mapping[tuple[str, str], Callable[[Account, Wire], Wire]] = {
    ("invoice", "payments"): _payments,
    ("customer", "subscriptions"): _subscriptions,
    ("tax.calculation", "line_items"): _calculation_lines,
    ("charge", "refunds"): _refunds,
}
NAMES = frozenset(EXPANDABLE) | {name for _, name in INCLUDABLE}


def check(paths: list[str]) -> None:
    """Refuses, before anything is done, what could never be expanded."""
    for path in paths:
        steps = path.split(".")
        if len([s for s in steps if s != "data"]) > MAX_DEPTH:
            raise errors.invalid(f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}", "expand")
        if not NAMES & set(steps):
            raise _not_expandable(path)


def expanded(account: Account, body: Wire, paths: list[str]) -> Wire:
    """The body with the paths expanded; the stored objects stay as they are."""
    for path in paths:
        body = _along(account, body, path.split("."), path)
    return body


def _along(account: Account, node: Any, steps: list[str], path: str) -> Any:
    if isinstance(node, list):
        return [_along(account, one, steps, path) for one in node]
    if not isinstance(node, dict):
        raise _not_expandable(path)
    step, rest = steps[0], steps[1:]
    found = _child(account, node, step, path)
    if rest and found is not None:
        found = _along(account, found, rest, path)
    return node | {step: found}


def _child(account: Account, node: Wire, step: str, path: str) -> Any:
    include = INCLUDABLE.get((node.get("object", ""), step))
    if include is not None and not isinstance(node.get(step), dict):
        return include(account, node)
    if step not in node:
        raise _not_expandable(path)
    value = node[step]
    if isinstance(value, str):
        if step not in EXPANDABLE:
            raise _not_expandable(path)
        table = account.table(EXPANDABLE[step])
        return table.rows.get(value) or table.deleted.get(value)
    return value


def _not_expandable(path: str) -> errors.Refused:
    return errors.invalid(f"This property cannot be expanded ({path}).", "expand")
