"""Events: `/v1/events`, what happened, newest first, for 30 days back."""

from sandbox.stripe.account import Call
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page
from sandbox.stripe.parameters import PAGE, array, boolean, ranged, text
from sandbox.stripe.periods import DAY
from sandbox.stripe.resources.reading import retrieve
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

KEPT = 30 * DAY


def list_events(call: Call) -> Wire:
    type, types, delivered = call.get("type"), call.get("types"), call.get("delivery_success")
    if type and types:
        raise invalid("You may only specify one of these parameters: type, types.", "types", "parameters_exclusive")
    oldest = call.account.now() - KEPT

    def keep(row: Wire) -> bool:
        return (
            row["created"] >= oldest
            and (types is None or row["type"] in types)
            and (type is None or "*" not in type or row["type"].startswith(type.rstrip("*")))
            and delivered in (None, row["pending_webhooks"] == 0)
        )

    equal = {"type": None if type and "*" in type else type}
    return page(call.account.table("event"), "/v1/events", call.params, equal, keep)


OPERATIONS = (
    Operation(
        "GET",
        "/v1/events",
        list_events,
        PAGE | {"created": ranged, "delivery_success": boolean, "type": text(unset=False), "types": array(text(unset=False), 20)},
    ),
    retrieve("/v1/events/{id}", "event"),
)
