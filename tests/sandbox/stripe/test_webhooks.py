"""Events and their deliveries: signed as the vendor signs, at least once, again after a failure, in any order."""

import json
from typing import Any

import pytest
import stripe as sdk

from sandbox.stripe.signature import stripe_signature

SECRET, AT = "whsec_test_secret", 1700000000
SNAPSHOT = b'{"id":"evt_test","object":"event","type":"invoice.paid"}'
THIN = (
    b'{"id":"evt_234","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","livemode":false,'
    b'"created":"2022-02-15T00:27:45.330Z","related_object":{"id":"mtr_123","type":"billing.meter","url":"/v1/billing/meters/mtr_123"}}'
)


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (SNAPSHOT, "02b5890a3376a18a176fde670ba47bc920bc30c6ae0deb7adf58049a4ead9aff"),
        (THIN, "faeb667f86e5e2cec7f9f6e8dc20361887144e6101de6c3aacd2a858618f41ac"),
    ],
)
def test_signatures_are_the_vendors(body: bytes, digest: str) -> None:
    signature = stripe_signature(body, SECRET, AT)

    assert signature == f"t={AT},v1={digest}"
    assert sdk.WebhookSignature.verify_header(body, signature, SECRET)


@pytest.mark.parametrize(
    "header",
    [
        f"t={AT},v0=02b5890a3376a18a176fde670ba47bc920bc30c6ae0deb7adf58049a4ead9aff",
        f"t={AT + 1},v1=02b5890a3376a18a176fde670ba47bc920bc30c6ae0deb7adf58049a4ead9aff",
        f"t={AT},v1=12b5890a3376a18a176fde670ba47bc920bc30c6ae0deb7adf58049a4ead9aff",
    ],
)
def test_other_signatures_are_not(header: str) -> None:
    with pytest.raises(sdk.SignatureVerificationError):
        sdk.WebhookSignature.verify_header(SNAPSHOT, header, SECRET)


def listen(sandbox: Any, url: str, *types: str) -> str:
    made = sandbox.client().v1.webhook_endpoints.create(params={"url": url, "enabled_events": list(types) or ["*"]})
    assert made.secret is not None
    return str(made.secret)


def test_a_delivery_is_verified_and_read_by_the_sdk(sandbox: Any, receiver: Any) -> None:
    secret, stripe = listen(sandbox, receiver.url, "customer.created"), sandbox.client()
    made = stripe.v1.customers.create(params={"name": "Acme"}, options={"idempotency_key": "op-1"})
    [(body, signature)] = receiver.wait_for(1)
    event = stripe.construct_event(body, signature, secret)

    assert (event.type, event.api_version, event.data.object["id"]) == ("customer.created", "2026-10-28.endive", made.id)
    assert event.request is not None
    assert event.request.idempotency_key == "op-1"
    assert event.request.id == made.last_response.request_id
    with pytest.raises(sdk.SignatureVerificationError):
        stripe.construct_event(body.replace(b"Acme", b"Evil"), signature, secret)


def test_the_secret_is_shown_once_and_starts_with_whsec(sandbox: Any) -> None:
    secret = listen(sandbox, "http://127.0.0.1:9/hook")
    [endpoint] = sandbox.client().v1.webhook_endpoints.list().data

    assert secret.startswith("whsec_")
    assert not hasattr(endpoint, "secret")


def types_of(got: list[tuple[bytes, str]]) -> list[str]:
    return [json.loads(body)["type"] for body, _ in got]


def test_only_the_types_listened_to_arrive_and_none_after_deletion(sandbox: Any, receiver: Any) -> None:
    listen(sandbox, receiver.url, "customer.deleted", "product.created")
    stripe = sandbox.client()
    stripe.v1.customers.delete(stripe.v1.customers.create().id)
    receiver.wait_for(1)
    [endpoint] = stripe.v1.webhook_endpoints.list().data
    stripe.v1.webhook_endpoints.update(endpoint.id, params={"enabled_events": ["product.created"]})
    stripe.v1.customers.delete(stripe.v1.customers.create().id)
    stripe.v1.products.create(params={"name": "P"})
    receiver.wait_for(2)
    stripe.v1.webhook_endpoints.delete(endpoint.id)
    stripe.v1.products.create(params={"name": "Q"})

    assert types_of(receiver.got) == ["customer.deleted", "product.created"]


