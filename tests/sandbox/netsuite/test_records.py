"""record/v1 as a client meets it: create, read, change, delete; strictness, duplicates, references and sublists."""

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.netsuite.driving import Account, Client, line, order

NEW = {"companyName": "Northwind Devices Inc", "subsidiary": {"id": "1"}, "creditLimit": 50000}


def test_a_post_answers_204_and_where_the_record_is(client: Client) -> None:
    response = client.post("customer", json=NEW)

    assert (response.status_code, response.content) == (204, b"")
    found = client.get(response.headers["Location"]).json()
    assert (found["companyName"], found["entityId"]) == ("Northwind Devices Inc", found["refName"])


def test_a_put_by_external_id_answers_204_for_create_and_update_alike(client: Client, account: Account) -> None:
    first = client.put("customer/eid:ACC-1001", json=NEW)
    second = client.put("customer/eid:acc-1001", json={"phone": "+1 555 0100"})

    assert [one.status_code for one in (first, second)] == [204, 204]
    assert first.headers["Location"] == second.headers["Location"]
    (made,) = [one for one in account.records("customer") if one["externalId"] == "ACC-1001"]
    assert (made["phone"], made["companyName"]) == ("+1 555 0100", "Northwind Devices Inc")


def test_record_names_ignore_case(client: Client) -> None:
    assert client.read("CUSTOMER/eid:ACC-1003")["id"] == client.read("customer/eid:ACC-1003")["id"]
    assert client.read("accountingperiod")["totalResults"] == client.read("accountingPeriod")["totalResults"]


def test_an_external_id_with_a_slash_is_one_segment(client: Client) -> None:
    client.put("customer/eid:a%2Fb%3Fc", json=NEW)

    assert client.read("customer/eid:a%2Fb%3Fc")["externalId"] == "a/b?c"


def test_a_second_post_with_the_same_external_id_is_refused(client: Client, account: Account, harbor: str) -> None:
    client.made("customer", {**NEW, "externalId": "ACC-1001"})
    client.made("salesOrder", order(harbor, externalId="ORD-1"))

    entity = client.refused("POST", "customer", {**NEW, "externalId": "acc-1001"})
    transaction = client.refused("POST", "invoice", order(harbor, externalId="ORD-1"))

    assert entity == {"detail": "Error while accessing a resource. This entity already exists.", "o:errorCode": "USER_ERROR"}
    assert transaction["detail"] == "Error while accessing a resource. This record already exists."
    assert len(account.records("invoice")) == 2  # the opening balances


def test_the_same_name_without_an_external_id_makes_a_second_customer(client: Client) -> None:
    assert client.made("customer", NEW) != client.made("customer", NEW)


def test_an_entity_id_is_unique(client: Client) -> None:
    client.made("customer", {**NEW, "entityId": "Northwind"})

    assert "already exists" in client.refused("POST", "customer", {**NEW, "entityId": "NORTHWIND"})["detail"]


def test_references_take_external_ids(client: Client) -> None:
    made = client.made("customer", {**NEW, "subsidiary": {"externalId": "DE01"}, "parent": {"externalId": "ACC-1003"}})

    found = client.read(f"customer/{made}")
    assert (found["subsidiary"]["id"], found["currency"]["id"], found["parent"]["refName"]) == ("2", "4", "CUST1001")


def test_fields_narrow_what_is_answered(client: Client, harbor: str) -> None:
    found = client.read(f"customer/{harbor}", fields="creditLimit,balance,addressBook")

    assert set(found) == {"links", "id", "refName", "creditLimit", "balance", "addressBook"}
    assert client.refused("GET", f"customer/{harbor}", fields="creditLimit,shoeSize")["o:errorQueryParam"] == "fields"


def test_sublists_are_links_unless_expanded(client: Client, harbor: str) -> None:
    closed = client.read(f"customer/{harbor}")["addressBook"]
    expanded = client.read(f"customer/{harbor}", expandSubResources="true")["addressBook"]
    followed = client.get(closed["links"][0]["href"]).json()

    assert set(closed) == {"links"}
    assert expanded["items"][0]["addressBookAddress"]["city"] == "Oakland"
    assert followed["items"][0]["addressBookAddress"]["country"]["id"] == "US"
    assert client.get(followed["items"][0]["links"][0]["href"]).json()["line"] == 1


