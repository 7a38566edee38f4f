"""Subscriptions from the first invoice to the end, on a clock that the test moves."""

from decimal import Decimal
from typing import Any

import pytest
import stripe as sdk

DAY = 86400
HARBOR = 0  # of the seeded customers: USD, in California


def customer(sandbox: Any, which: int = HARBOR) -> str:
    return str(sandbox.records("customer")[which]["id"])


def subscribe(sandbox: Any, **more: Any) -> Any:
    """A contract as the flows make it: ten annual seats, metered usage, twenty hours of service once, on invoice."""
    params: dict[str, Any] = {
        "customer": customer(sandbox),
        "collection_method": "send_invoice",
        "days_until_due": 30,
        "items": [{"price": sandbox.price("PLAT-ANNUAL/usd"), "quantity": 10}, {"price": sandbox.price("API-USAGE/usd")}],
        "add_invoice_items": [{"price": sandbox.price("ONBOARD-SVC/usd"), "quantity": 20}],
        "metadata": {"external_ref": "Q-1001"},
        "expand": ["latest_invoice"],
    }
    made: Any = sandbox.client().v1.subscriptions.create(params=params | more)
    return made


def refusal(sandbox: Any, **more: Any) -> Any:
    with pytest.raises(sdk.StripeError) as refused:
        subscribe(sandbox, **more)
    return refused.value


def test_a_contract_has_items_with_their_own_periods_and_a_first_invoice(sandbox: Any) -> None:
    made = subscribe(sandbox)
    annual, usage = made["items"].data
    invoice = made.latest_invoice

    assert (made.status, made.currency, made.billing_mode.type) == ("active", "usd", "flexible")
    assert 365 * DAY <= annual.current_period_end - annual.current_period_start <= 366 * DAY
    assert 28 * DAY <= usage.current_period_end - usage.current_period_start <= 31 * DAY
    assert annual.quantity == 10
    assert not hasattr(usage, "quantity")
    assert isinstance(invoice, sdk.Invoice)
    assert [(line.amount, line.quantity) for line in invoice.lines.data] == [(1200000, 10), (300000, 20)]
    assert (invoice.status, invoice.billing_reason, invoice.subtotal, invoice.total) == (
        "draft",
        "subscription_create",
        1500000,
        1500000,
    )
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == made.id
    assert invoice.due_date == invoice.created + 30 * DAY


def test_taxes_of_the_rates_named_are_charged_line_by_line(sandbox: Any) -> None:
    [rate] = [r["id"] for r in sandbox.records("tax_rate") if r["metadata"]["entity"] == "US01"]
    invoice = subscribe(sandbox, default_tax_rates=[rate]).latest_invoice

    assert isinstance(invoice, sdk.Invoice)
    assert invoice.total_taxes is not None
    assert [(t.amount, t.taxable_amount, t.tax_rate_details and t.tax_rate_details.tax_rate) for t in invoice.total_taxes] == [
        (108750, 1500000, rate)
    ]
    assert (invoice.total_excluding_tax, invoice.total) == (1500000, 1608750)


def test_automatic_tax_takes_the_rate_of_the_customers_place(sandbox: Any) -> None:
    invoice = subscribe(sandbox, automatic_tax={"enabled": True}).latest_invoice
    nowhere = sandbox.client().v1.customers.create()

    assert isinstance(invoice, sdk.Invoice)
    assert (invoice.automatic_tax.status, invoice.total) == ("complete", 1608750)
    assert refusal(sandbox, automatic_tax={"enabled": True}, customer=nowhere.id).code == "customer_tax_location_invalid"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"customer": "cus_none"}, "customer"),
        ({"items": []}, "items"),
        ({"items": [{"price": "price_none"}]}, "items[0][price]"),
        ({"items": [{"price": "ONBOARD-SVC/usd"}]}, "items[0][price]"),
        ({"add_invoice_items": [{"price": "PLAT-ANNUAL/usd"}]}, "add_invoice_items[0][price]"),
        ({"items": [{"price": "API-USAGE/usd", "quantity": 1}]}, "items[0][quantity]"),
        ({"items": [{"price": "PLAT-ANNUAL/usd"}, {"price": "API-USAGE/eur"}]}, "items"),
        ({"items": [{"price": "PLAT-ANNUAL/eur"}], "add_invoice_items": []}, "currency"),
        ({"days_until_due": None}, "days_until_due"),
        ({"collection_method": "charge_automatically"}, "days_until_due"),
        ({"default_tax_rates": ["txr_none"]}, "default_tax_rates"),
        ({"billing_mode": {"type": "classic"}}, "items"),
        ({"cancel_at": 1}, "cancel_at"),
    ],
)
def test_what_cannot_be_subscribed_is_refused_and_leaves_nothing(sandbox: Any, change: dict[str, Any], param: str) -> None:
    for entries in (change.get("items", []), change.get("add_invoice_items", [])):
        for entry in entries:
            entry["price"] = sandbox.price(entry["price"]) if "/" in entry["price"] else entry["price"]
    refused = refusal(sandbox, **change)

    assert (refused.http_status, refused.param) == (400, param)
    assert sandbox.records("subscription") == sandbox.records("invoice") == sandbox.records("event") == []


