from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts.models.money import Money
from contracts.models.tax import TaxableLine, TaxPreview, TaxRequest
from kernel.problem import BadPlatformAnswer, Refused
from system_apis.connectors.stripe import mapping
from system_apis.connectors.stripe.fields import Fields
from tests.conformance.calls import SAN_FRANCISCO

AT = 1_790_000_000
CUSTOMER: dict[str, Any] = {
    "id": "cus_Q1", "object": "customer", "name": "Acme GmbH", "currency": "eur", "metadata": {"external_id": "CRM-1"},
}  # fmt: skip
PRICE: dict[str, Any] = {
    "id": "price_1", "object": "price", "lookup_key": "PLAT/eur", "currency": "eur", "billing_scheme": "per_unit",
    "unit_amount": None, "unit_amount_decimal": "0.25", "recurring": {"interval": "month", "usage_type": "metered"},
}  # fmt: skip
SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_1", "object": "subscription", "customer": "cus_Q1", "status": "active", "currency": "eur", "start_date": AT,
    "metadata": {"external_ref": "ORD-1"},
    "items": {"data": [{"current_period_end": AT + 31_536_000}, {"current_period_end": AT + 2_592_000}]},
}  # fmt: skip
INVOICE: dict[str, Any] = {
    "id": "in_1", "object": "invoice", "number": "7FE1103-0001", "status": "open", "currency": "eur", "total": 7140,
    "amount_remaining": 140, "effective_at": AT, "status_transitions": {"finalized_at": AT + 60},
}  # fmt: skip
CALCULATION: dict[str, Any] = {
    "object": "tax.calculation", "currency": "usd", "amount_total": 1073, "tax_amount_exclusive": 73, "tax_amount_inclusive": 0,
}  # fmt: skip
LINE = TaxableLine(line="L1", sku="A", amount=Money.of("10.00", "USD"), quantity=1)
REQUEST = TaxRequest(currency="USD", ship_to=SAN_FRANCISCO, lines=[LINE])


def fields(wire: dict[str, Any], **changes: Any) -> Fields:
    """The wire object with some members changed; those given as ... left out."""
    return Fields({k: v for k, v in (wire | changes).items() if v is not ...}, "stripe-eu", wire["object"])


def test_a_customer_is_named_by_its_key_and_its_connection() -> None:
    found = mapping.customer(fields(CUSTOMER))

    assert str(found.reference) == "stripe-eu/customer/cus_Q1"
    assert (found.key, found.legal_name, found.currency, found.active) == ("CRM-1", "Acme GmbH", "EUR", True)


def test_a_customer_who_was_never_charged_has_the_agreed_currency() -> None:
    agreed = mapping.customer(fields(CUSTOMER, currency=None, metadata={"currency": "EUR"}))

    assert agreed.currency == "EUR"
    assert mapping.customer(fields(CUSTOMER, currency=None, metadata={})).currency is None


@pytest.mark.parametrize(("mark", "active"), [("blocked", False), ("", True), ("Blocked?", True)])
def test_a_customer_is_blocked_by_our_mark_alone(mark: str, active: bool) -> None:
    assert mapping.customer(fields(CUSTOMER, metadata={"trivium_status": mark})).active is active


@pytest.mark.parametrize("written", ["", "two words", "-x", "é", "x" * 161])
def test_a_key_that_cannot_be_one_is_none(written: str) -> None:
    assert mapping.customer(fields(CUSTOMER, metadata={"external_id": written})).key is None


def test_a_customer_without_a_name_is_shown_by_its_id() -> None:
    assert mapping.customer(fields(CUSTOMER, name=None)).legal_name == "cus_Q1"


def test_a_price_is_exact_to_fractions_of_a_cent() -> None:
    found = mapping.price(fields(PRICE))

    assert (found.unit_price, found.recurring, found.metered) == (Decimal("0.0025"), True, True)


def test_a_price_without_a_rhythm_is_one_time() -> None:
    found = mapping.price(fields(PRICE, recurring=None))

    assert (found.recurring, found.metered) == (False, False)


def test_a_price_with_tiers_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refused) as refusal:
        mapping.price(fields(PRICE, billing_scheme="tiered", unit_amount_decimal=None))

    assert refusal.value.fix


