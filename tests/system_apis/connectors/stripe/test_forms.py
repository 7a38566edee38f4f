from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.models.catalog import ChargeKind
from contracts.models.money import Money
from contracts.models.party import NewCustomer
from contracts.models.reference import Reference
from contracts.models.subscription import NewSubscription, SubscriptionLine
from contracts.models.tax import TaxableLine, TaxRequest
from kernel.problem import Refused
from system_apis.connectors.stripe import forms
from system_apis.connectors.stripe.fields import Fields
from tests.conformance.calls import SAN_FRANCISCO

BERLIN = SAN_FRANCISCO.model_copy(update={"city": "Berlin", "country": "DE", "postal_code": "10115", "state": None})
ANNUAL = {
    "object": "price", "currency": "usd", "product": "PLAT", "tax_behavior": "exclusive",
    "recurring": {"interval": "year", "interval_count": 1},
}  # fmt: skip
ONCE = {"object": "price", "currency": "usd", "product": "ONBOARD", "tax_behavior": None, "recurring": None}
FIXED = {"price_annual": Fields(ANNUAL, "stripe", "price"), "price_service": Fields(ONCE, "stripe", "price")}


def line(kind: ChargeKind, quantity: int = 3, amount: str | None = None) -> SubscriptionLine:
    money = Money.of(amount, "USD") if amount else None
    return SubscriptionLine(line=f"L-{kind}", sku="SKU", price=f"price_{kind}", kind=kind, quantity=quantity, amount=money)


def form(*lines: SubscriptionLine, correlation: str = "corr-1", automatic_tax: bool = True) -> Any:
    new = NewSubscription(
        key="ORD-1", customer=Reference(connection="stripe", kind="customer", id="cus_1"), currency="USD",
        contract_months=36, payment_days=30, lines=list(lines),
    )  # fmt: skip
    return forms.subscription_form(new, FIXED, correlation, automatic_tax=automatic_tax)


def test_recurring_lines_are_items_and_one_time_lines_go_on_the_first_invoice() -> None:
    made = form(*(line(kind) for kind in ChargeKind))

    assert [(one["price"], one["quantity"]) for one in made["items"]] == [("price_annual", 3), ("price_monthly_usage", None)]
    assert [(one["price"], one["quantity"]) for one in made["add_invoice_items"]] == [("price_service", 3), ("price_goods", 3)]
    assert [one["metadata"] for one in made["items"]] == [{"line": f"L-{k}", "sku": "SKU"} for k in ("annual", "monthly_usage")]


def test_a_subscription_is_invoiced_with_days_to_pay_and_our_references() -> None:
    made = form(line(ChargeKind.ANNUAL))

    assert (made["collection_method"], made["days_until_due"], made["currency"]) == ("send_invoice", 30, "usd")
    assert made["metadata"] == {"external_ref": "ORD-1", "contract_months": "36", "correlation_id": "corr-1"}
    assert made["automatic_tax"] == {"enabled": True}
    assert "cancel_at" not in made


def test_what_is_not_known_is_not_sent() -> None:
    made = form(line(ChargeKind.ANNUAL), correlation="", automatic_tax=False)

    assert (made["metadata"]["correlation_id"], made["automatic_tax"]) == (None, None)


def test_a_subscription_of_one_time_lines_alone_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refused) as refusal:
        form(line(ChargeKind.GOODS))

    assert (refusal.value.field, bool(refusal.value.fix)) == ("lines", True)


def test_a_line_with_an_amount_is_charged_that_at_the_rhythm_of_its_price() -> None:
    made = form(line(ChargeKind.ANNUAL, 1, "1085.11"), line(ChargeKind.SERVICE, 10, "1414.90"))

    assert made["items"][0]["price_data"] == {
        "currency": "usd", "product": "PLAT", "tax_behavior": "exclusive", "unit_amount": 108511,
        "recurring": {"interval": "year", "interval_count": 1},
    }  # fmt: skip
    assert made["add_invoice_items"][0]["price_data"] == {
        "currency": "usd", "product": "ONBOARD", "tax_behavior": None, "unit_amount": 14149,
    }  # fmt: skip
    assert made["add_invoice_items"][0]["quantity"] == 10
    assert "price" not in made["items"][0]


