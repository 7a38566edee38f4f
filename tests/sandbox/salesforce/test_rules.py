"""What the org computes and refuses by itself: totals, price books, stages, orders and the seeded world."""

# ruff: noqa: S608, no SQL: SOQL of fixed texts for the imitation

from typing import Any

import pytest

from sandbox import world

from .conftest import Sandbox, V


@pytest.fixture
def book(sandbox: Sandbox) -> str:
    return str(sandbox.one("SELECT Id FROM Pricebook2 WHERE IsStandard = true")["Id"])


def entry(sandbox: Sandbox, sku: str, currency: str = "USD") -> str:
    found = sandbox.one(f"SELECT Id FROM PricebookEntry WHERE ProductCode = '{sku}' AND CurrencyIsoCode = '{currency}'")
    return str(found["Id"])


def quote(sandbox: Sandbox, book: str, **more: Any) -> str:
    account = sandbox.one("SELECT Id FROM Account WHERE AccountNumber = 'ACC-1003'")["Id"]
    deal = sandbox.create(
        "Opportunity", Name="Deal", AccountId=account, StageName="Prospecting", CloseDate="2027-01-31", Pricebook2Id=book
    )
    return sandbox.create("Quote", Name="Offer", OpportunityId=deal, Pricebook2Id=book, **more)


def test_the_world_is_there_the_same_at_each_start(sandbox: Sandbox) -> None:
    seeded = {
        kind: sandbox.records(kind) for kind in ("Account", "Contact", "Quote", "QuoteLineItem", "PricebookEntry", "Opportunity")
    }
    sandbox.create("Account", Name="Passing")
    sandbox.http.post("/__sandbox__/reset")

    assert {a["AccountNumber"] for a in seeded["Account"]} == {party.key for party in world.PARTIES}
    assert {q["QuoteNumber"] for q in seeded["Quote"]} == {one.key for one in world.QUOTES}
    assert len(seeded["Opportunity"]) == len(world.QUOTES)
    assert len(seeded["QuoteLineItem"]) == sum(len(one.lines) for one in world.QUOTES)
    again = {kind: [r["Id"] for r in sandbox.records(kind)] for kind in seeded}
    assert again == {kind: [r["Id"] for r in rows] for kind, rows in seeded.items()}
    assert sandbox.http.get("/__sandbox__/records/Nothing").status_code == 404


def test_a_quote_is_totalled_from_its_lines(sandbox: Sandbox, book: str) -> None:
    id_ = quote(sandbox, book, Tax=10, ShippingHandling=5.5)
    line = sandbox.create(
        "QuoteLineItem", QuoteId=id_, PricebookEntryId=entry(sandbox, "SENSOR-X1"), Quantity=3, UnitPrice=80, Discount=12.5
    )
    sandbox.create("QuoteLineItem", QuoteId=id_, PricebookEntryId=entry(sandbox, "API-USAGE"), Quantity=2, UnitPrice=0.02)

    totals = "Subtotal, TotalPrice, Discount, GrandTotal, LineItemCount"
    read = sandbox.one(f"SELECT {totals}, (SELECT ListPrice, TotalPrice FROM QuoteLineItems) FROM Quote WHERE Id = '{id_}'")

    assert [read[name] for name in totals.split(", ")] == [240.04, 210.04, 12.5, 225.54, 2]
    assert read["QuoteLineItems"]["records"][0]["ListPrice"] == 89.5
    sandbox.api.delete(f"{V}/sobjects/QuoteLineItem/{line}")
    assert sandbox.one(f"SELECT GrandTotal FROM Quote WHERE Id = '{id_}'")["GrandTotal"] == 15.54