def test_a_failed_delivery_is_tried_again_with_the_same_event(sandbox: Any, receiver: Any) -> None:
    receiver.failures = 2
    listen(sandbox, receiver.url, "customer.created")
    sandbox.client().v1.customers.create()
    got = receiver.wait_for(3)

    assert len({json.loads(body)["id"] for body, _ in got}) == 1
    sandbox.until(lambda: sandbox.records("event")[0]["pending_webhooks"] == 0)


def test_an_endpoint_that_is_not_there_hinders_nobody(sandbox: Any, receiver: Any) -> None:
    listen(sandbox, "http://127.0.0.1:9/nobody")
    listen(sandbox, receiver.url, "customer.created")
    sandbox.client().v1.customers.create()

    assert types_of(receiver.wait_for(1)) == ["customer.created"]


def test_a_fault_delivers_an_event_twice(sandbox: Any, receiver: Any) -> None:
    listen(sandbox, receiver.url, "customer.created")
    sandbox.fault("duplicate_events")
    stripe = sandbox.client()
    first, second = stripe.v1.customers.create(), stripe.v1.customers.create()
    got = [json.loads(body)["data"]["object"]["id"] for body, _ in receiver.wait_for(3)]

    assert got == [first.id, first.id, second.id]


def test_a_fault_delivers_events_newest_first(sandbox: Any, receiver: Any) -> None:
    listen(sandbox, receiver.url, "customer.subscription.created", "invoice.created")
    sandbox.fault("reorder_events")
    sandbox.client().v1.subscriptions.create(
        params={
            "customer": sandbox.records("customer")[0]["id"],
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "items": [{"price": sandbox.price("PLAT-ANNUAL/usd")}],
        }
    )

    assert types_of(receiver.wait_for(2)) == ["invoice.created", "customer.subscription.created"]


def test_events_are_listed_newest_first_by_type_with_what_changed(sandbox: Any) -> None:
    stripe = sandbox.client()
    made = stripe.v1.customers.create(params={"name": "Acme"})
    stripe.v1.customers.update(made.id, params={"name": "Acme Inc"})
    stripe.v1.customers.update(made.id, params={"name": "Acme Inc"})
    [updated, created] = stripe.v1.events.list().data

    assert [updated.type, created.type] == ["customer.updated", "customer.created"]
    assert updated.data.previous_attributes is not None
    assert updated.data.previous_attributes.to_dict() == {"name": "Acme"}
    assert created.data.object["name"] == "Acme"
    assert [e.id for e in stripe.v1.events.list(params={"types": ["customer.created", "product.created"]}).data] == [created.id]
    assert [e.id for e in stripe.v1.events.list(params={"type": "customer.*"}).data] == [updated.id, created.id]
    assert [e.id for e in stripe.v1.events.list(params={"type": "customer.updated"}).data] == [updated.id]
    assert stripe.v1.events.retrieve(created.id).type == "customer.created"


def test_events_are_kept_for_thirty_days(sandbox: Any) -> None:
    stripe = sandbox.client()
    stripe.v1.customers.create()
    sandbox.clock.ahead = 30 * 86400 + 1.0

    assert stripe.v1.events.list().data == []


def test_a_replayed_request_causes_no_second_event(sandbox: Any) -> None:
    for _ in range(2):
        sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")

    assert len(sandbox.records("event")) == 1


def test_a_contract_paid_tells_its_story(sandbox: Any) -> None:
    stripe = sandbox.client()
    stripe.v1.subscriptions.create(
        params={
            "customer": sandbox.records("customer")[0]["id"],
            "default_payment_method": "pm_card_visa",
            "items": [{"price": sandbox.price("PLAT-ANNUAL/usd")}],
        }
    )

    assert [e["type"] for e in sandbox.records("event")] == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]
    assert sandbox.records("event")[-1]["data"]["previous_attributes"] == {"status": "incomplete"}


@pytest.mark.parametrize(
    ("data", "param"),
    [
        ({"url": "ftp://x", "enabled_events[]": "*"}, "url"),
        ({"url": "http://x", "enabled_events[]": "everything"}, "enabled_events[0]"),
        ({"url": "http://x", "enabled_events": ""}, "enabled_events"),
        ({"url": "http://x"}, "enabled_events"),
    ],
)
def test_endpoints_that_make_no_sense_are_refused(sandbox: Any, data: dict[str, str], param: str) -> None:
    answer = sandbox.post("/v1/webhook_endpoints", data)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