def test_an_amount_that_its_pieces_cannot_share_is_charged_as_one_piece() -> None:
    made = form(line(ChargeKind.ANNUAL, 3, "100.00"))

    assert (made["items"][0]["price_data"]["unit_amount"], made["items"][0]["quantity"]) == (10000, 1)


@given(st.integers(0, 10**10), st.integers(0, 10**6))
def test_every_amount_is_charged_to_the_cent(cents: int, quantity: int) -> None:
    whole = line(ChargeKind.ANNUAL, quantity).model_copy(update={"amount": Money.from_minor(cents, "USD")})

    made = form(whole)["items"][0]

    assert made["price_data"]["unit_amount"] * made["quantity"] == cents


def test_usage_cannot_have_a_fixed_amount() -> None:
    with pytest.raises(Refused) as refusal:
        form(line(ChargeKind.ANNUAL), line(ChargeKind.MONTHLY_USAGE, 1, "5.00"))

    assert refusal.value.field == "lines.L-monthly_usage.amount"


def customer(**changes: Any) -> NewCustomer:
    plain = NewCustomer(
        key="ACC-1", legal_name="Alpenglow GmbH", email="a@b.example", address=BERLIN, currency="EUR", legal_entity="DE01",
        tax_id="DE136695976",
    )  # fmt: skip
    return plain.model_copy(update=changes)


def test_a_customer_carries_our_key_and_what_was_agreed() -> None:
    made = forms.customer_form(customer(), "corr-1")

    assert made["metadata"] == {"external_id": "ACC-1", "currency": "EUR", "legal_entity": "DE01", "correlation_id": "corr-1"}
    assert made["tax_id_data"] == [{"type": "eu_vat", "value": "DE136695976"}]


def test_a_customer_without_a_tax_id_sends_none() -> None:
    assert forms.customer_form(customer(tax_id=None), "")["tax_id_data"] is None


@pytest.mark.parametrize(("country", "type"), [("US", "us_ein"), ("GB", "gb_vat"), ("FR", "eu_vat"), ("CH", "ch_vat")])
def test_a_tax_id_is_of_its_countrys_type(country: str, type: str) -> None:
    assert forms.tax_id_type(country) == type


def test_a_tax_id_of_an_unknown_type_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refused) as refusal:
        forms.tax_id_type("AQ")

    assert (refusal.value.field, bool(refusal.value.fix)) == ("tax_id", True)


def test_blocking_sets_a_mark_and_unblocking_removes_it() -> None:
    assert forms.status_form("blocked") == {"metadata": {"trivium_status": "blocked"}}
    assert forms.status_form("active") == {"metadata": {"trivium_status": ""}}


def test_tax_is_asked_for_where_the_delivery_goes_on_top_of_the_amounts() -> None:
    lines = [TaxableLine(line="L1", sku="A", amount=Money.of("10.01", "EUR"), quantity=0)]
    made: Any = forms.tax_form(TaxRequest(currency="EUR", ship_to=BERLIN, lines=lines))

    assert made["customer_details"]["address_source"] == "shipping"
    assert made["customer_details"]["address"]["country"] == "DE"
    assert made["line_items"] == [{"amount": 1001, "quantity": None, "reference": "L1", "tax_behavior": "exclusive"}]


def test_an_amount_that_stripe_cannot_express_names_its_line() -> None:
    lines = [TaxableLine(line="L7", sku="A", amount=Money.of("0.20", "MGA"), quantity=1)]

    with pytest.raises(Refused) as refusal:
        forms.tax_form(TaxRequest(currency="MGA", ship_to=BERLIN, lines=lines))

    assert refusal.value.field == "lines.L7.amount"