def test_the_first_period_to_end_is_the_subscriptions() -> None:
    found = mapping.subscription(fields(SUBSCRIPTION))

    assert found.started_at == datetime.fromtimestamp(AT, UTC)
    assert found.current_period_end == datetime.fromtimestamp(AT + 2_592_000, UTC)


@pytest.mark.parametrize(
    ("stripes", "ours"),
    [
        ("incomplete", "pending"), ("incomplete_expired", "cancelled"), ("trialing", "active"), ("active", "active"),
        ("past_due", "past_due"), ("canceled", "cancelled"), ("unpaid", "past_due"), ("paused", "paused"),
    ],
)  # fmt: skip
def test_every_status_of_a_subscription_has_a_meaning(stripes: str, ours: str) -> None:
    assert mapping.subscription(fields(SUBSCRIPTION, status=stripes)).status == ours


def test_an_invoice_says_what_is_still_to_be_paid() -> None:
    found = mapping.invoice(fields(INVOICE))

    assert (found.total, found.open_amount) == (Money.of("71.40", "EUR"), Money.of("1.40", "EUR"))
    assert found.issued_at == datetime.fromtimestamp(AT, UTC)


def test_a_draft_has_no_number_and_no_date() -> None:
    found = mapping.invoice(
        fields(INVOICE, number=None, status="draft", effective_at=None, status_transitions={"finalized_at": None})
    )

    assert (found.number, found.issued_at, found.status) == (None, None, "draft")


def test_a_tax_preview_is_stripes_own_sum() -> None:
    found = mapping.tax_preview(fields(CALCULATION), REQUEST)

    assert found == TaxPreview(net=Money.of("10.00", "USD"), tax=Money.of("0.73", "USD"), gross=Money.of("10.73", "USD"))


@pytest.mark.parametrize(
    "changes", [{"amount_total": 1074}, {"tax_amount_inclusive": 1}, {"currency": "eur"}, {"amount_total": None}]
)
def test_a_calculation_of_something_else_is_unintelligible(changes: dict[str, Any]) -> None:
    with pytest.raises(BadPlatformAnswer):
        mapping.tax_preview(fields(CALCULATION, **changes), REQUEST)


ODD = [
    (mapping.customer, CUSTOMER, {"id": ...}), (mapping.customer, CUSTOMER, {"id": 7}),
    (mapping.customer, CUSTOMER, {"metadata": None}),
    (mapping.customer, CUSTOMER, {"metadata": {"external_id": 7}}), (mapping.customer, CUSTOMER, {"name": ["A"]}),
    (mapping.customer, CUSTOMER, {"currency": "euro"}), (mapping.customer, CUSTOMER, {"name": "x" * 256}),
    (mapping.price, PRICE, {"unit_amount_decimal": "1e"}), (mapping.price, PRICE, {"unit_amount_decimal": "NaN"}),
    (mapping.price, PRICE, {"unit_amount_decimal": Decimal("0.25")}), (mapping.price, PRICE, {"lookup_key": None}),
    (mapping.price, PRICE, {"recurring": []}), (mapping.price, PRICE, {"recurring": {}}),
    (mapping.subscription, SUBSCRIPTION, {"status": "sleeping"}), (mapping.subscription, SUBSCRIPTION, {"items": {"data": [7]}}),
    (mapping.subscription, SUBSCRIPTION, {"items": {}}), (mapping.subscription, SUBSCRIPTION, {"start_date": "2026"}),
    (mapping.subscription, SUBSCRIPTION, {"start_date": True}), (mapping.subscription, SUBSCRIPTION, {"start_date": 10**18}),
    (mapping.subscription, SUBSCRIPTION, {"customer": {"id": "cus_1"}}), (mapping.invoice, INVOICE, {"total": "71.40"}),
    (mapping.invoice, INVOICE, {"total": Decimal("7140.5")}), (mapping.invoice, INVOICE, {"status": None}),
    (mapping.invoice, INVOICE, {"currency": "isk"}), (mapping.invoice, INVOICE, {"status_transitions": ...}),
]  # fmt: skip


@pytest.mark.parametrize(("make", "wire", "changes"), ODD)
def test_an_odd_field_is_told_and_never_guessed(make: Any, wire: dict[str, Any], changes: dict[str, Any]) -> None:
    with pytest.raises(BadPlatformAnswer, match="Stripe: ") as problem:
        make(fields(wire, **changes))

    assert problem.value.system == "stripe-eu"