def test_prices_may_be_given_inline(sandbox: Any) -> None:
    data = {"currency": "usd", "product": "PLAT-ANNUAL", "unit_amount": 99000, "recurring": {"interval": "year"}}
    made = subscribe(sandbox, items=[{"price_data": data, "quantity": 2}], add_invoice_items=[])
    price = made["items"].data[0].price

    assert isinstance(made.latest_invoice, sdk.Invoice)
    assert made.latest_invoice.total == 198000
    assert sandbox.client().v1.prices.retrieve(price.id).active is False


def test_automatic_charging_needs_a_payment_method_and_pays_the_first_invoice_at_once(sandbox: Any) -> None:
    stripe = sandbox.client()
    automatic = {"collection_method": "charge_automatically", "days_until_due": None}
    without = refusal(sandbox, **automatic)
    stripe.v1.customers.update(customer(sandbox), params={"invoice_settings": {"default_payment_method": "pm_card_visa"}})
    made = subscribe(sandbox, **automatic, expand=["latest_invoice.payments"])
    invoice = made.latest_invoice

    assert without.code == "resource_missing"
    assert made.status == "active"
    assert isinstance(invoice, sdk.Invoice)
    assert (invoice.status, invoice.amount_paid, invoice.amount_remaining) == ("paid", 1500000, 0)
    assert invoice.payments is not None
    intent = stripe.v1.payment_intents.retrieve(
        str(invoice.payments.data[0].payment.payment_intent), params={"expand": ["latest_charge"]}
    )
    assert isinstance(intent.latest_charge, sdk.Charge)
    assert (intent.status, intent.latest_charge.amount) == ("succeeded", 1500000)


def test_a_declined_card_leaves_it_incomplete_or_refuses_it(sandbox: Any) -> None:
    method = {
        "collection_method": "charge_automatically",
        "days_until_due": None,
        "default_payment_method": "pm_card_chargeDeclined",
    }
    with pytest.raises(sdk.CardError) as refused:
        subscribe(sandbox, **method, payment_behavior="error_if_incomplete")
    left = len(sandbox.records("subscription"))
    made = subscribe(sandbox, **method)

    assert (refused.value.http_status, refused.value.code, left) == (402, "card_declined", 0)
    assert made.status == "incomplete"
    invoice = sandbox.client().v1.invoices.pay(made.latest_invoice.id, params={"payment_method": "pm_card_visa"})
    assert invoice.status == "paid"
    assert sandbox.client().v1.subscriptions.retrieve(made.id).status == "active"


def test_subscriptions_are_listed_by_customer_status_and_price_and_searched_by_metadata(sandbox: Any) -> None:
    stripe = sandbox.client()
    first, second = subscribe(sandbox), subscribe(sandbox, metadata={"external_ref": "Q-2"})
    stripe.v1.subscriptions.cancel(first.id)
    sandbox.clock.ahead = 2.0

    def ids(**params: Any) -> list[str]:
        return [s.id for s in stripe.v1.subscriptions.list(params=params).data]

    assert ids() == ids(customer=customer(sandbox)) == ids(price=sandbox.price("API-USAGE/usd")) == [second.id]
    assert ids(status="canceled") == ids(status="ended") == [first.id]
    assert ids(status="all") == [second.id, first.id]
    assert ids(customer=customer(sandbox, 1)) == ids(price="price_none") == []
    assert [s.id for s in stripe.v1.subscriptions.search(params={"query": "metadata['external_ref']:'Q-2'"}).data] == [second.id]


def test_cancelling_ends_it_and_a_second_time_there_is_nothing(sandbox: Any) -> None:
    stripe, made = sandbox.client(), subscribe(sandbox)
    ended = stripe.v1.subscriptions.cancel(made.id, params={"prorate": True, "invoice_now": True})
    with pytest.raises(sdk.InvalidRequestError) as again:
        stripe.v1.subscriptions.cancel(made.id)
    with pytest.raises(sdk.InvalidRequestError) as changed:
        stripe.v1.subscriptions.update(made.id, params={"description": "x"})

    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", ended.canceled_at, ended.ended_at)
    assert (again.value.http_status, again.value.code) == (404, "resource_missing")
    assert changed.value.code == "invalid_canceled_subscription_fields"
    assert stripe.v1.subscriptions.update(made.id, params={"metadata": {"note": "x"}}).metadata["note"] == "x"
    final = stripe.v1.invoices.list(params={"subscription": made.id}).data[0]
    assert final.billing_reason == "subscription_update"
    assert final.total == -1200000