def test_a_new_quote_takes_number_account_and_currency_from_the_org(sandbox: Sandbox, book: str) -> None:
    read = sandbox.api.get(f"{V}/sobjects/Quote/{quote(sandbox, book)}").json()

    assert read["QuoteNumber"] == "Q-1012"
    assert (read["CurrencyIsoCode"], read["Status"], read["LineItemCount"]) == ("USD", "Draft", 0)
    assert read["AccountId"].startswith("001")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"QuoteNumber": "Q-1"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"GrandTotal": 1}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Discount": 1}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"OpportunityId": "0065g0000000001AAA"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Status": "Perhaps"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"ExpirationDate": "31.12.2026"}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_quote_refuses_what_only_the_org_may_set(sandbox: Sandbox, book: str, change: dict[str, Any], code: str) -> None:
    answer = sandbox.api.patch(f"{V}/sobjects/Quote/{quote(sandbox, book)}", json=change)

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_a_line_must_be_of_the_quotes_book_and_currency(sandbox: Sandbox, book: str) -> None:
    id_ = quote(sandbox, book)

    euros = {"QuoteId": id_, "PricebookEntryId": entry(sandbox, "SENSOR-X1", "EUR"), "Quantity": 1, "UnitPrice": 1}
    answer = sandbox.api.post(f"{V}/sobjects/QuoteLineItem", json=euros)

    assert answer.json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert sandbox.api.get(f"{V}/sobjects/Quote/{id_}").json()["LineItemCount"] == 0


def test_a_price_needs_the_standard_price_first_and_is_unique(sandbox: Sandbox, book: str) -> None:
    product = sandbox.create("Product2", Name="Cable", ProductCode="CABLE")
    other = sandbox.create("Pricebook2", Name="Partners", IsActive=True)
    price = {"Product2Id": product, "UnitPrice": 9.99, "IsActive": True}

    early = sandbox.api.post(f"{V}/sobjects/PricebookEntry", json=price | {"Pricebook2Id": other})
    sandbox.create("PricebookEntry", Pricebook2Id=book, **price)
    sandbox.create("PricebookEntry", Pricebook2Id=other, **price)
    twice = sandbox.api.post(f"{V}/sobjects/PricebookEntry", json=price | {"Pricebook2Id": other})

    assert early.json()[0]["errorCode"] == "STANDARD_PRICE_NOT_DEFINED"
    assert twice.json()[0]["errorCode"] == "DUPLICATE_VALUE"


def test_an_opportunity_follows_its_stage_and_its_lines(sandbox: Sandbox) -> None:
    id_ = sandbox.create("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2027-01-31", Amount=5)
    line = {"OpportunityId": id_, "PricebookEntryId": entry(sandbox, "SENSOR-X1"), "Quantity": 2}
    sandbox.create("OpportunityLineItem", TotalPrice=100, **line)
    sandbox.api.patch(f"{V}/sobjects/Opportunity/{id_}", json={"StageName": "Closed Won"})

    read = sandbox.api.get(f"{V}/sobjects/Opportunity/{id_}").json()

    assert (read["Amount"], read["Probability"], read["IsClosed"], read["IsWon"]) == (100, 100, True, True)
    both = sandbox.api.post(f"{V}/sobjects/OpportunityLineItem", json=line | {"UnitPrice": 1, "TotalPrice": 2})
    assert both.json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_an_order_is_activated_only_with_products(sandbox: Sandbox, book: str) -> None:
    account = sandbox.records("Account")[0]["Id"]
    order = sandbox.create("Order", AccountId=account, EffectiveDate="2026-01-05", Status="Draft", Pricebook2Id=book)
    path = f"{V}/sobjects/Order/{order}"

    assert sandbox.api.patch(path, json={"Status": "Activated"}).json()[0]["errorCode"] == "FAILED_ACTIVATION"
    sandbox.create("OrderItem", OrderId=order, PricebookEntryId=entry(sandbox, "SENSOR-X1"), Quantity=2, UnitPrice=89.5)
    assert sandbox.api.patch(path, json={"Status": "Activated"}).status_code == 204
    read = sandbox.api.get(path).json()
    assert (read["OrderNumber"], read["StatusCode"], read["TotalAmount"]) == ("00000100", "Activated", 179.0)


def test_deleting_an_account_takes_its_dependants_along(sandbox: Sandbox) -> None:
    account = sandbox.one("SELECT Id FROM Account WHERE AccountNumber = 'ACC-1003'")["Id"]
    lines = len(sandbox.records("QuoteLineItem"))

    assert sandbox.api.delete(f"{V}/sobjects/Account/{account}").status_code == 204
    assert sandbox.query(f"SELECT Id FROM Quote WHERE AccountId = '{account}'")["totalSize"] == 0
    assert len(sandbox.records("QuoteLineItem")) < lines
    deleted = sandbox.api.get(f"{V}/queryAll", params={"q": "SELECT Id FROM Quote WHERE IsDeleted = true"}).json()
    assert deleted["totalSize"] == sum(one.party == "ACC-1003" for one in world.QUOTES)
