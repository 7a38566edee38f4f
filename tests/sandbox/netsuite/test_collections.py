"""Lists and their `q` filters: pages tie together, AND binds tighter than OR, every operator means what it says."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.netsuite.driving import Client


def keys(client: Client, kind: str, q: str) -> list[str]:
    """External ids of what a filter finds."""
    found = client.read(kind, q=q)
    return [client.read(f"{kind}/{one['id']}")["externalId"] for one in found["items"]]


def test_a_list_has_ids_and_links_only(client: Client) -> None:
    found = client.read("customer")

    assert (found["count"], found["totalResults"], found["offset"], found["hasMore"]) == (4, 4, 0, False)
    assert all(set(one) == {"links", "id"} for one in found["items"])


def test_following_next_links_visits_every_record_once(client: Client) -> None:
    page = client.read("accountingPeriod", limit=7)
    seen = [one["id"] for one in page["items"]]
    while page["hasMore"]:
        page = client.read({one["rel"]: one["href"] for one in page["links"]}["next"])
        seen += [one["id"] for one in page["items"]]

    assert len(seen) == page["totalResults"] == 51
    assert len(set(seen)) == 51
    assert {one["rel"] for one in page["links"]} == {"self", "prev", "first"}


@pytest.mark.parametrize(
    "page", [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"limit": 5, "offset": 3}, {"offset": -1}, {"limit": ""}], ids=str
)
def test_a_page_that_cannot_be_is_refused(client: Client, page: dict[str, Any]) -> None:
    detail = client.refused("GET", "customer", **page)

    assert detail["o:errorCode"] == "INVALID_PARAMETER"
    assert detail["o:errorQueryParam"] in ("limit", "offset")


FOUND = [
    ('companyName START_WITH "Over"', ["ACC-1004"]),
    ('companyName START_WITH "over" AND isInactive IS false', ["ACC-1004"]),
    ('companyName CONTAIN "ing"', ["ACC-1005"]),
    ('companyName END_WITH "AG"', ["ACC-1007"]),
    ('companyName ENDWITH "AG"', ["ACC-1007"]),
    ('companyName IS "Rheinblick AG"', ["ACC-1007"]),
    ("companyName IS_NOT \"Rheinblick AG\" AND isInactive IS false", ["ACC-1003", "ACC-1004"]),
    ('externalId IS "acc-1003"', ["ACC-1003"]),
    ('externalId IS "ACC-1003" OR externalId IS "ACC-1007"', ["ACC-1003", "ACC-1007"]),
    ("isInactive IS true", ["ACC-1005"]),
    ("isInactive IS_NOT false", ["ACC-1005"]),
    ("balance GREATER 1200", ["ACC-1004"]),
    ("balance GREATER_OR_EQUAL 1200.00", ["ACC-1003", "ACC-1004"]),
    ("balance BETWEEN [1, 1200]", ["ACC-1003"]),
    ("balance BETWEEN_NOT [0, 1200]", ["ACC-1004"]),
    ("balance LESS 1", ["ACC-1005", "ACC-1007"]),
    ("balance LESS_OR_EQUAL 0", ["ACC-1005", "ACC-1007"]),
    ("balance EQUAL 14250", ["ACC-1004"]),
    ("id ANY_OF [1001, 1004, 9999]", ["ACC-1003", "ACC-1007"]),
    ("id EQUAL 1002", ["ACC-1004"]),
    ("subsidiary ANY_OF [2]", ["ACC-1007"]),
    ("defaultTaxReg EMPTY", ["ACC-1003", "ACC-1004", "ACC-1005"]),
    ("defaultTaxReg EMPTY_NOT", ["ACC-1007"]),
    ("parent EMPTY AND daysOverdue GREATER 40", ["ACC-1004"]),
    ('creditHoldOverride IS "AUTO" AND daysOverdue EQUAL 47', ["ACC-1004"]),
    # AND binds tighter than OR; parentheses turn it round
    ('isInactive IS true OR balance GREATER 0 AND email START_WITH "ap@"', ["ACC-1004", "ACC-1005"]),
    ('(isInactive IS true OR balance GREATER 0) AND email START_WITH "ap@"', ["ACC-1004"]),
]  # fmt: skip


@pytest.mark.parametrize(("q", "expected"), FOUND, ids=[q for q, _ in FOUND])
def test_a_filter_finds(client: Client, q: str, expected: list[str]) -> None:
    assert keys(client, "customer", q) == expected


REFUSED = [
    "",
    "companyName",
    "companyName IS",
    'companyName IS "x',
    'companyName LIKE "x"',
    '"companyName" IS "x"',
    "shoeSize IS 46",
    "addressBook EMPTY",
    "isInactive EQUAL true",
    "isInactive IS maybe",
    "isInactive IS true AND",
    "isInactive IS true isInactive IS true",
    "isInactive IS true)",
    "(isInactive IS true",
    "(" * 100,
    "balance CONTAIN 1",
    "balance GREATER much",
    "balance GREATER NaN",
    "balance BETWEEN 1",
    "balance BETWEEN [1]",
    "id ANY_OF 1",
    "id ANY_OF [1",
    'lastModifiedDate ON "2026-01-31"',
    'lastModifiedDate ON "13/45/2026"',
]


@pytest.mark.parametrize("q", REFUSED)
def test_a_filter_that_cannot_be_read_is_refused(client: Client, q: str) -> None:
    detail = client.refused("GET", "customer", q=q)

    assert (detail["o:errorCode"], detail["o:errorQueryParam"]) == ("INVALID_PARAMETER", "q")


def test_the_period_of_a_day_is_found_by_its_dates(client: Client, today: date) -> None:
    day = f"{today.month}/{today.day}/{today.year}"
    q = f'startDate ON_OR_BEFORE "{day}" AND endDate ON_OR_AFTER "{day}" AND isQuarter IS false AND isYear IS false'

    (found,) = client.read("accountingPeriod", q=q)["items"]

    period = client.read(f"accountingPeriod/{found['id']}")
    assert (period["periodName"], period["isPosting"], period["closed"]) == (f"{today:%b %Y}", True, False)


WORDS = ["companyName", "IS", '"x"', "AND", "OR", "(", ")", "[", "]", ",", "EMPTY"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from(["companyName", "IS", '"x"', "AND", "OR", "(", ")", "[", "]", ",", "EMPTY"]), max_size=8).map(
        " ".join
    )
)
def test_any_filter_is_answered_or_refused_but_never_a_server_error(client: Client, q: str) -> None:
    assert client.get("customer", params={"q": q}).status_code in (200, 400)
