"""SOQL over the wire and in process: what is selected, matched, ordered and paged, and how a bad query is refused."""

# ruff: noqa: S608, no SQL: SOQL of fixed texts for the imitation

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce import format_soql
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sandbox.salesforce import soql
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.query import Queries
from sandbox.salesforce.seed import seed
from sandbox.salesforce.store import Store

from .conftest import Sandbox, V

STORE = Store(lambda: datetime(2026, 1, 15, 12, tzinfo=UTC))
seed(STORE)
QUERIES = Queries(STORE)


def names(condition: str, sobject: str = "Account") -> list[str]:
    field = {"Quote": "QuoteNumber", "Account": "AccountNumber"}[sobject]
    found = QUERIES.run(f"SELECT {field} FROM {sobject} WHERE {condition}", V)
    return [record[field].removeprefix("ACC-") for record in found["records"]]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("AccountNumber = 'acc-1003'", ["1003"]),
        ("accountnumber IN ('ACC-1004', 'ACC-1002', 'none')", ["1002", "1004"]),
        ("Name LIKE 'north%' AND ParentId != NULL", ["1001"]),
        ("Name LIKE '_orthwind Group'", ["1000"]),
        (r"Name LIKE '\%'", []),
        ("(CurrencyIsoCode = 'EUR' OR Name = 'Nowhere Trading') AND IsActive__c = TRUE", ["1002", "1006", "1007"]),
        ("NOT (CurrencyIsoCode = 'USD') ", ["1002", "1007"]),
        ("Parent.AccountNumber = 'ACC-1000'", ["1001"]),
        ("Parent.Name LIKE '%group'", ["1001"]),
        ("Tax_Id__c = ''", ["1000", "1003", "1004", "1005", "1006"]),
        ("Tax_Id__c != 'DE136695976' AND CurrencyIsoCode = 'EUR'", ["1007"]),
        ("ParentId NOT IN ('0015g0000000001') AND CurrencyIsoCode <> 'USD'", ["1002", "1007"]),
        ("IsActive__c = false", ["1005"]),
        ("CreatedDate = TODAY AND AccountNumber = 'ACC-1000'", ["1000"]),
        ("CreatedDate < LAST_N_DAYS:3", []),
        ("SystemModstamp >= 2026-01-15T13:00:00+01:00 AND Name LIKE 'Rhein%'", ["1007"]),
        ("SystemModstamp > 2026-01-15T12:00:00Z", []),
        ("SystemModstamp <= 2026-01-15T12:00:00.000Z AND Name > 'Rhein'", ["1007"]),
        ("AccountNumber = 'ACC-1000' OR Email__c = 'office@dormant.example'", ["1000", "1005"]),
    ],
)
def test_accounts_are_matched(condition: str, found: list[str]) -> None:
    assert names(condition) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("ExpirationDate < 2026-01-15", ["Q-1007"]),
        ("ExpirationDate < TODAY", ["Q-1007"]),
        ("Status = 'Draft'", ["Q-1009"]),
        ("Account.AccountNumber = 'ACC-1007'", ["Q-1010"]),
        ("Opportunity.Account.CurrencyIsoCode = 'EUR'", ["Q-1002", "Q-1010"]),
        ("GrandTotal >= 2300 AND GrandTotal < 2500.5", ["Q-1010"]),
        ("LineItemCount = 4", ["Q-1003"]),
        ("Contract_Months__c > 12", ["Q-1002"]),
    ],
)
def test_quotes_are_matched(condition: str, found: list[str]) -> None:
    assert names(condition, "Quote") == found


ATOMS = st.sampled_from(
    [
        "AccountNumber = 'ACC-1001'",
        "AccountNumber IN ('ACC-1002','ACC-1003')",
        "Parent.AccountNumber = 'ACC-1000'",
        "Id = '0015g0000000003'",
        "Gateway_Id__c = NULL",
        "Name LIKE '%a%'",
        "CurrencyIsoCode = 'EUR'",
        "SystemModstamp >= 2026-01-15T00:00:00Z",
        "SystemModstamp > 2026-01-16T00:00:00Z",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds(
            lambda word, terms: f"({f' {word} '.join(terms)})",
            st.sampled_from(["AND", "OR"]),
            st.lists(inner, min_size=2, max_size=3),
        )
        | inner.map(lambda condition: f"NOT {condition}")
    ),
    max_leaves=8,
)


