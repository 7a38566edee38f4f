"""Sales orders and their lines: who may buy what, what it comes to, and which states an order goes through."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.netsuite.driving import Client, line, order

CREDIT = "creditLimit,creditHoldOverride,balance,unbilledOrders,overdueBalance,daysOverdue,depositBalance,consolBalance"


def credit(client: Client, customer: str) -> dict[str, Any]:
    return dict(client.read(f"customer/{customer}", fields=CREDIT))


def whole(client: Client, path: str) -> Any:
    return client.read(path, expandSubResources="true")


def test_an_order_takes_its_prices_and_its_tax_from_the_books(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 10), line("ONBOARD-SVC", 3, rate=99.99)))

    found = whole(client, f"salesOrder/{made}")
    first, second = found["item"]["items"]
    assert (first["rate"], first["amount"], first["tax1Amt"], first["grossAmt"]) == (1200, 12000, 870, 12870)
    assert (second["amount"], second["tax1Amt"], second["grossAmt"]) == tuple(map(Decimal, ("299.97", "21.75", "321.72")))
    assert (found["subtotal"], found["taxTotal"], found["total"]) == tuple(map(Decimal, ("12299.97", "891.75", "13191.72")))
    assert (found["subsidiary"]["id"], found["currency"]["refName"], found["terms"]["refName"]) == ("1", "US Dollar", "Net 30")


def test_each_subsidiary_taxes_with_its_own_code_and_currency(client: Client, rheinblick: str) -> None:
    made = client.made("salesOrder", order(rheinblick, line("PLAT-ANNUAL", 1)))

    found = whole(client, f"salesOrder/{made}")
    (only,) = found["item"]["items"]
    assert (only["taxCode"]["refName"], only["taxRate1"], only["tax1Amt"], found["total"]) == ("DE-19", 19, 209, 1309)


def test_a_line_may_name_another_tax_code(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 1, taxCode={"id": "-8"})))

    assert client.read(f"salesOrder/{made}")["taxTotal"] == 0


def test_told_tax_is_posted_as_told(client: Client, harbor: str) -> None:
    details = [{"taxDetailsReference": "A", "taxCode": {"id": "11"}, "taxRate": 8.5, "taxBasis": 1200, "taxAmount": 101.99}]
    body = order(harbor, line("PLAT-ANNUAL", 1, taxDetailsReference="A"), line("ONBOARD-SVC", 1))

    made = client.made("invoice", {**body, "taxDetailsOverride": True, "taxDetails": {"items": details}})

    found = whole(client, f"invoice/{made}")
    assert (found["taxTotal"], found["total"]) == (Decimal("101.99"), Decimal("1451.99"))
    assert found["taxDetails"]["items"][0]["taxAmount"] == Decimal("101.99")


def test_an_order_starts_pending_approval_or_pending_fulfilment(client: Client, harbor: str) -> None:
    waiting = client.made("salesOrder", order(harbor))
    approved = client.made("salesOrder", order(harbor, orderStatus={"id": "B"}))

    assert client.read(f"salesOrder/{waiting}")["orderStatus"] == {"id": "A", "refName": "Pending Approval"}
    assert client.read(f"salesOrder/{approved}")["status"] == {"id": "B", "refName": "Pending Fulfillment"}
    assert client.refused("POST", "salesOrder", order(harbor, orderStatus={"id": "G"}))["o:errorPath"] == "orderStatus"


def test_an_order_is_approved_or_cancelled_by_its_status(client: Client, harbor: str) -> None:
    approved, cancelled = (client.made("salesOrder", order(harbor)) for _ in range(2))

    client.patch(f"salesOrder/{approved}", json={"orderStatus": {"id": "B"}})
    client.patch(f"salesOrder/{cancelled}", json={"orderStatus": {"id": "C"}})

    assert client.read(f"salesOrder/{approved}")["orderStatus"]["id"] == "B"
    assert client.read(f"salesOrder/{cancelled}")["orderStatus"]["id"] == "C"
    assert client.refused("PATCH", f"salesOrder/{approved}", {"orderStatus": {"id": "G"}})["o:errorPath"] == "orderStatus"
    assert credit(client, harbor)["unbilledOrders"] == 12870


def test_closing_every_line_closes_the_order(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 1), line("ONBOARD-SVC", 1), orderStatus={"id": "B"}))

    client.patch(f"salesOrder/{made}", json={"item": {"items": [{"line": 1, "isClosed": True}]}})
    partly = client.read(f"salesOrder/{made}")["status"]["refName"], credit(client, harbor)["unbilledOrders"]
    client.patch(f"salesOrder/{made}", json={"item": {"items": [{"line": 2, "isClosed": True}]}})

    assert partly == ("Pending Fulfillment", Decimal("160.88"))
    assert client.read(f"salesOrder/{made}")["status"]["refName"] == "Closed"
    assert credit(client, harbor)["unbilledOrders"] == 0


def test_inactive_customers_and_items_are_refused(client: Client, harbor: str) -> None:
    dormant = client.read("customer/eid:ACC-1005")["id"]
    client.patch("inventoryItem/eid:SENSOR-X1", json={"isInactive": True})

    customer = client.refused("POST", "salesOrder", order(dormant))
    item = client.refused("POST", "salesOrder", order(harbor, line("SENSOR-X1", 1)))

    assert (customer["o:errorCode"], customer["o:errorPath"]) == ("INVALID_CONTENT", "entity")
    assert (item["o:errorCode"], item["o:errorPath"]) == ("INVALID_CONTENT", "item.items[0].item")


def test_an_order_of_a_customer_who_went_inactive_can_still_be_closed(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor))
    client.patch(f"customer/{harbor}", json={"isInactive": True})

    closed = client.patch(f"salesOrder/{made}", json={"item": {"items": [{"line": 1, "isClosed": True}]}})

    assert closed.status_code == 204


MISMATCHES = [
    ({"subsidiary": {"id": "2"}}, "subsidiary"),
    ({"currency": {"id": "4"}}, "currency"),
    ({"location": {"id": "2"}}, "location"),
]


@pytest.mark.parametrize(("more", "path"), MISMATCHES, ids=[path for _, path in MISMATCHES])
@pytest.mark.parametrize("kind", ["salesOrder", "invoice"])
def test_another_legal_entity_s_subsidiary_currency_or_location_is_refused(
    client: Client, harbor: str, kind: str, more: dict[str, Any], path: str
) -> None:
    assert client.refused("POST", kind, order(harbor, **more))["o:errorPath"] == path


def test_an_order_needs_lines_with_items_and_positive_quantities(client: Client, harbor: str) -> None:
    none = client.refused("POST", "salesOrder", {"entity": {"id": harbor}})
    no_item = client.refused("POST", "salesOrder", order(harbor, {"quantity": 1}))
    negative = client.refused("POST", "salesOrder", order(harbor, line("PLAT-ANNUAL", -1)))

    assert none["detail"].endswith("You must enter at least one line item for this transaction.")
    assert (no_item["o:errorPath"], negative["o:errorPath"]) == ("item.items[0].item", "item.items[0].quantity")


def test_a_transaction_keeps_its_customer(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor))
    other = client.read("customer/eid:ACC-1004")["id"]

    assert client.refused("PATCH", f"salesOrder/{made}", {"entity": {"id": other}})["o:errorPath"] == "entity"


@pytest.mark.parametrize("name", ["rate", "amount", "grossAmt", "quantity", "taxCode"])
def test_a_null_on_a_line_means_its_default(client: Client, harbor: str, name: str) -> None:
    made = client.made("salesOrder", order(harbor, {"item": {"externalId": "PLAT-ANNUAL"}, name: None}))

    assert client.read(f"salesOrder/{made}")["subtotal"] == 1200


GIVEN = [({"amount": 5000}, 2500, 5000), ({"rate": 2400, "amount": 5000}, 2400, 5000), ({"grossAmt": 2145}, 1000, 2000)]


@pytest.mark.parametrize(("told", "rate", "amount"), GIVEN, ids=[str(one[0]) for one in GIVEN])
def test_the_rate_follows_an_amount_that_is_told(
    client: Client, harbor: str, told: dict[str, Any], rate: int, amount: int
) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 2, **told)))

    (found,) = whole(client, f"salesOrder/{made}")["item"]["items"]
    assert (found["rate"], found["amount"]) == (rate, amount)


def test_create_form_shows_the_defaults_and_keeps_nothing(client: Client, harbor: str) -> None:
    form = {"Accept": "application/vnd.oracle.resource+json; type=create-form"}

    shown = client.post("salesOrder", json=order(harbor), headers=form)
    made = client.made("salesOrder", order(harbor))

    assert (shown.status_code, shown.json()["total"]) == (200, 12870.00)
    assert (shown.json()["item"]["items"][0]["rate"], shown.json()["tranId"]) == (1200.00, "To Be Generated")
    assert "id" not in shown.json()
    assert [one["id"] for one in client.read("salesOrder")["items"]] == [made]
    assert client.read(f"salesOrder/{made}")["tranId"] == "SO1001"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 50), st.decimals("0.01", "999.99", places=2)), min_size=1, max_size=5))
def test_every_document_ties_out_to_the_cent(client: Client, rheinblick: str, lines: list[tuple[int, Decimal]]) -> None:
    items = ", ".join(f'{{"item": {{"id": "2001"}}, "quantity": {quantity}, "rate": {rate}}}' for quantity, rate in lines)
    body = f'{{"entity": {{"id": "{rheinblick}"}}, "item": {{"items": [{items}]}}}}'
    made = client.post("invoice", content=body.encode()).headers["Location"]

    found = whole(client, made)
    parts = found["item"]["items"]
    assert found["subtotal"] == sum(quantity * rate for quantity, rate in lines)
    assert found["taxTotal"] == sum(one["tax1Amt"] for one in parts)
    assert found["total"] == found["subtotal"] + found["taxTotal"] == sum(one["grossAmt"] for one in parts)
    assert all(abs(one["tax1Amt"] - one["amount"] * 19 / 100) <= Decimal("0.005") for one in parts)
