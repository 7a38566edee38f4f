"""Webhook endpoints: `/v1/webhook_endpoints`; the signing secret is shown once, at creation."""

import hashlib
from urllib.parse import urlsplit

from sandbox.stripe.account import Call
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page
from sandbox.stripe.parameters import EXPAND, PAGE, Required, Shape, array, boolean, changed_metadata, metadata, text
from sandbox.stripe.resources.reading import retrieve
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire


def create(call: Call) -> Wire:
    account, params = call.account, call.params
    id = account.new_id("we")
    secret = "whsec_" + hashlib.sha256(id.encode()).hexdigest()[:32]
    row: Wire = {
        "id": id,
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": account.now(),
        "description": params.get("description"),
        "enabled_events": _events(params["enabled_events"]),
        "livemode": False,
        "metadata": changed_metadata({}, params.get("metadata", {})),
        "status": "enabled",
        "url": _url(params["url"]),
    }
    account.secrets[id] = secret
    account.save(row)
    return row | {"secret": secret}


def _url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid")
    return url


def _events(types: list[str]) -> list[str]:
    if not types:
        raise invalid("You must enable at least one event.", "enabled_events")
    for n, type in enumerate(types):
        if type != "*" and "." not in type:
            raise invalid(f"Invalid enabled_events: {type} is not an event type", f"enabled_events[{n}]")
    return types


def update(call: Call) -> Wire:
    row, changes = call.named("webhook_endpoint", "webhook_endpoint"), dict(call.params)
    if "metadata" in changes:
        changes["metadata"] = changed_metadata(row["metadata"], changes["metadata"])
    if "url" in changes:
        _url(changes["url"])
    if "enabled_events" in changes:
        _events(changes["enabled_events"])
    if "disabled" in changes:
        changes["status"] = "disabled" if changes.pop("disabled") else "enabled"
    return call.account.update(row, changes)


def delete(call: Call) -> Wire:
    row = call.named("webhook_endpoint", "webhook_endpoint")
    call.account.secrets.pop(row["id"], None)
    return call.account.delete(row)


def list_endpoints(call: Call) -> Wire:
    return page(call.account.table("webhook_endpoint"), "/v1/webhook_endpoints", call.params)


_FIELDS: Shape = EXPAND | {
    "description": text(),
    "enabled_events": array(text(100, unset=False), 500),
    "metadata": metadata,
    "url": text(2048, unset=False),
}
_CREATED: Shape = _FIELDS | {
    "api_version": text(unset=False),
    "connect": boolean,
    "enabled_events": Required(array(text(100, unset=False), 500)),
    "url": Required(text(2048, unset=False)),
}
OPERATIONS = (
    Operation("POST", "/v1/webhook_endpoints", create, _CREATED),
    Operation("POST", "/v1/webhook_endpoints/{webhook_endpoint}", update, _FIELDS | {"disabled": boolean}),
    Operation("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", delete, {}),
    Operation("GET", "/v1/webhook_endpoints", list_endpoints, PAGE),
    retrieve("/v1/webhook_endpoints/{webhook_endpoint}", "webhook_endpoint"),
)
