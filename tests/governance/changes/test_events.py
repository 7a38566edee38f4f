"""Events are read by yesterday's readers, and yesterday's events by new ones: both directions count."""

import pytest

from tests.governance.changes.documents import ids


def events(payload, *, action="send", address="orders.v1", names=("submitted",), operation="order_submitted"):
    messages = {name: {"payload": payload} for name in names}
    refer = [{"$ref": f"#/channels/orders/messages/{name}"} for name in names]
    return {
        "asyncapi": "3.0.0", "info": {"title": "E", "version": "1.0.0"},
        "channels": {"orders": {"address": address, "messages": messages}},
        "operations": {operation: {"action": action, "channel": {"$ref": "#/channels/orders"}, "messages": refer}},
    }  # fmt: skip


def _body(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT, WHOLE = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("id", "old", "new"),
    [
        ("event-removed", events(TEXT), events(TEXT, operation="other")),
        ("event-action-changed", events(TEXT), events(TEXT, action="receive")),
        ("event-channel-changed", events(TEXT), events(TEXT, address="orders.v2")),
        ("event-message-removed", events(TEXT, names=("submitted", "changed")), events(TEXT)),
        ("event-body-type-changed", events(TEXT), events(WHOLE)),
        ("event-required-property-removed", events(_body(["a"], a=TEXT)), events(_body())),
        ("new-required-past-event-property", events(_body()), events(_body(["a"], a=TEXT))),
    ],
)
def test_what_breaks_a_reader_has_its_id(id, old, new):
    assert (id, "error") in ids(old, new)


def test_an_optional_property_more_breaks_no_reader():
    assert {severity for _, severity in ids(events(_body(a=TEXT)), events(_body(a=TEXT, b={})))} <= {"info"}


def test_a_new_event_is_news():
    assert ids(
        events(TEXT), {**events(TEXT), "operations": {**events(TEXT)["operations"], **events(TEXT, operation="b")["operations"]}}
    ) == {("event-added", "info")}
