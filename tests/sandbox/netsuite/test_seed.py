"""The seeded account is the world's, with the same ids at every start."""

from decimal import Decimal
from typing import Any

import httpx

from sandbox import world
from sandbox.netsuite import imitation
from sandbox.netsuite.catalog import TYPES
from tests.sandbox.netsuite.driving import Account, Client, order


def without_times(records: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    stamps = {"createdDate", "lastModifiedDate", "dateCreated"}
    return [{name: value for name, value in one.items() if name not in stamps} for one in records or []]


def test_two_starts_are_the_same_account() -> None:
    first, second = imitation(), imitation()

    for kind in TYPES:
        assert without_times(first.records(kind)) == without_times(second.records(kind))


def test_the_customers_are_those_the_books_know(account: Account) -> None:
    known = {one["externalId"]: one for one in account.records("customer")}

    assert set(known) == {party.key for party in world.PARTIES if party.in_erp}
    for party in world.PARTIES:
        if party.in_erp:
            found = known[party.key]
            assert (found["companyName"], found["isInactive"], found["daysOverdue"]) == (
                party.name,
                not party.active,
                party.overdue_days,
            )
            assert (Decimal(found["creditLimit"]), Decimal(found["balance"])) == (
                Decimal(party.credit_limit),
                Decimal(party.balance),
            )


def test_every_product_of_the_books_is_an_item_of_its_kind(account: Account) -> None:
    goods = {one["itemId"]: one for one in account.records("inventoryItem")}
    services = {one["itemId"]: one for one in account.records("serviceSaleItem")}

    for product in world.PRODUCTS:
        if product.netsuite_item is None:
            assert product.sku not in {one["externalId"] for one in (*goods.values(), *services.values())}
            continue
        found = (goods if product.kind == "goods" else services)[product.netsuite_item]
        prices = {one["currencyPage"]["refName"]: Decimal(one["price"]) for one in found["price"]["items"]}
        assert prices == {"US Dollar": Decimal(product.prices["USD"]), "Euro": Decimal(product.prices["EUR"])}
        assert found.get("quantityAvailable") == (None if product.in_stock is None else str(product.in_stock))


def test_subsidiaries_and_their_taxes_are_the_legal_entities(account: Account) -> None:
    subsidiaries = {one["externalId"]: one["id"] for one in account.records("subsidiary")}
    rates = {one["itemId"]: Decimal(one["rate"]) for one in account.records("salesTaxItem")}

    assert subsidiaries == {entity.key: entity.netsuite_id for entity in world.ENTITIES}
    assert rates == {"-Not Taxable-": 0, **{entity.tax_code: Decimal(entity.tax_percent) for entity in world.ENTITIES}}


def test_a_reset_forgets_orders_tokens_and_faults_and_keeps_certificates(account: Account, client: Client, harbor: str) -> None:
    client.made("salesOrder", order(harbor))
    account.fault(kind="server_error", count=None)

    account.http.post(f"{account.url}/__sandbox__/reset")

    assert account.records("salesOrder") == []
    assert client.get("term/2").status_code == 401
    assert account.grant(account.assertion()).status_code == 200


def test_kinds_are_named_in_any_letter_case_and_unknown_ones_are_not_there(account: Account) -> None:
    assert len(account.records("SALESTAXITEM")) == 3
    assert account.http.get(f"{account.url}/__sandbox__/records/starship").status_code == httpx.codes.NOT_FOUND
