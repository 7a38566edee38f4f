"""Meters and their events: `/v1/billing/meters`, `/v1/billing/meter_events`; an identifier counts once in 24 hours."""

from bisect import bisect_left, insort
from decimal import Decimal
from typing import Any

from sandbox.stripe.account import Account, Call, Usage
from sandbox.stripe.errors import conflict_of_state, invalid
from sandbox.stripe.lists import page, slice_of
from sandbox.stripe.parameters import EXPAND, PAGE, Required, Shape, choice, decimal, group, integer, table, text
from sandbox.stripe.periods import DAY
from sandbox.stripe.resources.reading import retrieve
from sandbox.stripe.routing import Operation
from sandbox.stripe.wire import Wire

_OLDEST = 35 * DAY
_AHEAD = 5 * 60
_WINDOWS = {"hour": 3600, "day": DAY}


def create(call: Call) -> Wire:
    account, params = call.account, call.params
    if _active(account, params["event_name"]):
        message = f"There is already an active meter with the event name '{params['event_name']}'."
        raise conflict_of_state(message, "resource_already_exists", "event_name")
    now = account.now()
    row: Wire = {
        "id": account.new_id("mtr_test"),
        "object": "billing.meter",
        "created": now,
        "customer_mapping": params.get("customer_mapping", {"event_payload_key": "stripe_customer_id", "type": "by_id"}),
        "default_aggregation": params["default_aggregation"],
        "display_name": params["display_name"],
        "event_name": params["event_name"],
        "event_time_window": params.get("event_time_window"),
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": now,
        "value_settings": params.get("value_settings", {"event_payload_key": "value"}),
    }
    account.save(row)
    account.emit("billing.meter.created", row)
    return row


def _active(account: Account, event_name: str) -> Wire | None:
    rows = account.table("billing.meter").having("event_name", event_name)
    return next((row for row in rows if row["status"] == "active"), None)


def update(call: Call) -> Wire:
    row = call.named("billing.meter")
    return call.account.update(row, call.params | {"updated": call.account.now()}, "billing.meter.updated")


def deactivate(call: Call) -> Wire:
    return _set_status(call, "inactive", call.account.now(), "billing.meter.deactivated")


def reactivate(call: Call) -> Wire:
    row = call.named("billing.meter")
    if row["status"] != "active" and _active(call.account, row["event_name"]):
        raise conflict_of_state(f"There is already an active meter with the event name '{row['event_name']}'.")
    return _set_status(call, "active", None, "billing.meter.reactivated")


def _set_status(call: Call, status: str, at: int | None, event: str) -> Wire:
    row = call.named("billing.meter")
    if row["status"] == status:
        raise conflict_of_state(f"This meter is already {status}.", "status_transition_invalid")
    changes = {"status": status, "status_transitions": {"deactivated_at": at}, "updated": call.account.now()}
    return call.account.update(row, changes, event)


def list_meters(call: Call) -> Wire:
    status, rows = call.get("status"), call.account.table("billing.meter")
    return page(rows, "/v1/billing/meters", call.params, keep=lambda row: status in (None, row["status"]))


def report(call: Call) -> Wire:
    """Records usage. What names no customer of ours is accepted and counts nowhere, as the vendor's check comes later."""
    account, params = call.account, call.params
    meter = _active(account, params["event_name"])
    if meter is None:
        raise invalid(f"No active meter found with the event name '{params['event_name']}'.", "event_name", "resource_missing")
    now = account.now()
    at = params.get("timestamp", now)
    _check_time(at, now)
    customer, value = _payload(meter, params["payload"])
    identifier = params.get("identifier") or account.new_id("mtrevt")
    known = account.meter_events.get(identifier)
    if known and now - known["created"] < DAY:
        raise conflict_of_state(f"An event already exists with identifier {identifier}.")
    event: Wire = {
        "object": "billing.meter_event",
        "created": now,
        "event_name": meter["event_name"],
        "identifier": identifier,
        "livemode": False,
        "payload": params["payload"],
        "timestamp": at,
    }
    account.meter_events[identifier] = event
    usage = account.usage.setdefault((meter["event_name"], customer), Usage())
    insort(usage.events, (at, len(account.meter_events), identifier, value))
    return event


def _check_time(at: int, now: int) -> None:
    if at < now - _OLDEST:
        raise invalid("The timestamp must be within the past 35 calendar days.", "timestamp", "timestamp_too_far_in_past")
    if at > now + _AHEAD:
        raise invalid("The timestamp must not be more than 5 minutes in the future.", "timestamp", "timestamp_in_future")


def _payload(meter: Wire, payload: dict[str, str]) -> tuple[str, Decimal]:
    customer_key, value_key = meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"]
    needs_value = meter["default_aggregation"]["formula"] != "count"
    for key in (customer_key, value_key) if needs_value else (customer_key,):
        if not payload.get(key):
            raise invalid(f"The payload must contain the key '{key}'.", f"payload[{key}]", "parameter_missing")
    return payload[customer_key], decimal(payload.get(value_key) or "1", f"payload[{value_key}]")