def test_cancellation_at_the_end_of_the_period_comes_true_with_time_and_can_be_taken_back(sandbox: Any) -> None:
    stripe, made = sandbox.client(), subscribe(sandbox)
    planned = stripe.v1.subscriptions.update(made.id, params={"cancel_at_period_end": True})
    kept = stripe.v1.subscriptions.update(made.id, params={"cancel_at_period_end": False})
    stripe.v1.subscriptions.update(made.id, params={"cancel_at": "min_period_end"})
    sandbox.clock.ahead = 31.5 * DAY

    assert planned.cancel_at == made["items"].data[0].current_period_end
    assert planned.cancel_at_period_end
    assert (kept.cancel_at, kept.canceled_at, kept.cancel_at_period_end) == (None, None, False)
    assert stripe.v1.subscriptions.retrieve(made.id).status == "canceled"


def test_more_seats_are_prorated_onto_the_next_invoice_or_invoiced_at_once(sandbox: Any) -> None:
    stripe, made = sandbox.client(), subscribe(sandbox)
    item = made["items"].data[0]
    half = (item.current_period_start + item.current_period_end) // 2
    params: Any = {"items": [{"id": item.id, "quantity": 20}], "proration_date": half}
    preview = stripe.v1.invoices.create_preview(
        params={"subscription": made.id, "subscription_details": {**params, "proration_behavior": "always_invoice"}}
    )
    stored = len(sandbox.records("invoice"))
    changed = stripe.v1.subscriptions.update(
        made.id, params={**params, "proration_behavior": "always_invoice", "expand": ["latest_invoice"]}
    )
    invoice = changed.latest_invoice

    assert isinstance(invoice, sdk.Invoice)
    assert [line.amount for line in invoice.lines.data] == [line.amount for line in preview.lines.data] == [-600000, 1200000]
    assert all(line.parent.subscription_item_details.proration for line in preview.lines.data)
    assert (stored, invoice.billing_reason, invoice.total) == (1, "subscription_update", 600000)
    assert changed["items"].data[0].quantity == 20


def test_prorations_wait_for_the_next_invoice_unless_switched_off(sandbox: Any) -> None:
    stripe, made = sandbox.client(), subscribe(sandbox)
    item = made["items"].data[0]
    stripe.v1.subscription_items.update(item.id, params={"quantity": 20, "proration_behavior": "none"})
    unchanged = stripe.v1.invoices.create_preview(params={"subscription": made.id}).total
    stripe.v1.subscription_items.update(item.id, params={"quantity": 10, "proration_date": item.current_period_start})
    waiting = stripe.v1.invoices.create_preview(params={"subscription": made.id})

    assert unchanged == 0  # the month's usage, of which there was none
    assert [line.amount for line in waiting.lines.data] == [-2400000, 1200000, 0]
    assert len(sandbox.records("invoice")) == 1


def test_items_come_and_go(sandbox: Any) -> None:
    stripe, made = sandbox.client(), subscribe(sandbox)
    annual, usage = made["items"].data
    data = {"currency": "usd", "product": "SENSOR-X1", "unit_amount": 500, "recurring": {"interval": "month"}}
    added = stripe.v1.subscription_items.create(params={"subscription": made.id, "price_data": data, "quantity": 2})
    gone = stripe.v1.subscription_items.delete(usage.id)
    listed = [i.id for i in stripe.v1.subscription_items.list(params={"subscription": made.id}).data]

    assert gone.deleted
    assert listed == [added.id, annual.id]
    assert [i["id"] for i in sandbox.get(f"/v1/subscriptions/{made.id}").json()["items"]["data"]] == [annual.id, added.id]
    assert added.current_period_end == usage.current_period_end
    stripe.v1.subscription_items.delete(annual.id)
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.subscription_items.delete(added.id)
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.subscriptions.update(made.id, params={"items": [{"id": annual.id, "quantity": 1}]})


