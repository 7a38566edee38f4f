"""Tax calculations: the rate of the place, rounded half up on each line."""

from typing import Any

import pytest

CALIFORNIA = {"country": "US", "state": "CA", "postal_code": "94105"}
BERLIN = {"country": "DE", "postal_code": "10115"}


def calculate(stripe: Any, address: dict[str, str], *amounts: int, **more: Any) -> Any:
    lines = [{"amount": amount, "reference": f"L{n}"} | more for n, amount in enumerate(amounts)]
    return stripe.v1.tax.calculations.create(
        params={
            "currency": "usd",
            "line_items": lines,
            "customer_details": {"address": address, "address_source": "billing"},
            "expand": ["line_items"],
        }
    )


def test_each_line_is_rounded_half_up(stripe: Any) -> None:
    made = calculate(stripe, CALIFORNIA, 100, 100, 200)

    assert [line.amount_tax for line in made.line_items.data] == [7, 7, 15]  # 7.25, 7.25, 14.5
    assert (made.tax_amount_exclusive, made.amount_total, made.tax_amount_inclusive) == (29, 429, 0)
    assert made.tax_breakdown[0].tax_rate_details.percentage_decimal == "7.25"
    assert made.tax_breakdown[0].taxability_reason == "standard_rated"


def test_an_inclusive_amount_contains_its_tax(stripe: Any) -> None:
    made = calculate(stripe, BERLIN, 11900, tax_behavior="inclusive")

    assert (made.tax_amount_inclusive, made.tax_amount_exclusive, made.amount_total) == (1900, 0, 11900)
    assert made.tax_breakdown[0].taxable_amount == 10000


@pytest.mark.parametrize("address", [{"country": "US", "state": "NV"}, {"country": "FR"}])
def test_where_nothing_is_collected_the_tax_is_zero_with_its_reason(stripe: Any, address: dict[str, str]) -> None:
    made = calculate(stripe, address, 10000)

    assert made.tax_amount_exclusive == 0
    assert made.tax_breakdown[0].taxability_reason == "not_collecting"


def test_an_exempt_customer_pays_none(stripe: Any) -> None:
    customer = stripe.v1.customers.create(params={"address": BERLIN, "tax_exempt": "reverse"})
    made = stripe.v1.tax.calculations.create(
        params={"currency": "eur", "customer": customer.id, "line_items": [{"amount": 1000, "reference": "a"}]}
    )

    assert made.tax_amount_exclusive == 0
    assert made.tax_breakdown[0].taxability_reason == "reverse_charge"
    assert made.customer_details.address is not None
    assert made.customer_details.address.country == "DE"


def test_a_customer_without_a_place_cannot_be_taxed(sandbox: Any) -> None:
    line = {"currency": "usd", "line_items[0][amount]": "1", "line_items[0][reference]": "a"}
    nowhere = sandbox.post("/v1/tax/calculations", line)
    stateless = sandbox.post("/v1/tax/calculations", line | {"customer_details[address][country]": "US"})

    for answer in (nowhere, stateless):
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "customer_tax_location_invalid")


def test_lines_are_left_out_unless_asked_for_and_page_on_their_own(sandbox: Any) -> None:
    stripe = sandbox.client()
    made = calculate(stripe, BERLIN, *range(1, 13))
    plain = sandbox.get(f"/v1/tax/calculations/{made.id}").json()
    walked = [line.reference for line in stripe.v1.tax.calculations.line_items.list(made.id).auto_paging_iter()]

    assert "line_items" not in plain
    assert walked == [f"L{n}" for n in range(12)]


def test_references_are_unique(sandbox: Any) -> None:
    data = {f"line_items[{n}][{k}]": v for n in (0, 1) for k, v in {"amount": "1", "reference": "same"}.items()}
    answer = sandbox.post("/v1/tax/calculations", data | {"currency": "eur", "customer_details[address][country]": "DE"})

    assert answer.status_code == 400
