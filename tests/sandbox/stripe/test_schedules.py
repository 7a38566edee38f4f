"""Subscription schedules: phases come and go on the test's clock."""

from typing import Any

import pytest
import stripe as sdk

DAY = 86400


def phases(sandbox: Any) -> list[dict[str, Any]]:
    price = sandbox.price("PLAT-ANNUAL/usd")
    terms = {"collection_method": "send_invoice", "invoice_settings": {"days_until_due": 30}}
    year = {"duration": {"interval": "year", "interval_count": 1}}
    return [terms | year | {"items": [{"price": price, "quantity": n}], "metadata": {"phase": str(n)}} for n in (5, 8)]


def schedule(sandbox: Any, **more: Any) -> Any:
    params = {"customer": sandbox.records("customer")[0]["id"], "start_date": "now", "phases": phases(sandbox)} | more
    made: Any = sandbox.client().v1.subscription_schedules.create(params=params)
    return made


def test_the_first_phase_starts_at_once_and_the_second_a_year_later(sandbox: Any) -> None:
    stripe, made = sandbox.client(), schedule(sandbox)
    first = stripe.v1.subscriptions.retrieve(str(made.subscription))
    sandbox.clock.ahead = 367.0 * DAY
    second = stripe.v1.subscriptions.retrieve(str(made.subscription))

    assert made.status == "active"
    assert made.phases[0].end_date == made.phases[1].start_date
    assert (first["items"].data[0].quantity, first.metadata["phase"], first.schedule) == (5, "5", made.id)
    assert (second["items"].data[0].quantity, second.metadata["phase"]) == (8, "8")


def test_a_start_ahead_waits(sandbox: Any) -> None:
    start = int(sandbox.clock()) + 10 * DAY
    stripe, made = sandbox.client(), schedule(sandbox, start_date=start)
    waiting = stripe.v1.subscription_schedules.list(params={"scheduled": True}).data
    sandbox.clock.ahead = 10.0 * DAY + 1

    assert (made.status, made.subscription, [s.id for s in waiting]) == ("not_started", None, [made.id])
    begun = stripe.v1.subscription_schedules.retrieve(made.id, params={"expand": ["subscription"]})
    assert begun.status == "active"
    assert isinstance(begun.subscription, sdk.Subscription)
    assert begun.subscription.start_date == start


@pytest.mark.parametrize(
    ("behavior", "status", "subscription"), [("cancel", "completed", "canceled"), ("release", "released", "active")]
)
def test_after_the_last_phase_comes_what_was_asked_for(sandbox: Any, behavior: str, status: str, subscription: str) -> None:
    stripe, made = sandbox.client(), schedule(sandbox, end_behavior=behavior, phases=phases(sandbox)[:1])
    sandbox.clock.ahead = 367.0 * DAY
    row = stripe.v1.subscriptions.retrieve(str(made.subscription))

    assert stripe.v1.subscription_schedules.retrieve(made.id).status == status
    assert row.status == subscription
    renewals = [i for i in sandbox.records("invoice") if i["billing_reason"] == "subscription_cycle"]
    assert len(renewals) == (subscription == "active")


def test_a_schedule_is_made_from_a_subscription_extended_and_released(sandbox: Any) -> None:
    stripe = sandbox.client()
    row = stripe.v1.subscriptions.create(
        params={
            "customer": sandbox.records("customer")[0]["id"],
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "items": [{"price": sandbox.price("PLAT-ANNUAL/usd"), "quantity": 5}],
        }
    )
    made = stripe.v1.subscription_schedules.create(params={"from_subscription": row.id})
    extended = stripe.v1.subscription_schedules.update(made.id, params={"phases": phases(sandbox)})
    released = stripe.v1.subscription_schedules.release(made.id)

    assert (made.subscription, made.phases[0].items[0].quantity) == (row.id, 5)
    assert len(extended.phases) == 2
    assert (released.status, released.released_subscription) == ("released", row.id)
    assert stripe.v1.subscriptions.retrieve(row.id).schedule is None
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.subscription_schedules.cancel(made.id)


def test_cancelling_ends_the_subscription_too(sandbox: Any) -> None:
    stripe, made = sandbox.client(), schedule(sandbox)

    assert stripe.v1.subscription_schedules.cancel(made.id).status == "canceled"
    assert stripe.v1.subscriptions.retrieve(str(made.subscription)).status == "canceled"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"phases": []}, "phases"),
        ({"customer": "cus_none"}, "customer"),
        ({"phases": [{"items": [{"price": "price_none"}], "end_date": 4_000_000_000}]}, "phases[0][items][0][price]"),
        ({"phases": [{"items": [{"price": "price_none"}]}]}, "phases[0][end_date]"),
        ({"phases": [{"items": [{"price": "price_none"}], "end_date": 1}]}, "phases[0][end_date]"),
    ],
)
def test_schedules_that_make_no_sense_are_refused(sandbox: Any, change: dict[str, Any], param: str) -> None:
    with pytest.raises(sdk.InvalidRequestError) as refused:
        schedule(sandbox, **change)

    assert refused.value.param == param


def test_a_phase_that_cannot_begin_any_more_disturbs_nobody_else(sandbox: Any) -> None:
    start, stripe = int(sandbox.clock()) + 10 * DAY, sandbox.client()
    made = schedule(sandbox, start_date=start)
    stripe.v1.prices.update(sandbox.price("PLAT-ANNUAL/usd"), params={"active": False})
    sandbox.clock.ahead = 11.0 * DAY

    assert stripe.v1.customers.create(params={"name": "x"}).name == "x"
    assert stripe.v1.subscription_schedules.retrieve(made.id).status == "not_started"


def test_a_schedule_in_another_currency_than_the_customers_is_refused_and_leaves_nothing(sandbox: Any) -> None:
    other = phases(sandbox)
    other[0]["items"][0]["price"] = sandbox.price("PLAT-ANNUAL/eur")
    with pytest.raises(sdk.InvalidRequestError):
        schedule(sandbox, phases=other[:1])

    assert sandbox.records("subscription_schedule") == []
