"""Customers, products, prices, tax rates: the seeded world and what can be done to it, through the vendor's SDK."""

from decimal import Decimal
from typing import Any

import pytest
import stripe as sdk

from sandbox.world import PARTIES, PRODUCTS


def test_the_world_is_there_in_stripes_words(sandbox: Any, stripe: Any) -> None:
    customers = {c["metadata"]["external_id"]: c for c in sandbox.records("customer")}
    prices = {p["lookup_key"]: p for p in sandbox.records("price")}

    assert set(customers) == {p.key for p in PARTIES if p.in_billing}
    assert customers["ACC-1007"]["address"]["country"] == "DE"
    assert {p["id"] for p in sandbox.records("product")} == {p.sku for p in PRODUCTS}
    assert set(prices) == {f"{p.sku}/{c.lower()}" for p in PRODUCTS if p.priced for c in p.prices}
    assert prices["PLAT-ANNUAL/eur"]["unit_amount"] == 110000
    assert prices["PLAT-ANNUAL/usd"]["recurring"]["interval"] == "year"
    assert prices["API-USAGE/usd"]["recurring"]["usage_type"] == "metered"
    assert prices["SENSOR-X1/usd"] | {"type": "one_time", "unit_amount": 8950} == prices["SENSOR-X1/usd"]
    assert prices["BUNDLE-START/usd"]["type"] == prices["ONBOARD-SVC/usd"]["type"] == "one_time"
    assert [m.event_name for m in stripe.v1.billing.meters.list().data] == ["api_usage"]
    assert {r.metadata["entity"]: Decimal(str(r.percentage)) for r in stripe.v1.tax_rates.list().data if r.metadata} == {
        "US01": Decimal("7.25"),
        "DE01": Decimal(19),
    }
    assert stripe.v1.events.list().data == []


def test_customers_are_created_changed_and_deleted(stripe: Any) -> None:
    made = stripe.v1.customers.create(
        params={
            "name": "Acme",
            "email": "a@acme.example",
            "address": {"city": "Berlin", "country": "DE"},
            "metadata": {"a": "1", "b": "2"},
        }
    )
    changed = stripe.v1.customers.update(
        made.id, params={"email": "", "metadata": {"a": "", "c": "3"}, "address": {"city": "Köln"}}
    )
    gone = stripe.v1.customers.delete(made.id)
    tombstone = stripe.v1.customers.retrieve(made.id)

    assert (made.name, made.tax_exempt, made.balance, made.livemode) == ("Acme", "none", 0, False)
    assert changed.email is None
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert changed.address is not None
    assert (changed.address.city, changed.address.country) == ("Köln", "DE")
    assert gone.deleted
    assert tombstone.deleted
    with pytest.raises(sdk.InvalidRequestError) as refused:
        stripe.v1.customers.update(made.id, params={"name": "x"})
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_metadata_can_be_emptied_whole(stripe: Any) -> None:
    made = stripe.v1.customers.create(params={"metadata": {"a": "1"}})

    assert stripe.v1.customers.update(made.id, params={"metadata": ""}).metadata.to_dict() == {}


@pytest.mark.parametrize(
    ("metadata", "param"),
    [
        ({"k" * 41: "v"}, f"metadata[{'k' * 41}]"),
        ({"k": "v" * 501}, "metadata[k]"),
        ({f"k{n}": "v" for n in range(51)}, "metadata"),
    ],
)
def test_metadata_has_limits(stripe: Any, metadata: dict[str, str], param: str) -> None:
    with pytest.raises(sdk.InvalidRequestError) as refused:
        stripe.v1.customers.create(params={"metadata": metadata})

    assert refused.value.param == param


def test_the_limits_of_metadata_themselves_are_allowed(stripe: Any) -> None:
    full = {f"{n:040d}": "v" * 500 for n in range(50)}

    assert stripe.v1.customers.create(params={"metadata": full}).metadata.to_dict() == full


