"""Subscription items: `/v1/subscription_items`, each change of one being a change of its subscription."""

from typing import Any

from sandbox.stripe import subscribing
from sandbox.stripe.account import Call
from sandbox.stripe.lists import page
from sandbox.stripe.parameters import EXPAND, PAGE, Required, Shape, boolean, integer, text
from sandbox.stripe.resources.amending import amend
from sandbox.stripe.resources.reading import retrieve
from sandbox.stripe.resources.subscription_params import ITEM, PRORATION
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_HOW: Shape = {"proration_behavior": PRORATION, "proration_date": integer(0)}


def _amend(call: Call, subscription: str, change: dict[str, Any]) -> Wire:
    row = call.account.find("subscription", subscription, "subscription")
    how = {k: call.params[k] for k in _HOW if k in call.params}
    return amend(call, row, how | {"items": [change]})


def create(call: Call) -> Wire:
    change = {k: v for k, v in call.params.items() if k in ITEM}
    return subscribing.items_of(_amend(call, call.params["subscription"], change))[-1]


def update(call: Call) -> Wire:
    item = call.named("subscription_item", "item")
    change = {k: v for k, v in call.params.items() if k in ITEM}
    row = _amend(call, item["subscription"], change | {"id": item["id"]})
    return next(one for one in subscribing.items_of(row) if one["id"] == item["id"])


def delete(call: Call) -> Wire:
    item = call.named("subscription_item", "item")
    _amend(call, item["subscription"], {"id": item["id"], "deleted": True})
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


def list_items(call: Call) -> Wire:
    subscription = call.account.find("subscription", call.params["subscription"], "subscription")
    equal = {"subscription": subscription["id"]}
    return page(call.account.table("subscription_item"), "/v1/subscription_items", call.params, equal)


OPERATIONS = (
    Operation("POST", "/v1/subscription_items", create, EXPAND | ITEM | _HOW | {"subscription": Required(text(unset=False))}),
    Operation("POST", "/v1/subscription_items/{item}", update, EXPAND | ITEM | _HOW),
    Operation("DELETE", "/v1/subscription_items/{item}", delete, EXPAND | _HOW | {"clear_usage": boolean}),
    Operation("GET", "/v1/subscription_items", list_items, PAGE | {"subscription": Required(text(unset=False))}),
    retrieve("/v1/subscription_items/{item}", "subscription_item"),
)
