import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.problem import BadRequest, Unauthorized
from sandbox.stripe.signature import stripe_signature
from system_apis.connectors.stripe.events import envelope, verify

SECRET, AT = "whsec_test_secret", 1_700_000_000
NOW = datetime.fromtimestamp(AT, UTC)
BODY = b'{"id":"evt_test","object":"event","type":"invoice.paid"}'
DIGEST = "02b5890a3376a18a176fde670ba47bc920bc30c6ae0deb7adf58049a4ead9aff"
THIN = (
    b'{"id":"evt_234","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","livemode":false,'
    b'"created":"2022-02-15T00:27:45.330Z","related_object":{"id":"mtr_123","type":"billing.meter","url":"/v1/billing/meters/mtr_123"}}'
)
THIN_DIGEST = "faeb667f86e5e2cec7f9f6e8dc20361887144e6101de6c3aacd2a858618f41ac"
OTHER = "0" * 64


def check(header: str, body: bytes = BODY, *, secrets: tuple[str, ...] = (SECRET,), late: int = 0) -> None:
    verify(header, body, secrets, NOW + timedelta(seconds=late))


@pytest.mark.parametrize(("body", "digest"), [(BODY, DIGEST), (THIN, THIN_DIGEST)])
def test_a_genuine_delivery_passes(body: bytes, digest: str) -> None:
    check(f"t={AT},v1={digest}", body)


@pytest.mark.parametrize("late", [-300, 0, 300])
def test_a_delivery_passes_within_the_tolerance_either_way(late: int) -> None:
    check(f"t={AT},v1={DIGEST}", late=late)


@pytest.mark.parametrize("late", [-301, 301, 86_400])
def test_a_delivery_from_too_long_ago_or_from_the_future_is_refused(late: int) -> None:
    with pytest.raises(Unauthorized, match="time"):
        check(f"t={AT},v1={DIGEST}", late=late)


def test_any_of_several_v1_may_fit_while_a_secret_is_rolled() -> None:
    check(f"t={AT},v1={OTHER},v1={DIGEST}")
    check(f"t={AT},v1={DIGEST},v1={OTHER},v0={OTHER}")
    check(f"t={AT},v1={DIGEST}", secrets=("whsec_new", SECRET))


@pytest.mark.parametrize(
    "header",
    [
        f"t={AT},v0={DIGEST}",
        f"t={AT},v2={DIGEST}",
        f"t={AT},v1={OTHER}",
        f"t={AT},v1={DIGEST[:-1]}",
        f"t={AT},v1={DIGEST.upper()}",
        f"t={AT},v1=",
        f"t={AT}",
        f"v1={DIGEST}",
        f"t=,v1={DIGEST}",
        f"t={AT}.0,v1={DIGEST}",
        f"t={AT},t={AT},v1={DIGEST}",
        f"t=１７０００００００0,v1={DIGEST}",
        f"t={'9' * 30},v1={DIGEST}",
        f"t={AT},v1={'é' * 64}",
        f"t={AT},v1={DIGEST}" + ",v1=" * 2000,
        "",
    ],
)  # fmt: skip
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(Unauthorized):
        check(header)


def test_without_a_secret_nothing_passes() -> None:
    with pytest.raises(Unauthorized):
        check(f"t={AT},v1={DIGEST}", secrets=())


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_every_changed_byte_is_noticed(place: int, change: int) -> None:
    changed = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1 :]

    with pytest.raises(Unauthorized):
        check(f"t={AT},v1={DIGEST}", changed)


@given(st.binary(max_size=200), st.integers(0, 4_000_000_000))
def test_every_body_signed_under_our_secret_passes(body: bytes, at: int) -> None:
    digest = hmac.new(SECRET.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()

    verify(f"t={at},v1={digest}", body, [SECRET], datetime.fromtimestamp(at, UTC))


def test_what_the_sandbox_signs_passes() -> None:
    check(stripe_signature(BODY, SECRET, AT))


EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": AT,
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": "req_1", "idempotency_key": "op-1"},
    "type": "customer.subscription.updated",
    "data": {
        "object": {"id": "sub_1", "object": "subscription", "status": "active"},
        "previous_attributes": {"status": "trialing"},
    },
}


def snapshot(**changes: Any) -> bytes:
    """The event with some members changed; those given as ... left out."""
    return json.dumps({name: value for name, value in (EVENT | changes).items() if value is not ...}).encode()


def test_a_snapshot_carries_its_object_and_what_it_was_before() -> None:
    event = envelope(snapshot())

    assert (event.id, event.type, event.occurred_at, event.live, event.thin) == (
        "evt_1", "customer.subscription.updated", NOW, False, False,
    )  # fmt: skip
    assert (event.object_kind, event.object_id, event.idempotency_key) == ("subscription", "sub_1", "op-1")
    assert event.object is not None
    assert (event.object["status"], event.previous) == ("active", {"status": "trialing"})


def test_an_event_that_no_request_caused_has_no_key() -> None:
    assert envelope(snapshot(request=None)).idempotency_key is None
    assert envelope(snapshot(request={"id": None, "idempotency_key": None})).idempotency_key is None


def test_a_thin_event_carries_only_what_to_ask_for() -> None:
    event = envelope(THIN)

    assert (event.thin, event.object, event.object_kind, event.object_id) == (True, None, "billing.meter", "mtr_123")
    assert event.occurred_at == datetime(2022, 2, 15, 0, 27, 45, 330_000, UTC)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff", b'"event"', b'{"object":"customer","id":"cus_1"}', b"[" * 100_000]
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        envelope(body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ...), ("id", ""), ("id", 7), ("type", None), ("created", "yesterday"), ("created", True), ("created", 10**20),
        ("livemode", "false"), ("livemode", ...), ("data", None), ("data", {"object": []}), ("data", {"object": {"id": "x"}}),
        ("data", {"object": {"object": "x"}, "previous_attributes": None}),
    ],
)  # fmt: skip
def test_an_event_with_an_odd_field_is_refused(field: str, value: Any) -> None:
    with pytest.raises(BadRequest, match="Stripe: the event's"):
        envelope(snapshot(**{field: value}))


@pytest.mark.parametrize("created", ["2022-02-15T00:27:45", "yesterday", 7])
def test_a_thin_event_needs_a_time_with_its_zone(created: Any) -> None:
    with pytest.raises(BadRequest, match="created"):
        envelope(json.dumps(json.loads(THIN) | {"created": created}).encode())
