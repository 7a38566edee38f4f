"""sObject rows: create, read, update, upsert, delete, their refusals and their conditional headers."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceMoreThanOneRecord, SalesforceResourceNotFound

from .conftest import Sandbox, V

ACCOUNTS = f"{V}/sobjects/Account"


def test_simple_salesforce_creates_reads_updates_and_deletes(sandbox: Sandbox) -> None:
    accounts = sandbox.simple_salesforce().Account

    made = accounts.create({"Name": "Brightwater", "AccountNumber": "ACC-9", "BillingCity": "Reno"})
    assert made["success"] is True
    assert made["errors"] == []
    assert accounts.update(made["id"], {"Phone": "555 0100"}) == 204
    read = accounts.get(made["id"])
    assert (read["Name"], read["Phone"], read["BillingAddress"]["city"]) == ("Brightwater", "555 0100", "Reno")
    assert accounts.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
        accounts.get(made["id"])


def test_an_upsert_creates_once_and_updates_after(sandbox: Sandbox) -> None:
    accounts = sandbox.simple_salesforce().Account

    assert accounts.upsert("Gateway_Id__c/A%2F1", {"Name": "First"}) == 201
    assert accounts.upsert("Gateway_Id__c/A%2F1", {"Name": "Second"}) == 200
    assert accounts.get_by_custom_id("Gateway_Id__c", "A/1")["Name"] == "Second"
    answer = sandbox.api.patch(f"{ACCOUNTS}/Gateway_Id__c/A%2F1", json={"Name": "Third"})
    assert answer.json() == {"id": answer.json()["id"], "success": True, "errors": [], "created": False}


def test_concurrent_upserts_of_one_account_make_one_account(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: sandbox.api.patch(f"{ACCOUNTS}/Gateway_Id__c/ONE", json={"Name": "One"}), range(50)))

    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_update_only_never_creates(sandbox: Sandbox) -> None:
    answer = sandbox.api.patch(f"{ACCOUNTS}/Gateway_Id__c/NEW?updateOnly=true", json={"Name": "New"})

    assert answer.status_code == 404
    assert answer.json()[0]["errorCode"] == "NOT_FOUND"


def test_an_upsert_that_updates_answers_204_before_version_46(sandbox: Sandbox) -> None:
    sandbox.create("Account", Name="Old client", Gateway_Id__c="OLD")

    answer = sandbox.api.patch("/services/data/v45.0/sobjects/Account/Gateway_Id__c/OLD", json={"Name": "Older client"})

    assert answer.status_code == 204


def test_an_external_id_of_several_records_answers_300_with_their_urls(sandbox: Sandbox) -> None:
    ids = [sandbox.create("Account", Name=name, ERP_Id__c="77") for name in ("One", "Two")]

    answer = sandbox.api.get(f"{ACCOUNTS}/ERP_Id__c/77")

    assert answer.status_code == 300
    assert answer.json() == [f"{ACCOUNTS}/{id_}" for id_ in ids]
    with pytest.raises(SalesforceMoreThanOneRecord):
        sandbox.simple_salesforce().Account.upsert("ERP_Id__c/77", {"Phone": "1"})


def test_an_update_may_be_tunnelled_through_post(sandbox: Sandbox) -> None:
    id_ = sandbox.create("Account", Name="Before")

    answer = sandbox.api.post(f"{ACCOUNTS}/{id_}?_HttpMethod=PATCH", json={"Name": "After"})

    assert answer.status_code == 204
    assert sandbox.api.get(f"{ACCOUNTS}/{id_[:15]}", params={"fields": "Name"}).json()["Name"] == "After"


def test_a_parent_may_be_named_by_its_external_id(sandbox: Sandbox) -> None:
    parent = sandbox.create("Account", Name="Parent", Gateway_Id__c="P-1")

    contact = sandbox.create("Contact", LastName="Berg", Account={"Gateway_Id__c": "p-1"})
    lost = sandbox.api.post(f"{V}/sobjects/Contact", json={"LastName": "Berg", "Account": {"Gateway_Id__c": "P-2"}})

    assert sandbox.api.get(f"{V}/sobjects/Contact/{contact}").json()["AccountId"] == parent
    assert lost.json()[0]["message"] == "Foreign key external ID: p-2 not found for field Gateway_Id__c in entity Account"


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ({"Name": None}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ({"Name": "x", "Colour__c": "red"}, "INVALID_FIELD", None),
        ({"Name": "x", "SystemModstamp": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["SystemModstamp"]),
        ({"Name": "x" * 256}, "STRING_TOO_LONG", ["Name"]),
        ({"Name": 5}, "JSON_PARSER_ERROR", None),
        ({"Name": {"a": 1}}, "JSON_PARSER_ERROR", None),
        ({"Name": "x", "AnnualRevenue": "lots"}, "JSON_PARSER_ERROR", None),
        ({"Name": "x", "NumberOfEmployees": 1.5}, "JSON_PARSER_ERROR", None),
        ({"Name": "x", "AnnualRevenue": 1e18}, "NUMBER_OUTSIDE_VALID_RANGE", ["AnnualRevenue"]),
        ({"Name": "x", "IsActive__c": "yes"}, "JSON_PARSER_ERROR", None),
        ({"Name": "x", "Email__c": "nobody"}, "INVALID_EMAIL_ADDRESS", ["Email__c"]),
        ({"Name": "x", "CurrencyIsoCode": "XXX"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["CurrencyIsoCode"]),
        ({"Name": "x", "ParentId": "zzz"}, "MALFORMED_ID", ["ParentId"]),
        ({"Name": "x", "ParentId": "0015g00000zzzzz"}, "INVALID_CROSS_REFERENCE_KEY", []),
        ({"Name": "x", "AccountNumber": "acc-1000"}, "DUPLICATE_VALUE", []),
    ],
)
def test_a_refused_record_says_which_field_and_is_not_kept(
    sandbox: Sandbox, body: dict, code: str, fields: list[str] | None
) -> None:
    before = len(sandbox.records("Account"))

    answer = sandbox.api.post(ACCOUNTS, json=body)

    assert answer.status_code == 400
    assert (answer.json()[0]["errorCode"], answer.json()[0].get("fields")) == (code, fields)
    assert len(sandbox.records("Account")) == before


def test_a_duplicate_names_the_record_that_has_the_value(sandbox: Sandbox) -> None:
    first = sandbox.create("Account", Name="First", Gateway_Id__c="G")

    with pytest.raises(SalesforceMalformedRequest, match=f"Gateway_Id__c duplicates value on record with id: {first[:15]}"):
        sandbox.simple_salesforce().Account.create({"Name": "Second", "Gateway_Id__c": "G"})


def test_an_upsert_body_must_not_repeat_the_external_id(sandbox: Sandbox) -> None:
    answer = sandbox.api.patch(f"{ACCOUNTS}/Gateway_Id__c/X", json={"Name": "X", "Gateway_Id__c": "X"})

    assert answer.json()[0]["errorCode"] == "INVALID_FIELD"


def test_a_required_field_cannot_be_emptied(sandbox: Sandbox) -> None:
    id_ = sandbox.create("Account", Name="Named")

    assert sandbox.api.patch(f"{ACCOUNTS}/{id_}", json={"Name": ""}).json()[0]["errorCode"] == "REQUIRED_FIELD_MISSING"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{V}/sobjects/Nothing/describe", 404, "NOT_FOUND"),
        ("GET", f"{ACCOUNTS}/0015g00000zzzzz", 404, "NOT_FOUND"),
        ("GET", f"{ACCOUNTS}/not-an-id", 404, "NOT_FOUND"),
        ("GET", f"{ACCOUNTS}/Phone/1", 404, "NOT_FOUND"),
        ("GET", f"{ACCOUNTS}/a/b/c", 404, "NOT_FOUND"),
        ("GET", f"{V}/jobs/ingest", 404, "NOT_FOUND"),
        ("GET", "/services/data/v99.0/limits", 404, "NOT_FOUND"),
        ("GET", "/services/data/v25.0/limits", 410, "UNSUPPORTED_API_VERSION"),
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("PUT", f"{V}/limits", 405, "METHOD_NOT_ALLOWED"),
        ("PUT", f"{ACCOUNTS}", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/services/oauth2/token", 405, "METHOD_NOT_ALLOWED"),
        ("GET", f"{V}/query?q=" + "x" * 17_000, 414, "URI_TOO_LONG"),
    ],
)
def test_what_is_not_there_is_refused_in_an_error_array(sandbox: Sandbox, method: str, path: str, status: int, code: str) -> None:
    answer = sandbox.api.request(method, path)

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)


def test_a_body_that_is_no_json_object_is_refused(sandbox: Sandbox) -> None:
    for content in (b"", b"{", b"[]", b'{"Name": NaN}'):
        answer = sandbox.api.post(ACCOUNTS, content=content, headers={"Content-Type": "application/json"})

        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert sandbox.api.post(ACCOUNTS, content=b"<a/>", headers={"Content-Type": "application/xml"}).status_code == 415


def test_amounts_come_back_digit_for_digit(sandbox: Sandbox) -> None:
    amount = "90071992547409.93"  # no binary float holds it
    id_ = sandbox.create("Account", Name="Big", AnnualRevenue=amount)

    assert f'"AnnualRevenue":{amount}' in sandbox.api.get(f"{ACCOUNTS}/{id_}").text


def test_every_call_but_discovery_tells_the_limit(sandbox: Sandbox) -> None:
    assert sandbox.api.get(f"{V}/limits").headers["Sforce-Limit-Info"].startswith("api-usage=1/")
    assert "Sforce-Limit-Info" in sandbox.api.get(f"{ACCOUNTS}/nothing").headers
    assert "Sforce-Limit-Info" not in sandbox.http.get("/services/data/").headers


def test_discovery_names_each_version_and_needs_no_session(sandbox: Sandbox) -> None:
    versions = sandbox.http.get("/services/data").json()

    assert {"label": "Spring '26", "url": V, "version": "66.0"} in versions
    assert [float(one["version"]) for one in versions] == sorted(float(one["version"]) for one in versions)


def test_an_account_that_changed_is_not_overwritten_under_an_old_etag(sandbox: Sandbox) -> None:
    id_ = sandbox.create("Account", Name="Before")
    tag = sandbox.api.get(f"{ACCOUNTS}/{id_}").headers["ETag"]

    assert sandbox.api.get(f"{ACCOUNTS}/{id_}", headers={"If-None-Match": tag}).status_code == 304
    assert sandbox.api.patch(f"{ACCOUNTS}/{id_}", json={"Name": "After"}, headers={"If-Match": tag}).status_code == 204
    assert sandbox.api.patch(f"{ACCOUNTS}/{id_}", json={"Name": "Lost"}, headers={"If-Match": tag}).status_code == 412
    assert sandbox.api.get(f"{ACCOUNTS}/{id_}", headers={"If-None-Match": tag}).json()["Name"] == "After"


def test_a_quote_changed_since_it_was_read_is_not_overwritten(sandbox: Sandbox) -> None:
    quote = sandbox.one("SELECT Id, (SELECT Id FROM QuoteLineItems LIMIT 1) FROM Quote WHERE QuoteNumber = 'Q-1001'")
    path = f"{V}/sobjects/Quote/{quote['Id']}"
    read = sandbox.api.get(path)
    unchanged = {"If-Unmodified-Since": read.headers["Last-Modified"]}
    sandbox.clock.advance(seconds=2)

    assert "ETag" not in read.headers
    assert sandbox.api.get(path, headers={"If-Modified-Since": read.headers["Last-Modified"]}).status_code == 304
    line = quote["QuoteLineItems"]["records"][0]["Id"]
    assert sandbox.api.patch(f"{V}/sobjects/QuoteLineItem/{line}", json={"Quantity": 11}).status_code == 204
    assert sandbox.api.patch(path, json={"Status": "Accepted"}, headers=unchanged).status_code == 412
    assert sandbox.api.patch(path, json={"Status": "Accepted"}, headers={"If-Unmodified-Since": "soon"}).status_code == 400
    fresh = {"If-Unmodified-Since": sandbox.api.get(path).headers["Last-Modified"]}
    assert sandbox.api.patch(path, json={"Status": "Accepted"}, headers=fresh).status_code == 204


def test_describe_tells_clients_types_references_and_children(sandbox: Sandbox) -> None:
    described = sandbox.simple_salesforce().Quote.describe()
    fields = {field["name"]: field for field in described["fields"]}

    assert fields["OpportunityId"]["referenceTo"] == ["Opportunity"]
    assert fields["OpportunityId"]["updateable"] is False
    assert fields["QuoteNumber"]["createable"] is False
    assert {
        "childSObject": "QuoteLineItem",
        "field": "QuoteId",
        "relationshipName": "QuoteLineItems",
        "cascadeDelete": True,
    } in described["childRelationships"]
    assert {o["name"] for o in sandbox.simple_salesforce().describe()["sobjects"]} >= {"Account", "Order", "PricebookEntry"}


def test_decimal_reading_clients_see_exact_totals(sandbox: Sandbox) -> None:
    client = sandbox.simple_salesforce()
    client._parse_float = Decimal
    quote = client.query("SELECT Id, TotalPrice FROM Quote WHERE QuoteNumber = 'Q-1001'")["records"][0]

    assert quote["TotalPrice"] == Decimal("15000.02")