def test_customers_are_listed_by_exact_email(stripe: Any) -> None:
    made = stripe.v1.customers.create(params={"email": "Mixed@case.example"})
    stripe.v1.customers.update(made.id, params={"email": "moved@case.example"})

    assert stripe.v1.customers.list(params={"email": "mixed@case.example"}).data == []
    assert stripe.v1.customers.list(params={"email": "Mixed@case.example"}).data == []
    assert [c.id for c in stripe.v1.customers.list(params={"email": "moved@case.example"}).data] == [made.id]


def test_tax_ids_come_with_the_customer(stripe: Any) -> None:
    made = stripe.v1.customers.create(params={"tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}]})

    assert [t.value for t in stripe.v1.customers.tax_ids.list(made.id).data] == ["DE123456789"]


def test_a_product_id_is_the_callers_and_unique(stripe: Any) -> None:
    made = stripe.v1.products.create(params={"id": "SKU-1", "name": "One"})
    with pytest.raises(sdk.InvalidRequestError) as refused:
        stripe.v1.products.create(params={"id": "SKU-1", "name": "Another"})

    assert made.id == "SKU-1"
    assert (refused.value.code, refused.value.param) == ("resource_already_exists", "id")
    assert stripe.v1.products.update("SKU-1", params={"name": "Uno", "active": False}).name == "Uno"
    assert [p.id for p in stripe.v1.products.list(params={"ids": ["SKU-1", "PLAT-ANNUAL"], "active": True}).data] == [
        "PLAT-ANNUAL"
    ]
    assert stripe.v1.products.delete("SKU-1").deleted


def test_a_product_with_prices_stays(stripe: Any) -> None:
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.products.delete("PLAT-ANNUAL")


def test_a_lookup_key_moves_only_when_told_to(stripe: Any) -> None:
    old = stripe.v1.prices.list(params={"lookup_keys": ["PLAT-ANNUAL/usd"], "expand": ["data.product"]}).data[0]
    new = {"product": "PLAT-ANNUAL", "currency": "usd", "unit_amount": 130000, "recurring": {"interval": "year"}}
    with pytest.raises(sdk.InvalidRequestError) as refused:
        stripe.v1.prices.create(params={**new, "lookup_key": "PLAT-ANNUAL/usd"})
    made = stripe.v1.prices.create(params={**new, "lookup_key": "PLAT-ANNUAL/usd", "transfer_lookup_key": True})

    assert refused.value.code == "resource_already_exists"
    assert [p.id for p in stripe.v1.prices.list(params={"lookup_keys": ["PLAT-ANNUAL/usd"]}).data] == [made.id]
    assert stripe.v1.prices.retrieve(old.id).lookup_key is None


def test_amounts_with_fractions_are_decimal_text_only(stripe: Any) -> None:
    made = stripe.v1.prices.create(params={"product": "API-USAGE", "currency": "usd", "unit_amount_decimal": Decimal("0.0125")})

    assert made.unit_amount is None
    assert made.unit_amount_decimal == Decimal("0.0125")


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"unit_amount": "1", "unit_amount_decimal": "1"}, "unit_amount_decimal"),
        ({}, "unit_amount"),
        ({"unit_amount": "1", "currency": "dollars"}, "currency"),
        ({"unit_amount": "1", "product": "none"}, "product"),
        ({"unit_amount": "1", "recurring[interval]": "month", "recurring[usage_type]": "metered"}, "recurring[meter]"),
        ({"unit_amount": "1", "recurring[interval]": "fortnight"}, "recurring[interval]"),
        ({"unit_amount_decimal": "0.1234567890123"}, "unit_amount_decimal"),
        ({"unit_amount": "1", "tiers_mode": "graduated"}, "tiers_mode"),
    ],
)
def test_prices_that_make_no_sense_are_refused(sandbox: Any, params: dict[str, str], param: str) -> None:
    answer = sandbox.post("/v1/prices", {"product": "PLAT-ANNUAL", "currency": "usd", **params})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_a_tax_rate_keeps_its_percentage(stripe: Any) -> None:
    made = stripe.v1.tax_rates.create(params={"display_name": "VAT", "percentage": 8.875, "inclusive": False, "country": "US"})
    changed = stripe.v1.tax_rates.update(made.id, params={"active": False})

    assert (made.percentage, changed.active) == (8.875, False)
    assert [r.id for r in stripe.v1.tax_rates.list(params={"active": False}).data] == [made.id]
