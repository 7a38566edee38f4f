"""Posting: the period of a date, the due date of the terms, and nothing into a period that is closed."""

from datetime import date, timedelta
from typing import Any

import pytest

from sandbox import world
from tests.sandbox.netsuite.driving import Client, line, order

CREDIT = "creditLimit,creditHoldOverride,balance,unbilledOrders,overdueBalance,daysOverdue,depositBalance,consolBalance"


def whole(client: Client, path: str) -> Any:
    return client.read(path, expandSubResources="true")


def test_an_invoice_posts_to_the_period_of_its_date_and_falls_due_by_its_terms(client: Client, harbor: str, today: date) -> None:
    made = client.made("invoice", order(harbor))

    found = client.read(f"invoice/{made}")
    assert (found["tranDate"], found["dueDate"]) == (today.isoformat(), (today + timedelta(days=30)).isoformat())
    assert found["postingPeriod"]["refName"] == f"{today:%b %Y}"
    assert (found["amountPaid"], found["amountRemaining"], found["status"]["refName"]) == (0, 12870, "Open")


def test_dimensions_and_deferral_stay_on_the_line(client: Client, harbor: str) -> None:
    dimensions = {"department": {"id": "3"}, "class": {"id": "1"}, "location": {"id": "1"}}
    deferral = {"revRecStartDate": "2026-02-01", "revRecEndDate": "2027-01-31", "deferRevRec": True}

    made = client.made("invoice", order(harbor, line("PLAT-ANNUAL", 1, **dimensions, **deferral)))

    (found,) = whole(client, f"invoice/{made}")["item"]["items"]
    assert {name: found[name]["refName"] for name in dimensions} == {
        "department": "Engineering", "class": "Subscription", "location": "San Francisco",
    }  # fmt: skip
    assert {name: found[name] for name in deferral} == deferral


POSTING = ["invoice", "creditMemo"]


@pytest.mark.parametrize("kind", POSTING)
def test_a_closed_period_takes_no_posting(client: Client, harbor: str, kind: str, closed_day: str) -> None:
    detail = client.refused("POST", kind, order(harbor, tranDate=closed_day))

    assert (detail["o:errorCode"], detail["o:errorPath"]) == ("USER_ERROR", "tranDate")


def test_an_order_does_not_post_so_its_date_may_lie_in_a_closed_period(client: Client, harbor: str, closed_day: str) -> None:
    assert client.post("salesOrder", json=order(harbor, tranDate=closed_day)).status_code == 204


def test_what_was_posted_is_frozen_once_its_period_closes(client: Client, harbor: str) -> None:
    made = client.made("invoice", order(harbor))
    period = client.read(f"invoice/{made}")["postingPeriod"]["id"]
    client.patch(f"accountingPeriod/{period}", json={"arLocked": True})

    changed = client.refused("PATCH", f"invoice/{made}", {"memo": "late"})
    deleted = client.refused("DELETE", f"invoice/{made}")

    assert (changed["o:errorPath"], deleted["o:errorPath"]) == ("tranDate", "tranDate")


def test_only_months_take_postings(client: Client, harbor: str, today: date) -> None:
    quarter = client.read("accountingPeriod", q=f'periodName IS "FY {today.year}"')["items"][0]["id"]

    assert client.refused("POST", "invoice", order(harbor, postingPeriod={"id": quarter}))["o:errorPath"] == "postingPeriod"


def test_the_periods_are_years_quarters_and_months_closed_as_the_world_says(client: Client, today: date) -> None:
    periods = [client.read(f"accountingPeriod/{one['id']}") for one in client.read("accountingPeriod")["items"]]

    months = {one["startDate"]: one["closed"] for one in periods if one["isPosting"]}
    assert months == {one.start.isoformat(): one.closed for one in world.periods(today)}
    assert [sum(one[kind] for one in periods) for kind in ("isYear", "isQuarter", "isPosting")] == [3, 12, 36]