@given(CONDITIONS)
def test_an_index_finds_what_a_scan_of_all_rows_finds(condition: str) -> None:
    scanned = names(f"NOT (NOT {condition})")  # no index answers a negation

    assert names(condition) == scanned


def refusal(text: str) -> int | None:
    try:
        QUERIES.run(text, V)
    except ApiError as error:
        return error.status
    return None


WORDS = ["SELECT", "Id", "FROM", "Account", "WHERE", "Name", "=", "'", "\\", "(", ")", ",", "AND", "1", "LIMIT", "ORDER", "BY"]


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_any_text_is_a_query_or_is_refused_as_one(text: str) -> None:
    assert refusal(text) in (None, 400)


def test_parents_and_children_are_nested(sandbox: Sandbox) -> None:
    quote = sandbox.one(
        "SELECT QuoteNumber, Account.Name, Account.Parent.AccountNumber, ContactId, Contact.Email, Opportunity.StageName,"
        " (SELECT Product2.ProductCode, Quantity FROM QuoteLineItems ORDER BY SortOrder DESC LIMIT 2)"
        " FROM Quote WHERE QuoteNumber = 'Q-1001'"
    )

    assert list(quote) == ["attributes", "QuoteNumber", "Account", "ContactId", "Contact", "Opportunity", "QuoteLineItems"]
    assert quote["attributes"]["url"].startswith(f"{V}/sobjects/Quote/0Q0")
    assert quote["Account"]["Name"] == "Northwind Devices Inc"
    assert quote["Account"]["Parent"]["AccountNumber"] == "ACC-1000"
    assert quote["Contact"] is None
    lines = quote["QuoteLineItems"]
    assert (lines["totalSize"], lines["done"]) == (2, True)
    assert [line["Product2"]["ProductCode"] for line in lines["records"]] == ["ONBOARD-SVC", "API-USAGE"]


def test_no_children_are_null(sandbox: Sandbox) -> None:
    assert sandbox.one("SELECT Id, (SELECT Id FROM Orders) FROM Account WHERE AccountNumber = 'ACC-1000'")["Orders"] is None


def test_rows_are_ordered_with_nulls_first_unless_told(sandbox: Sandbox) -> None:
    def parents(order: str) -> list[Any]:
        found = sandbox.query(f"SELECT AccountNumber, ParentId FROM Account ORDER BY ParentId {order}, AccountNumber DESC")[
            "records"
        ]
        return [record["AccountNumber"] for record in found]

    assert parents("")[0] == "ACC-1007"
    assert parents("DESC")[-1] == "ACC-1001"
    assert parents("NULLS LAST")[:2] == ["ACC-1001", "ACC-1007"]


def test_limit_offset_and_count(sandbox: Sandbox) -> None:
    found = sandbox.query("SELECT AccountNumber FROM Account ORDER BY AccountNumber LIMIT 2 OFFSET 3")
    count = sandbox.query("SELECT COUNT() FROM Account WHERE CurrencyIsoCode = 'EUR'")

    assert [record["AccountNumber"] for record in found["records"]] == ["ACC-1003", "ACC-1004"]
    assert count == {"totalSize": 2, "done": True, "records": []}