def test_enumerations_read_as_objects_or_as_plain_ids(client: Client, harbor: str) -> None:
    assert client.read(f"customer/{harbor}")["creditHoldOverride"] == {"id": "AUTO", "refName": "Auto"}
    assert client.read(f"customer/{harbor}", simpleEnumFormat="true")["creditHoldOverride"] == "AUTO"


def quantities(client: Client, made: str) -> list[Any]:
    lines = client.read(f"salesOrder/{made}", expandSubResources="true")["item"]["items"]
    return [(one["line"], one["quantity"]) for one in lines]


def test_a_line_number_updates_its_line_and_none_adds_one(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 1), line("ONBOARD-SVC", 2)))

    client.patch(f"salesOrder/{made}", json={"item": {"items": [{"line": 2, "quantity": 5}, line("SENSOR-X1", 9)]}})

    assert quantities(client, made) == [(1, 1), (2, 5), (3, 9)]


def test_replace_swaps_the_whole_sublist(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 1), line("ONBOARD-SVC", 2)))

    client.patch(f"salesOrder/{made}", params={"replace": "item"}, json={"item": {"items": [line("SENSOR-X1", 9)]}})

    assert quantities(client, made) == [(1, 9)]


def test_a_repeated_upsert_doubles_the_lines_unless_it_replaces_them(client: Client, harbor: str) -> None:
    body = order(harbor)
    for _ in range(2):
        client.put("salesOrder/eid:ORD-1", json=body)
        client.put("salesOrder/eid:ORD-2", json=body, params={"replace": "item"})

    assert quantities(client, "eid:ORD-1") == [(1, 10), (2, 10)]
    assert quantities(client, "eid:ORD-2") == [(1, 10)]


def test_a_line_that_is_not_there_is_refused(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor))

    detail = client.refused("PATCH", f"salesOrder/{made}", {"item": {"items": [{"line": 7, "quantity": 5}]}})

    assert detail["o:errorPath"] == "item.items[0].line"


def test_a_refused_change_changes_nothing(client: Client, harbor: str, account: Account) -> None:
    made = client.made("salesOrder", order(harbor))
    before = account.records("salesOrder")

    client.refused(
        "PATCH", f"salesOrder/{made}", {"memo": "x", "item": {"items": [{"line": 1, "quantity": 3}, {"item": {"id": "0"}}]}}
    )

    assert account.records("salesOrder") == before


def test_a_deleted_record_is_gone_and_its_external_id_free(client: Client) -> None:
    client.put("customer/eid:ACC-1001", json=NEW)

    deleted = client.delete("customer/eid:ACC-1001")
    absent = client.get("customer/eid:ACC-1001")

    assert (deleted.status_code, absent.status_code) == (204, 404)
    assert absent.json()["o:errorDetails"][0]["o:errorCode"] == "NONEXISTENT_ID"
    assert client.put("customer/eid:ACC-1001", json=NEW).status_code == 204


def test_what_others_depend_on_cannot_be_deleted(client: Client, harbor: str) -> None:
    client.made("salesOrder", order(harbor))
    item = client.read("serviceSaleItem/eid:PLAT-ANNUAL")["id"]

    refusals = [client.refused("DELETE", path) for path in (f"customer/{harbor}", f"serviceSaleItem/{item}", "subsidiary/1")]

    assert all("dependent records" in one["detail"] for one in refusals)


def test_a_transaction_of_another_type_is_a_user_error(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor))

    assert client.refused("GET", f"invoice/{made}")["detail"].endswith("Transaction type specified is incorrect.")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.decimals(min_value=0, max_value=10**12, places=2))
def test_any_amount_is_kept_to_the_cent(client: Client, amount: Decimal) -> None:
    body = f'{{"companyName": "X", "subsidiary": {{"id": "1"}}, "creditLimit": {amount:f}}}'
    response = client.post("customer", content=body.encode())

    assert f'"creditLimit":{amount:f}'.encode() in client.get(response.headers["Location"]).content