def test_the_anchor_is_set_to_now_by_an_object(sandbox: Any) -> None:
    stripe, made = sandbox.client(), subscribe(sandbox)
    sandbox.clock.ahead = 10.0 * DAY
    changed = stripe.v1.subscriptions.update(
        made.id, params={"billing_cycle_anchor": {"type": "now"}, "expand": ["latest_invoice"]}
    )
    as_text = sandbox.post(f"/v1/subscriptions/{made.id}", {"billing_cycle_anchor": "now"})

    assert changed.billing_cycle_anchor >= made.billing_cycle_anchor + 10 * DAY
    assert changed["items"].data[0].current_period_start == changed.billing_cycle_anchor
    assert isinstance(changed.latest_invoice, sdk.Invoice)
    assert 0 < changed.latest_invoice.total < 1200000
    assert (as_text.status_code, as_text.json()["error"]["param"]) == (400, "billing_cycle_anchor")


def test_drafts_are_finalized_after_an_hour_and_usage_is_billed_when_its_month_is_over(sandbox: Any) -> None:
    stripe, made = sandbox.client(), subscribe(sandbox)
    for n in range(3):
        stripe.v1.billing.meter_events.create(
            params={
                "event_name": "api_usage",
                "payload": {"stripe_customer_id": customer(sandbox), "value": "1000"},
                "identifier": f"u{n}",
            }
        )
    sandbox.clock.ahead = 3601.0
    first = stripe.v1.invoices.retrieve(made.latest_invoice.id)
    sandbox.clock.ahead = 32.0 * DAY
    [second, _] = stripe.v1.invoices.list(params={"subscription": made.id}).data

    assert (first.status, first.amount_due) == ("open", 1500000)
    assert first.number == f"{sandbox.records('customer')[HARBOR]['invoice_prefix']}-0001"
    assert (second.billing_reason, second.status, second.total) == ("subscription_cycle", "open", 6000)
    assert [(line.quantity, line.pricing.unit_amount_decimal) for line in second.lines.data] == [(3000, Decimal(2))]
    renewed = stripe.v1.subscriptions.retrieve(made.id)["items"].data[1]
    assert renewed.current_period_start == made["items"].data[1].current_period_end


def test_after_a_year_the_seats_renew_and_no_period_was_billed_twice(sandbox: Any) -> None:
    stripe, made = sandbox.client(), subscribe(sandbox)
    sandbox.clock.ahead = 370.0 * DAY
    invoices = stripe.v1.invoices.list(params={"subscription": made.id, "limit": 100}).data
    lines = [line for invoice in invoices for line in invoice.lines.data]

    assert len(invoices) == 13
    seats = sorted((x.period.start, x.period.end) for x in lines if x.amount == 1200000)
    assert len(seats) == 2
    assert seats[0][1] == seats[1][0]
    usage = sorted((x.period.start, x.period.end) for x in lines if x.quantity == 0)
    assert [end for _, end in usage[:-1]] == [start for start, _ in usage[1:]]


def test_a_trial_costs_nothing_until_it_ends(sandbox: Any) -> None:
    made = subscribe(sandbox, trial_period_days=14, add_invoice_items=[], items=[{"price": sandbox.price("PLAT-ANNUAL/usd")}])
    sandbox.clock.ahead = 14.5 * DAY
    stripe = sandbox.client()
    [renewal, _] = stripe.v1.invoices.list(params={"subscription": made.id}).data

    assert made.status == "trialing"
    assert isinstance(made.latest_invoice, sdk.Invoice)
    assert made.latest_invoice.total == 0
    assert (renewal.total, stripe.v1.subscriptions.retrieve(made.id).status) == (120000, "active")


def test_an_anchor_ahead_shortens_the_first_period_and_its_charge(sandbox: Any) -> None:
    now = int(sandbox.clock())
    made = subscribe(
        sandbox, billing_cycle_anchor=now + 73 * DAY, add_invoice_items=[], items=[{"price": sandbox.price("PLAT-ANNUAL/usd")}]
    )

    assert made["items"].data[0].current_period_end == now + 73 * DAY
    assert isinstance(made.latest_invoice, sdk.Invoice)
    assert 120000 * 72 // 366 <= made.latest_invoice.total <= 120000 * 73 // 365


def test_a_preview_of_a_subscription_to_be_stores_nothing(sandbox: Any) -> None:
    preview = sandbox.client().v1.invoices.create_preview(
        params={
            "customer": customer(sandbox),
            "automatic_tax": {"enabled": True},
            "subscription_details": {"items": [{"price": sandbox.price("PLAT-ANNUAL/usd"), "quantity": 10}]},
            "invoice_items": [{"price": sandbox.price("ONBOARD-SVC/usd"), "quantity": 20}],
        }
    )

    assert (preview.subtotal, preview.total) == (1500000, 1608750)
    assert sandbox.records("invoice") == sandbox.records("subscription") == sandbox.records("event") == []
    with pytest.raises(sdk.InvalidRequestError) as refused:
        sandbox.client().v1.invoices.create_preview(params={"customer": customer(sandbox)})
    assert refused.value.code == "invoice_upcoming_none"
