"""SuiteQL: every value is a string, columns are lower case, joins and filters find what they say, the rest is refused."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.netsuite.driving import Client, line, order


def rows(client: Client, q: str, *params: Any, **page: Any) -> list[list[str]]:
    """The values of each row, in the order of its columns."""
    return [[value for name, value in one.items() if name != "links"] for one in client.sql(q, *params, **page)["items"]]


def test_an_answer_has_links_strings_and_lower_case_columns(client: Client) -> None:
    found = client.sql("SELECT id, externalId, creditLimit, isInactive FROM Customer WHERE externalid = ?", "ACC-1003")

    (only,) = found["items"]
    assert only == {"links": [], "id": "1001", "externalid": "ACC-1003", "creditlimit": "50000", "isinactive": "F"}
    assert (found["count"], found["totalResults"], found["hasMore"], found["offset"]) == (1, 1, False, 0)
    assert found["links"][0]["rel"] == "self"


def test_the_duplicate_check_finds_by_name_or_email(client: Client) -> None:
    q = "SELECT id, entityid, companyname, email, externalid FROM customer WHERE LOWER(companyname) = ? OR email = ?"

    by_name = client.sql(q, "harbor freightways", "nobody@example")["items"]
    by_email = client.sql(q, "nobody", "ap@overdrawn.example")["items"]

    assert [one["externalid"] for one in (*by_name, *by_email)] == ["ACC-1003", "ACC-1004"]


def asked(client: Client, q: Any, *params: Any) -> httpx.Response:
    return client.post("../../query/v1/suiteql", json={"q": q, "params": params}, headers={"Prefer": "transient"})


FOUND: list[tuple[str, list[Any], list[list[str]]]] = [
    ("SELECT COUNT(*) AS customers FROM customer", [], [["4"]]),
    ("SELECT COUNT(*) FROM customer WHERE isinactive = 'T'", [], [["1"]]),
    ("SELECT externalid key FROM customer WHERE id IN (1001, ?) ORDER BY id DESC", ["1004"], [["ACC-1007"], ["ACC-1003"]]),
    ("SELECT externalid FROM customer WHERE id NOT IN (1001, 1002, 1003)", [], [["ACC-1007"]]),
    ("SELECT externalid FROM customer WHERE companyname LIKE '%ing%' AND NOT (balance > 0)", [], [["ACC-1005"]]),
    ("SELECT externalid FROM customer WHERE companyname NOT LIKE '%i%'", [], []),
    ("SELECT externalid FROM customer WHERE email LIKE 'ap@_verdrawn.example'", [], [["ACC-1004"]]),
    ("SELECT externalid FROM customer WHERE defaulttaxreg IS NULL AND balance >= 14250", [], [["ACC-1004"]]),
    ("SELECT externalid, defaulttaxreg FROM customer WHERE defaulttaxreg IS NOT NULL", [], [["ACC-1007", "DE811569869"]]),
    ("SELECT externalid FROM customer WHERE defaulttaxreg != 'x' OR id = 1001 ORDER BY id", [], [["ACC-1003"], ["ACC-1007"]]),
    ("SELECT externalid FROM customer WHERE NOT defaulttaxreg = 'x'", [], [["ACC-1007"]]),
    ("SELECT externalid FROM customer WHERE (id = 1001 OR id = 1002) AND balance < 2000", [], [["ACC-1003"]]),
    ("SELECT externalid FROM customer WHERE id = 1001 OR id = 1002 AND balance < 2000", [], [["ACC-1003"]]),
    ("SELECT externalid FROM customer ORDER BY balance DESC, id FETCH FIRST 2 ROWS ONLY", [], [["ACC-1004"], ["ACC-1003"]]),
    ("SELECT UPPER(symbol) s FROM currency WHERE id <= 2 ORDER BY 1 DESC", [], [["USD"], ["GBP"]]),
    ("SELECT name FROM term WHERE daysuntilnetdue = 60", [], [["Net 60"]]),
    ("SELECT name FROM subsidiary ORDER BY name", [], [["Lumen Works GmbH"], ["Lumen Works Inc"]]),
    ("SELECT acctnumber FROM account WHERE accttype = 'DeferRevenue'", [], [["2400"]]),
    ("SELECT itemid, rate FROM salestaxitem WHERE country = ?", ["DE"], [["DE-19", "19"]]),
    ("SELECT itemid, itemtype FROM item WHERE externalid = ?", ["SENSOR-X1"], [["SENSOR-X1", "InvtPart"]]),
    ("SELECT COUNT(*) c FROM item", [], [["5"]]),
    ("SELECT name FROM department WHERE name = 'Ser''vices' OR id = 2", [], [["Services"]]),
    ("SELECT quantityavailable FROM inventorybalance b JOIN item i ON i.id = b.item WHERE itemid = 'SENSOR-X1'", [], [["500"]]),
    ("SELECT quantityavailable FROM aggregateitemlocation WHERE item = 2005", [], [["0"]]),
    ("SELECT unitprice FROM pricing p JOIN currency c ON p.currency = c.id WHERE item = 2001 AND symbol = 'EUR'", [], [["1100"]]),
    ("SELECT c.externalid, s.name FROM customer c INNER JOIN subsidiary s ON c.subsidiary = s.id WHERE s.id = 2", [],
     [["ACC-1007", "Lumen Works GmbH"]]),
    ("SELECT c.externalid, p.email FROM customer c LEFT JOIN customer p ON c.parent = p.id WHERE c.id = 1001", [],
     [["ACC-1003"]]),
]  # fmt: skip


@pytest.mark.parametrize(("q", "params", "expected"), FOUND, ids=[q for q, _, _ in FOUND])
def test_a_query_finds(client: Client, q: str, params: list[Any], expected: list[list[str]]) -> None:
    assert rows(client, q, *params) == expected


def test_transactions_and_their_lines_join(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 10), line("ONBOARD-SVC", 2), externalId="ORD-1"))
    q = (
        "SELECT t.id, t.type, t.status, i.itemid, tl.quantity, tl.netamount FROM transactionline tl "
        "JOIN transaction t ON tl.transaction = t.id LEFT JOIN item i ON tl.item = i.id "
        "WHERE t.externalid = ? AND tl.mainline = 'F' ORDER BY tl.linesequencenumber"
    )

    assert rows(client, q, "ORD-1") == [
        [made, "SalesOrd", "A", "PLATFORM-ANNUAL", "-10", "-12000"],
        [made, "SalesOrd", "A", "SERVICE-ONBOARDING", "-2", "-300"],
    ]
    assert rows(client, "SELECT foreigntotal FROM transaction WHERE entity = ? AND recordtype = 'salesorder'", harbor) == [
        ["13191.75"]
    ]
    assert rows(client, "SELECT netamount FROM transactionline WHERE transaction = ? AND mainline = 'T'", made) == [["13191.75"]]


def test_a_column_of_the_lines_is_not_one_of_the_transaction(client: Client) -> None:
    response = client.post(
        "../../query/v1/suiteql", json={"q": "SELECT subsidiary FROM transaction"}, headers={"Prefer": "transient"}
    )

    detail = response.json()["o:errorDetails"][0]
    assert "Field 'subsidiary' for record 'transaction' was not found" in detail["detail"]


def test_changes_since_a_day_come_in_order(client: Client, today: date) -> None:
    since = "SELECT id, lastmodifieddate FROM customer WHERE lastmodifieddate > TO_DATE(?, 'YYYY-MM-DD')"
    q = f"{since} ORDER BY lastmodifieddate, id"

    since_yesterday = rows(client, q, (today - timedelta(days=1)).isoformat())
    since_tomorrow = rows(client, q, (today + timedelta(days=1)).isoformat())

    assert [one[0] for one in since_yesterday] == ["1001", "1002", "1003", "1004"]
    assert since_yesterday[0][1] in {f"{day.month}/{day.day}/{day.year}" for day in (today, today + timedelta(days=1))}
    assert since_tomorrow == []


def test_star_selects_every_column_that_has_a_value(client: Client) -> None:
    (only,) = client.sql("SELECT * FROM term WHERE id = 2")["items"]

    assert only["name"] == "Net 30"
    assert set(only) <= {"links", "id", "name", "daysuntilnetdue", "isinactive", "lastmodifieddate", "createddate"}


def test_pages_of_a_query(client: Client) -> None:
    first, second = (client.sql("SELECT id FROM customer ORDER BY id", limit=3, offset=offset) for offset in (0, 3))

    assert (first["hasMore"], first["count"], first["totalResults"]) == (True, 3, 4)
    assert (second["hasMore"], [one["id"] for one in second["items"]]) == (False, ["1004"])


def test_the_prefer_header_is_required(client: Client) -> None:
    response = client.post("../../query/v1/suiteql", json={"q": "SELECT id FROM customer"})

    assert (response.status_code, response.json()["o:errorDetails"][0]["o:errorHeader"]) == (400, "Prefer")


REFUSED: list[tuple[Any, list[Any]]] = [
    ("SELECT id FROM starship", []),
    ("SELECT shoesize FROM customer", []),
    ("SELECT id FROM customer WHERE shoesize = 1", []),
    ("SELECT id FROM customer c JOIN item i ON i.shoesize = c.id", []),
    ("SELECT x.id FROM customer c", []),
    ("SELECT id, COUNT(*) FROM customer", []),
    ("SELECT id FROM customer GROUP BY id", []),
    ("SELECT DISTINCT id FROM customer", []),
    ("SELECT id FROM customer WHERE id = ?", []),
    ("SELECT id FROM customer", ["1"]),
    ("SELECT id FROM customer WHERE id = ?", [{"id": 1}]),
    ("SELECT id FROM customer WHERE creditlimit > 'much'", []),
    ("SELECT id FROM customer WHERE lastmodifieddate > 'yesterday'", []),
    ("SELECT id FROM customer WHERE lastmodifieddate > TO_DATE('x', 'YYYY-MM-DD')", []),
    ("SELECT id FROM customer ORDER BY 7", []),
    ("SELECT id FROM customer FETCH FIRST ROWS ONLY", []),
    ("SELECT id FROM customer; DELETE FROM customer", []),
    ("DELETE FROM customer", []),
    ("SELECT id FROM customer WHERE " + "(" * 100, []),
    ("SELECT FROM customer", []),
    ("SELECT id FROM customer WHERE 'open", []),
    ("", []),
    (None, []),
]


@pytest.mark.parametrize(("q", "params"), REFUSED, ids=[str(q)[:40] for q, _ in REFUSED])
def test_what_is_not_understood_is_refused(client: Client, q: Any, params: list[Any]) -> None:
    response = asked(client, q, *params)

    assert response.status_code == 400
    assert response.json()["o:errorDetails"][0]["o:errorCode"] in ("INVALID_PARAMETER", "INVALID_CONTENT")


WORDS = ["SELECT", "id", "FROM", "customer", "WHERE", "=", "'x'", "1", "(", ")", ",", "AND", "NOT", "IN", "LIKE", "IS", "NULL"]
CLAUSES = st.lists(st.sampled_from([*WORDS, "*", ".", "-", "?"]), max_size=8).map(" ".join)
QUERIES = st.text(max_size=30) | CLAUSES.map("SELECT id FROM customer WHERE {}".format)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUERIES, st.lists(st.text(max_size=3) | st.integers() | st.none(), max_size=2))
def test_any_query_is_answered_or_refused_but_never_a_server_error(client: Client, q: str, params: list[Any]) -> None:
    response = asked(client, q, *params)

    assert response.status_code in (200, 400)
    assert all(
        isinstance(value, str) for one in response.json().get("items", []) for name, value in one.items() if name != "links"
    )