def aggregate(account: Account, meter: Wire, customer: str, start: int, end: int) -> Decimal:
    """The usage of a customer in the half-open interval [start, end), by the meter's formula."""
    usage = account.usage.get((meter["event_name"], customer))
    if usage is None:
        return Decimal(0)
    found = usage.events[bisect_left(usage.events, (start,)) : bisect_left(usage.events, (end,))]
    match meter["default_aggregation"]["formula"]:
        case "count":
            return Decimal(len(found))
        case "last":
            return found[-1][3] if found else Decimal(0)
        case _:
            return sum((value for *_, value in found), Decimal(0))


def adjust(call: Call) -> Wire:
    """Takes one event back, within 24 hours of its arrival."""
    account, params = call.account, call.params
    identifier = (params.get("cancel") or {}).get("identifier")
    event = account.meter_events.get(identifier or "")
    if event is None or event["event_name"] != params["event_name"]:
        raise invalid(f"No meter event found with identifier {identifier}.", "cancel[identifier]", "resource_missing")
    if account.now() - event["created"] >= DAY:
        raise conflict_of_state("Events can be cancelled within 24 hours of when they were received.", param="cancel[identifier]")
    for (name, _), usage in account.usage.items():
        if name == event["event_name"]:
            usage.events = [entry for entry in usage.events if entry[2] != identifier]
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": params["event_name"],
        "livemode": False,
        "status": "complete",
        "type": "cancel",
    }


def summaries(call: Call) -> Wire:
    account, params, meter = call.account, call.params, call.named("billing.meter")
    start, end, window = params["start_time"], params["end_time"], params.get("value_grouping_window")
    step = _WINDOWS.get(window or "", 60)
    for name, at in (("start_time", start), ("end_time", end)):
        if at % step:
            raise invalid(f"{name} must align with {window or 'minute'} boundaries.", name)
    if start >= end:
        raise invalid("start_time must be before end_time.", "start_time")
    account.find("customer", params["customer"], "customer")
    starts = range(start, end, step) if window else (start,)
    rows = []
    for at in starts:
        until = at + step if window else end
        value = aggregate(account, meter, params["customer"], at, until)
        if value or not window:
            rows.append(_summary(meter, params["customer"], at, until, value))
    return slice_of(rows[::-1], f"/v1/billing/meters/{meter['id']}/event_summaries", params)


def _summary(meter: Wire, customer: str, start: int, end: int, value: Decimal) -> Wire:
    return {
        "id": f"mtrusg_{meter['id'][-4:]}{customer[-6:]}{start}{end}",
        "object": "billing.meter_event_summary",
        "aggregated_value": value,
        "end_time": end,
        "livemode": False,
        "meter": meter["id"],
        "start_time": start,
    }


def _string(value: Any, name: str) -> str:
    return str(text(500)(value, name) or "")


_CREATED: Shape = EXPAND | {
    "customer_mapping": group({"event_payload_key": Required(text(100, unset=False)), "type": Required(choice("by_id"))}),
    "default_aggregation": Required(group({"formula": Required(choice("count", "last", "sum"))})),
    "display_name": Required(text(250, unset=False)),
    "event_name": Required(text(100, unset=False)),
    "event_time_window": choice("day", "hour"),
    "value_settings": group({"event_payload_key": Required(text(100, unset=False))}),
}
_REPORTED: Shape = EXPAND | {
    "event_name": Required(text(100, unset=False)),
    "identifier": text(100, unset=False),
    "payload": Required(table(_string)),
    "timestamp": integer(0),
}
_ADJUSTED: Shape = EXPAND | {
    "cancel": group({"identifier": text(100, unset=False)}),
    "event_name": Required(text(100, unset=False)),
    "type": Required(choice("cancel")),
}
_SUMMARIES: Shape = PAGE | {
    "customer": Required(text(unset=False)),
    "end_time": Required(integer(0)),
    "start_time": Required(integer(0)),
    "value_grouping_window": choice("day", "hour"),
}
OPERATIONS = (
    Operation("POST", "/v1/billing/meters", create, _CREATED),
    Operation("POST", "/v1/billing/meters/{id}", update, EXPAND | {"display_name": text(250, unset=False)}),
    Operation("POST", "/v1/billing/meters/{id}/deactivate", deactivate, EXPAND),
    Operation("POST", "/v1/billing/meters/{id}/reactivate", reactivate, EXPAND),
    Operation("GET", "/v1/billing/meters", list_meters, PAGE | {"status": choice("active", "inactive")}),
    retrieve("/v1/billing/meters/{id}", "billing.meter"),
    Operation("POST", "/v1/billing/meter_events", report, _REPORTED),
    Operation("POST", "/v1/billing/meter_event_adjustments", adjust, _ADJUSTED),
    Operation("GET", "/v1/billing/meters/{id}/event_summaries", summaries, _SUMMARIES),
)
