"""Meters: usage counted once per identifier, in its time, and taken back when asked."""

from typing import Any

import pytest
import stripe as sdk

DAY = 86400


@pytest.fixture
def customer(sandbox: Any) -> str:
    return str(sandbox.records("customer")[0]["id"])


def report(stripe: Any, customer: str, value: str, **more: Any) -> Any:
    payload = {"stripe_customer_id": customer, "value": value}
    return stripe.v1.billing.meter_events.create(params={"event_name": "api_usage", "payload": payload, **more})


def total(stripe: Any, customer: str, start: int, end: int, **more: Any) -> list[float]:
    [meter] = stripe.v1.billing.meters.list(params={"status": "active"}).data
    params: Any = {"customer": customer, "start_time": start, "end_time": end, **more}
    return [s.aggregated_value for s in stripe.v1.billing.meters.event_summaries.list(meter.id, params=params).data]


def today(sandbox: Any) -> int:
    return int(sandbox.clock()) // DAY * DAY


def test_usage_adds_up_and_each_identifier_counts_once(sandbox: Any, customer: str) -> None:
    stripe = sandbox.client()
    report(stripe, customer, "10", identifier="a")
    report(stripe, customer, "2.5", identifier="b")
    with pytest.raises(sdk.InvalidRequestError) as twice:
        report(stripe, customer, "10", identifier="a")

    assert (twice.value.http_status, twice.value.user_message) == (400, "An event already exists with identifier a.")
    assert total(stripe, customer, today(sandbox), today(sandbox) + DAY) == [12.5]
    assert [e["identifier"] for e in sandbox.records("billing.meter_event")] == ["a", "b"]


def test_an_identifier_is_free_again_after_a_day(sandbox: Any, customer: str) -> None:
    stripe = sandbox.client()
    report(stripe, customer, "10", identifier="a")
    sandbox.clock.ahead = DAY + 1.0

    assert report(stripe, customer, "10", identifier="a").identifier == "a"


@pytest.mark.parametrize(("offset", "code"), [(-35 * DAY - 60, "timestamp_too_far_in_past"), (360, "timestamp_in_future")])
def test_events_out_of_their_time_are_refused(sandbox: Any, customer: str, offset: int, code: str) -> None:
    with pytest.raises(sdk.InvalidRequestError) as refused:
        report(sandbox.client(), customer, "1", timestamp=int(sandbox.clock()) + offset)

    assert refused.value.code == code


def test_events_at_the_edges_of_their_time_are_taken(sandbox: Any, customer: str) -> None:
    for offset in (-35 * DAY + 60, 240):
        report(sandbox.client(), customer, "1", timestamp=int(sandbox.clock()) + offset)

    assert len(sandbox.records("billing.meter_event")) == 2


def test_an_event_is_taken_back_by_its_identifier(sandbox: Any, customer: str) -> None:
    stripe = sandbox.client()
    report(stripe, customer, "10", identifier="a")
    report(stripe, customer, "1", identifier="b")
    params: Any = {"event_name": "api_usage", "type": "cancel", "cancel": {"identifier": "a"}}
    done = stripe.v1.billing.meter_event_adjustments.create(params=params)
    sandbox.clock.ahead = DAY + 1.0
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.billing.meter_event_adjustments.create(params=params)

    sandbox.clock.ahead = 0.0
    assert done.status == "complete"
    assert total(stripe, customer, today(sandbox), today(sandbox) + DAY) == [1]


def test_summaries_group_by_day_and_align_to_it(sandbox: Any, customer: str) -> None:
    stripe, midnight = sandbox.client(), today(sandbox)
    for days, value in ((1, "5"), (1, "6"), (3, "7")):
        report(stripe, customer, value, timestamp=midnight - days * DAY + 10)

    assert total(stripe, customer, midnight - 4 * DAY, midnight, value_grouping_window="day") == [11, 7]
    assert total(stripe, customer, midnight - 2 * DAY, midnight) == [11]
    with pytest.raises(sdk.InvalidRequestError):
        total(stripe, customer, midnight - 1, midnight)


@pytest.mark.parametrize(("formula", "expected"), [("sum", 7), ("count", 2), ("last", 4)])
def test_formulas(sandbox: Any, customer: str, formula: Any, expected: int) -> None:
    stripe, midnight = sandbox.client(), today(sandbox)
    meter = stripe.v1.billing.meters.create(
        params={"display_name": "M", "event_name": f"m_{formula}", "default_aggregation": {"formula": formula}}
    )
    for n, value in ((2, "3"), (1, "4")):
        stripe.v1.billing.meter_events.create(
            params={
                "event_name": f"m_{formula}",
                "timestamp": midnight - n * 60,
                "payload": {"stripe_customer_id": customer, "value": value},
            }
        )
    found = stripe.v1.billing.meters.event_summaries.list(
        meter.id, params={"customer": customer, "start_time": midnight - DAY, "end_time": midnight}
    )

    assert [s.aggregated_value for s in found.data] == [expected]


@pytest.mark.parametrize(
    ("data", "param"),
    [
        ({"event_name": "unheard_of"}, "event_name"),
        ({"payload[value]": "1"}, "payload[stripe_customer_id]"),
        ({"payload[stripe_customer_id]": "cus_1"}, "payload[value]"),
        ({"payload[stripe_customer_id]": "cus_1", "payload[value]": "lots"}, "payload[value]"),
    ],
)
def test_events_that_mean_nothing_are_refused(sandbox: Any, data: dict[str, str], param: str) -> None:
    complete = {"event_name": "api_usage"} | data
    if "payload[value]" not in data and "payload[stripe_customer_id]" not in data:
        complete |= {"payload[stripe_customer_id]": "cus_1", "payload[value]": "1"}
    answer = sandbox.post("/v1/billing/meter_events", complete)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_a_meter_name_is_unique_while_active(sandbox: Any) -> None:
    stripe = sandbox.client()
    [meter] = stripe.v1.billing.meters.list().data
    params: Any = {"display_name": "Again", "event_name": "api_usage", "default_aggregation": {"formula": "sum"}}
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.billing.meters.create(params=params)
    stopped = stripe.v1.billing.meters.deactivate(meter.id)
    stripe.v1.billing.meters.create(params=params)

    assert stopped.status == "inactive"
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.billing.meters.reactivate(meter.id)
