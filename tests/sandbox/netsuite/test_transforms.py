"""Orders become invoices: in parts, never twice, and the customer's credit figures follow."""

from decimal import Decimal
from typing import Any

from tests.sandbox.netsuite.driving import Client, line, order

CREDIT = "creditLimit,creditHoldOverride,balance,unbilledOrders,overdueBalance,daysOverdue,depositBalance,consolBalance"


def credit(client: Client, customer: str) -> dict[str, Any]:
    return dict(client.read(f"customer/{customer}", fields=CREDIT))


def whole(client: Client, path: str) -> Any:
    return client.read(path, expandSubResources="true")


def test_a_pending_order_raises_unbilled_orders_and_billing_turns_them_into_balance(client: Client, harbor: str) -> None:
    before = credit(client, harbor)
    made = client.made("salesOrder", order(harbor, orderStatus={"id": "B"}))
    ordered = credit(client, harbor)
    client.made(f"salesOrder/{made}/!transform/invoice", {})
    billed = credit(client, harbor)

    assert (before["unbilledOrders"], before["balance"], before["creditHoldOverride"]["id"]) == (0, 1200, "AUTO")
    assert (ordered["unbilledOrders"], ordered["balance"]) == (12870, 1200)
    assert (billed["unbilledOrders"], billed["balance"], billed["overdueBalance"]) == (0, 14070, 0)


def test_overdue_invoices_show_on_the_customer(client: Client) -> None:
    found = client.read("customer/eid:ACC-1004")

    assert (found["balance"], found["overdueBalance"], found["daysOverdue"], found["creditLimit"]) == (14250, 14250, 47, 10000)
    assert (found["aging"], found["aging1"], found["aging2"]) == (0, 0, 14250)


def test_a_parent_s_consolidated_figures_include_its_subcustomers(client: Client, harbor: str) -> None:
    body = {"companyName": "Harbor Freightways East", "subsidiary": {"id": "1"}, "parent": {"id": harbor}}
    child = client.made("customer", body)
    client.made("invoice", order(child, line("PLAT-ANNUAL", 1)))

    assert credit(client, harbor)["balance"] == 1200
    assert credit(client, harbor)["consolBalance"] == 2487


def test_an_order_is_billed_in_parts_and_never_beyond(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 10), line("ONBOARD-SVC", 1), orderStatus={"id": "B"}))

    part = client.made(f"salesOrder/{made}/!transform/invoice", {"item": {"items": [{"line": 1, "quantity": 4}]}})
    between = whole(client, f"salesOrder/{made}")
    rest = client.made(f"salesOrder/{made}/!transform/invoice", {"memo": "rest"})

    assert client.read(f"invoice/{part}")["total"] == Decimal("5308.88")
    assert [one["quantityBilled"] for one in between["item"]["items"]] == [4, 1]
    assert (between["status"]["id"], client.read(f"salesOrder/{made}")["status"]["refName"]) == ("B", "Billed")
    assert client.read(f"invoice/{rest}")["subtotal"] == 7200
    assert client.read(f"invoice/{rest}")["createdFrom"]["id"] == made
    assert "cannot be billed" in client.refused("POST", f"salesOrder/{made}/!transform/invoice", {})["detail"]
    assert (
        client.refused("PATCH", f"invoice/{part}", {"item": {"items": [{"line": 1, "quantity": 5}]}})["o:errorPath"]
        == "item.items[0].quantity"
    )


def test_what_is_billed_stays_on_the_order(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, line("PLAT-ANNUAL", 10), orderStatus={"id": "B"}))
    client.made(f"salesOrder/{made}/!transform/invoice", {"item": {"items": [{"line": 1, "quantity": 4}]}})

    less = client.refused("PATCH", f"salesOrder/{made}", {"item": {"items": [{"line": 1, "quantity": 3}]}})
    other = client.refused("PATCH", f"salesOrder/{made}", {"item": {"items": [line("SENSOR-X1", 10)]}}, replace="item")
    as_billed = client.patch(f"salesOrder/{made}", json={"item": {"items": [{"line": 1, "quantity": 4}]}})

    assert (less["o:errorPath"], other["o:errorPath"]) == ("item.items[0].quantity", "item.items[0].quantity")
    assert (as_billed.status_code, client.read(f"salesOrder/{made}")["status"]["refName"]) == (204, "Billed")


def test_an_order_that_is_not_approved_cannot_be_billed(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor))

    assert "cannot be billed" in client.refused("POST", f"salesOrder/{made}/!transform/invoice", {})["detail"]


def test_deleting_the_invoice_reopens_the_order(client: Client, harbor: str) -> None:
    made = client.made("salesOrder", order(harbor, orderStatus={"id": "B"}))
    invoice = client.made(f"salesOrder/{made}/!transform/invoice", {})
    assert "dependent records" in client.refused("DELETE", f"salesOrder/{made}")["detail"]

    client.delete(f"invoice/{invoice}")

    assert client.read(f"salesOrder/{made}")["status"]["id"] == "B"
    assert credit(client, harbor)["unbilledOrders"] == 12870
