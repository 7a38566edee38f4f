"""Search: the vendor's query language over an index that lags, so that nobody reads their own writes from it."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.errors import Refused
from sandbox.stripe.search import parse


def found(stripe: Any, query: str) -> list[str]:
    return [c.name or "" for c in stripe.v1.customers.search(params={"query": query}).data]


def test_the_seeded_customers_are_found_by_their_external_id(stripe: Any) -> None:
    assert found(stripe, "metadata['external_id']:'ACC-1003'") == ["Harbor Freightways"]


def test_a_new_customer_is_listed_at_once_and_found_a_second_later(sandbox: Any) -> None:
    stripe = sandbox.client()
    stripe.v1.customers.create(params={"name": "Fresh", "email": "a@fresh.example", "metadata": {"external_id": "ACC-9"}})
    query = "metadata['external_id']:'ACC-9'"
    at_once = found(stripe, query)
    listed = stripe.v1.customers.list(params={"email": "a@fresh.example"})
    sandbox.clock.ahead = 1.01

    assert at_once == []
    assert [c.name for c in listed.data] == ["Fresh"]
    assert found(stripe, query) == ["Fresh"]


def test_changes_and_deletions_reach_search_as_late(sandbox: Any) -> None:
    stripe = sandbox.client()
    row = stripe.v1.customers.search(params={"query": "name:'Harbor Freightways'"}).data[0]
    stripe.v1.customers.update(row.id, params={"metadata": {"external_id": "ACC-NEW"}})
    before = found(stripe, "metadata['external_id']:'ACC-1003'")
    sandbox.clock.ahead = 2.0
    after = found(stripe, "metadata['external_id']:'ACC-NEW'")
    stripe.v1.customers.delete(row.id)
    sandbox.clock.ahead = 4.0

    assert (before, after) == (["Harbor Freightways"], ["Harbor Freightways"])
    assert found(stripe, "metadata['external_id']:'ACC-1003'") == found(stripe, "metadata['external_id']:'ACC-NEW'") == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('email:"BILLING@harbor.example"', ["Harbor Freightways"]),
        ('name~"ind"', ["Overdrawn Industries"]),
        ("-name~'a'", []),
        ("name:'Rheinblick AG' OR name:'Dormant Holdings'", ["Rheinblick AG", "Dormant Holdings"]),
        ("name~'ra' AND metadata['external_id']:'ACC-1004'", ["Overdrawn Industries"]),
        ("name~'ra' metadata['external_id']:'ACC-1004'", ["Overdrawn Industries"]),
        ("phone:null AND -metadata['external_id']:null AND email~'ap@'", ["Rheinblick AG", "Overdrawn Industries"]),
        ("created>0 AND name:'Rheinblick AG'", ["Rheinblick AG"]),
        ("metadata['it\\'s']:'x'", []),
    ],
)
def test_the_query_language(stripe: Any, query: str, names: list[str]) -> None:
    assert found(stripe, query) == names


@pytest.mark.parametrize(
    "query",
    [
        "",
        "name",
        "name:",
        "name:Acme",
        "colour:'red'",
        "metadata:'x'",
        "name['a']:'x'",
        "created~'1'",
        "created:'x'",
        "name>'a'",
        "name:'a' AND name:'b' OR name:'c'",
        "name:'a' XOR name:'b'",
        "(name:'a')",
    ],
)
def test_other_queries_are_refused(sandbox: Any, query: str) -> None:
    answer = sandbox.http.get("/v1/customers/search", params={"query": query})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "query")


@given(st.text(max_size=30))
def test_any_query_is_read_or_refused(query: str) -> None:
    with contextlib.suppress(Refused):
        assert parse(query, "customer")[0]


def test_results_page_by_token(sandbox: Any) -> None:
    stripe = sandbox.client()
    made = [stripe.v1.customers.create(params={"metadata": {"batch": "b"}}).id for _ in range(5)]
    sandbox.clock.ahead = 2.0
    walked = [c.id for c in stripe.v1.customers.search(params={"query": "metadata['batch']:'b'", "limit": 2}).auto_paging_iter()]
    bad = sandbox.http.get("/v1/customers/search", params={"query": "name:'x'", "page": "!"})

    assert walked == made[::-1]
    assert (bad.status_code, bad.json()["error"]["param"]) == (400, "page")


def test_products_and_prices_are_searched_alike(stripe: Any) -> None:
    prices = stripe.v1.prices.search(params={"query": "lookup_key:'PLAT-ANNUAL/usd'"})
    products = stripe.v1.products.search(params={"query": "active:'true' AND metadata['kind']:'goods'"})

    assert [p.unit_amount for p in prices.data] == [120000]
    assert {p.id for p in products.data} == {"SENSOR-X1", "SENSOR-X9"}
