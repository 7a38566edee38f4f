"""Bodies that are taken, warned about or refused: names, values, references, and anything that is no body at all."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.netsuite.driving import Account, Client, line, order

NEW = {"companyName": "Northwind Devices Inc", "subsidiary": {"id": "1"}, "creditLimit": 50000}


@pytest.mark.parametrize(
    "reference", [{"id": "9999"}, {"externalId": "nobody"}, "1", {}, 1, {"id": None}, {"id": ["1"]}], ids=str
)
def test_an_unknown_reference_is_refused_with_its_path(client: Client, reference: Any) -> None:
    detail = client.refused("POST", "customer", {**NEW, "terms": reference})

    assert detail["o:errorCode"] == "INVALID_CONTENT"
    assert detail["o:errorPath"] == "terms"
    assert "Invalid Field Value" in detail["detail"]


def test_an_unknown_item_is_refused_with_the_line_s_path(client: Client, harbor: str) -> None:
    body = order(harbor, line("PLAT-ANNUAL", 1), {"item": {"id": "9999"}, "quantity": 1})

    assert client.refused("POST", "salesOrder", body) == {
        "detail": "Error while accessing a resource. You have entered an Invalid Field Value 9999 for the following field: item",
        "o:errorPath": "item.items[1].item",
        "o:errorCode": "INVALID_CONTENT",
    }


WRONG_VALUES: dict[str, list[Any]] = {
    "creditLimit": ["50000", True, [1], {"id": "1"}],
    "isInactive": ["F", 0],
    "companyName": [12, {"a": 1}],
    "creditHoldOverride": [{"id": "MAYBE"}, "maybe", 1],
    "subsidiary": [{"id": "77"}],
    "addressBook": [[], {"items": {}}, "x"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG_VALUES.items() for value in values])
def test_a_value_of_the_wrong_kind_is_refused(client: Client, name: str, value: Any) -> None:
    assert client.refused("POST", "customer", {**NEW, name: value})["o:errorPath"] == name


def test_what_is_missing_is_named(client: Client) -> None:
    no_name = client.refused("POST", "customer", {"subsidiary": {"id": "1"}})
    no_subsidiary = client.refused("POST", "customer", {"companyName": "Northwind"})

    assert no_name["detail"].endswith("Please enter value(s) for: Company Name.")
    assert no_subsidiary["detail"].endswith("Please enter value(s) for: Primary Subsidiary.")


NAMES = "X-NetSuite-PropertyNameValidation"
VALUES = "X-NetSuite-PropertyValueValidation"


def test_unknown_fields_pass_with_a_warning_unless_the_client_wants_errors(client: Client) -> None:
    body = {**NEW, "shoeSize": 46}
    del client.headers[NAMES]

    by_default = client.post("customer", json=body)
    ignored = client.post("customer", json=body, headers={NAMES: "Ignore"})
    refused = client.post("customer", json=body, headers={NAMES: "Error"})

    assert (by_default.status_code, by_default.headers["Warning"]) == (
        204,
        '299 NetSuite "Unknown field name: shoeSize (shoeSize)"',
    )
    assert (ignored.status_code, "Warning" in ignored.headers) == (204, False)
    assert (refused.status_code, refused.json()["o:errorDetails"][0]["o:errorPath"]) == (400, "shoeSize")


def test_wrong_values_are_errors_unless_the_client_wants_warnings(client: Client) -> None:
    warned = client.post("customer", json={**NEW, "creditLimit": "much"}, headers={VALUES: "Warning"})

    assert warned.status_code == 204
    assert "creditLimit" in warned.headers["Warning"]
    assert "creditLimit" not in client.get(warned.headers["Location"]).json()


def test_an_unknown_strictness_is_refused(client: Client) -> None:
    response = client.post("customer", json=NEW, headers={NAMES: "Sometimes"})

    assert response.json()["o:errorDetails"][0]["o:errorHeader"] == NAMES


def test_unknown_fields_are_found_in_lines_and_subrecords_too(client: Client, harbor: str) -> None:
    in_line = client.refused("POST", "salesOrder", order(harbor, line("PLAT-ANNUAL", 1, shoeSize=46)))
    address = {"items": [{"addressBookAddress": {"addr1": "1 Pier Ave", "planet": "Earth"}}]}
    in_subrecord = client.refused("POST", "customer", {**NEW, "addressBook": address})

    assert in_line["o:errorPath"] == "item.items[0].shoeSize"
    assert in_subrecord["o:errorPath"] == "addressBook.items[0].addressBookAddress.planet"


def test_computed_fields_in_a_body_change_nothing(client: Client, harbor: str) -> None:
    assert client.patch(f"customer/{harbor}", json={"balance": 0, "id": "7", "links": []}).status_code == 204
    assert client.read(f"customer/{harbor}")["balance"] == Decimal("1200.00")


def test_null_clears_a_field(client: Client, harbor: str) -> None:
    client.patch(f"customer/{harbor}", json={"email": None})

    assert "email" not in client.read(f"customer/{harbor}")


UNKNOWN = [
    ("GET", "starship", 404),
    ("GET", "starship/1", 404),
    ("GET", "customer/1001/starship", 404),
    ("GET", "customer/999999", 404),
    ("POST", "customer/1001", 405),
    ("PUT", "customer/999999", 404),
    ("PUT", "customer/eid:", 400),
    ("DELETE", "customer", 400),
    ("GET", "customer?color=red", 400),
    ("GET", "customer/1001?color=red", 400),
    ("POST", "customer/1001/!transform/starship", 404),
    ("POST", "customer/1001/!transform/creditMemo", 400),
    ("GET", "../../nowhere", 404),
    ("GET", "../../async/v1/job/77", 404),
    ("PATCH", "../../query/v1/suiteql", 405),
    ("GET", "metadata-catalog/starship", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), UNKNOWN)
def test_what_is_not_there_answers_in_netsuite_s_error_body(client: Client, method: str, path: str, status: int) -> None:
    response = client.request(method, path, json={} if method in ("POST", "PUT", "PATCH") else None)

    assert (response.status_code, response.json()["status"]) == (status, status)
    assert response.headers["content-type"].startswith("application/vnd.oracle.resource+json; type=error")
    assert {"type", "title", "status", "o:errorDetails"} <= set(response.json())


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"creditLimit": NaN}',
    b'{"creditLimit": 1e999999}',
    b"\xff\xfe",
    b"[" * 100_000,
    b'"text"',
]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:20]))
def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    assert client.post("customer", content=body).status_code == 400


def test_outside_the_services_there_is_nothing(account: Account) -> None:
    assert account.http.get(f"{account.url}/app/login").json()["status"] == 404


NAMES_IN_BODIES = ["id", "items", "externalId", "line"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES_IN_BODIES), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["companyName", "subsidiary", "creditLimit", "addressBook", "item", "entity", "apply", "tranDate", "taxDetails", "x"]
KINDS = ["customer", "salesOrder", "invoice", "customerPayment", "journalEntry"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
def test_any_body_is_taken_or_refused_but_never_a_server_error(client: Client, kind: str, body: dict[str, Any]) -> None:
    response = client.post(kind, json=body)

    assert response.status_code in (204, 400)
