from datetime import date
from decimal import Decimal

import pytest

from contracts.models.money import Money
from contracts.models.order import NewSalesOrder, SalesOrderLine
from contracts.models.party import Address, CreditTerms, NewCustomer
from contracts.models.reference import Reference
from kernel.problem import Refused
from system_apis.connectors.netsuite.forms import closing_form, customer_form, sales_order_form, status_form

BERLIN = Address(line1="Lindenweg 4", city="Berlin", postal_code="10115", country="DE")
NEW = NewCustomer(
    key="ACC-1", legal_name="Alpenglow GmbH", email="ap@alpenglow.example", address=BERLIN, currency="EUR", legal_entity="2"
)
GRANTED = CreditTerms(payment_days=30, credit_limit=Money.of("25000.50", "EUR"))


def new_order(**line: object) -> NewSalesOrder:
    usual = {"line": "L1", "item": "2001", "quantity": 3, "amount": "100.00"}
    return NewSalesOrder(
        key="ORD-1",
        customer=Reference(connection="netsuite", kind="customer", id="1001"),
        legal_entity="2",
        currency="EUR",
        ordered_on=date(2026, 2, 1),
        lines=[SalesOrderLine.model_validate(usual | line)],
        customer_reference="PO-88",
    )


def test_a_customer_is_a_company_of_one_subsidiary() -> None:
    assert customer_form(NEW, "4", None) == {
        "companyName": "Alpenglow GmbH",
        "isPerson": False,
        "email": "ap@alpenglow.example",
        "subsidiary": {"id": "2"},
        "currency": {"id": "4"},
        "addressBook": {
            "items": [
                {
                    "defaultBilling": True,
                    "defaultShipping": True,
                    "addressBookAddress": {
                        "addressee": "Alpenglow GmbH",
                        "addr1": "Lindenweg 4",
                        "city": "Berlin",
                        "zip": "10115",
                        "country": {"id": "DE"},
                    },
                }
            ]
        },
    }


def test_terms_tax_id_and_state_are_sent_where_there_are_any() -> None:
    address = BERLIN.model_copy(update={"state": "BE"})
    new = NEW.model_copy(update={"terms": GRANTED, "tax_id": "DE136695976", "address": address})

    form = customer_form(new, "4", "7")

    assert (form["terms"], form["creditLimit"], form["defaultTaxReg"]) == ({"id": "7"}, Decimal("25000.50"), "DE136695976")
    assert form["addressBook"]["items"][0]["addressBookAddress"]["state"] == "BE"


def test_an_order_tells_the_amount_of_each_line_and_no_rate() -> None:
    order = new_order(tax_code="DE-19", dimensions={"department": "1", "class": "4", "location": "2"})

    assert sales_order_form(order, "4", {"DE-19": "12"}, "corr-1") == {
        "entity": {"id": "1001"},
        "subsidiary": {"id": "2"},
        "currency": {"id": "4"},
        "tranDate": "2026-02-01",
        "otherRefNum": "PO-88",
        "memo": "correlation corr-1",
        "item": {
            "items": [
                {
                    "item": {"id": "2001"},
                    "quantity": 3,
                    "amount": Decimal("100.00"),
                    "taxCode": {"id": "12"},
                    "department": {"id": "1"},
                    "class": {"id": "4"},
                    "location": {"id": "2"},
                }
            ]
        },
    }


def test_what_is_absent_is_not_sent() -> None:
    form = sales_order_form(new_order().model_copy(update={"customer_reference": None}), "4", {}, "")

    assert "memo" not in form
    assert "otherRefNum" not in form
    assert set(form["item"]["items"][0]) == {"item", "quantity", "amount"}


def test_a_dimension_that_netsuite_does_not_have_is_refused_with_the_line() -> None:
    with pytest.raises(Refused) as refusal:
        sales_order_form(new_order(dimensions={"profit_center": "1"}), "4", {}, "")

    assert refusal.value.field == "lines.L1.dimensions"
    assert "department" in (refusal.value.fix or "")


def test_blocked_is_inactive_and_closing_names_lines_by_number() -> None:
    assert (status_form("blocked"), status_form("active")) == ({"isInactive": True}, {"isInactive": False})
    assert closing_form([1, 4]) == {"item": {"items": [{"line": 1, "isClosed": True}, {"line": 4, "isClosed": True}]}}