def test_field_groups_are_expanded(sandbox: Sandbox) -> None:
    custom = sandbox.one("SELECT FIELDS(CUSTOM) FROM Quote WHERE QuoteNumber = 'Q-1001' LIMIT 1")

    assert set(custom) == {
        "attributes",
        "Contract_Months__c",
        "Contract_Start__c",
        "Gateway_Order_Id__c",
        "ERP_Order_Number__c",
        "Billing_Subscription_Id__c",
    }


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("SELECT Id, Colour FROM Account", "INVALID_FIELD", "No such column 'Colour' on entity 'Account'"),
        ("SELECT Id FROM Account WHERE Colour = 1", "INVALID_FIELD", "No such column 'Colour'"),
        ("SELECT Owner.Colour FROM Account", "INVALID_FIELD", "No such column 'Colour' on entity 'User'"),
        ("SELECT Shop.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Shop' in field path"),
        ("SELECT Id, (SELECT Id FROM Shops) FROM Account", "INVALID_TYPE", "Didn't understand relationship 'Shops'"),
        ("SELECT Id FROM Shop__c", "INVALID_TYPE", "sObject type 'Shop__c' is not supported"),
        ("SELECT Id, Id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"),
        (
            "SELECT Id FROM Quote WHERE GrandTotal = '5'",
            "INVALID_FIELD",
            "must be of type double and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Quote WHERE ExpirationDate = 2026-01-01T00:00:00Z", "INVALID_FIELD", "must be of type date"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT Id FROM Account WHERE Name = 'it's'", "MALFORMED_QUERY", "unexpected token"),
        (r"SELECT Id FROM Account WHERE Name = '\q'", "MALFORMED_QUERY", "Illegal escape sequence"),
        ("SELECT Id FROM Account WHERE ", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Name, COUNT(Id) FROM Account GROUP BY Name", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Id FROM Account WHERE CreatedDate = 2026-02-30T00:00:00Z", "MALFORMED_QUERY", "day is out of range"),
    ],
)
def test_a_bad_query_is_refused_with_its_reason(sandbox: Sandbox, text: str, code: str, told: str) -> None:
    answer = sandbox.api.get(f"{V}/query/", params={"q": text})

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
    assert told in answer.json()[0]["message"]


def test_a_query_must_be_there(sandbox: Sandbox) -> None:
    assert sandbox.api.get(f"{V}/query").json()[0]["errorCode"] == "MALFORMED_QUERY"


def accounts(sandbox: Sandbox, count: int) -> None:
    for start in range(0, count, 200):
        records = [{"attributes": {"type": "Account"}, "Name": f"Bulk {n:04d}"} for n in range(start, min(start + 200, count))]
        sandbox.api.post(f"{V}/composite/sobjects", json={"records": records}).raise_for_status()


def test_a_long_result_is_read_through_its_locator(sandbox: Sandbox) -> None:
    accounts(sandbox, 450)
    text = "SELECT Name FROM Account WHERE Name LIKE 'Bulk%' ORDER BY Name"

    first = sandbox.query(text, **{"Sforce-Query-Options": "batchSize=200"})
    sandbox.create("Account", Name="Bulk 0000 late")  # what is asked later is not in it
    second = sandbox.api.get(first["nextRecordsUrl"]).json()
    last = sandbox.api.get(second["nextRecordsUrl"]).json()

    assert [page["done"] for page in (first, second, last)] == [False, False, True]
    assert {page["totalSize"] for page in (first, second, last)} == {450}
    assert first["nextRecordsUrl"].endswith("-200")
    assert "nextRecordsUrl" not in last
    read = [record["Name"] for page in (first, second, last) for record in page["records"]]
    assert read == [f"Bulk {n:04d}" for n in range(450)]


def test_a_locator_goes_stale(sandbox: Sandbox) -> None:
    accounts(sandbox, 250)
    more = sandbox.query("SELECT Id FROM Account", **{"Sforce-Query-Options": "batchSize=1"})["nextRecordsUrl"]
    sandbox.clock.advance(minutes=16)

    for path in (more, f"{V}/query/01g000000000000-2000"):
        assert sandbox.api.get(path).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_simple_salesforce_reads_everything_and_quotes_safely(sandbox: Sandbox) -> None:
    accounts(sandbox, 2_100)
    client = sandbox.simple_salesforce()
    awkward = "O'Hara \\ Söhne"
    client.Account.create({"Name": awkward})

    assert client.query_all("SELECT Id FROM Account WHERE Name LIKE 'Bulk%'")["totalSize"] == 2_100
    assert len(list(client.query_all_iter("SELECT Id FROM Account WHERE Name LIKE 'Bulk%'"))) == 2_100
    assert client.query(format_soql("SELECT Name FROM Account WHERE Name = {}", awkward))["records"][0]["Name"] == awkward
    with pytest.raises(SalesforceMalformedRequest, match="MALFORMED_QUERY"):
        client.query("SELECT")


def test_parsing_is_remembered() -> None:
    assert soql.parse("SELECT Id FROM Account") is soql.parse("SELECT Id FROM Account")
