"""Bundles: the parts share the price to the cent, in whatever order they come."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.models.catalog import ChargeKind
from contracts.models.money import Money
from kernel.problem import Unmapped
from process_apis.quotes.lines import SoldLine, allocate_bundles, bundle_parts, line_amount, sold_lines

currencies = st.sampled_from(["EUR", "JPY", "KWD"])
prices = st.decimals("0.01", "9999", places=2)
contents = st.dictionaries(st.sampled_from("ABCDEFG"), st.tuples(st.integers(1, 50), prices), min_size=1)


def parts_of(total, contents, number=0):
    return [
        SoldLine(f"L{number}-{sku}", number, sku, quantity, ChargeKind.ANNUAL, None, None, "BUNDLE", total)
        for sku, (quantity, _) in contents.items()
    ]


def standalone(contents):
    return {sku: price for sku, (_, price) in contents.items()}


@given(contents, st.integers(0, 10**9))
def test_the_parts_of_a_bundle_add_up_to_its_price(contents, units):
    total = Money.from_minor(units, "EUR")
    lines = allocate_bundles(parts_of(total, contents), standalone(contents))

    assert sum(line.amount.minor for line in lines) == units


@given(contents, st.integers(0, 10**9), st.randoms(use_true_random=False))
def test_the_order_of_the_parts_does_not_matter(contents, units, dice):
    parts = parts_of(Money.from_minor(units, "EUR"), contents)
    shuffled = list(parts)
    dice.shuffle(shuffled)
    shares = {line.sku: line.amount for line in allocate_bundles(parts, standalone(contents))}

    assert {line.sku: line.amount for line in allocate_bundles(shuffled, standalone(contents))} == shares


@given(contents, contents, st.integers(0, 10**7), st.integers(0, 10**7))
def test_each_bundle_shares_its_own_price(one, other, first, second):
    totals = [Money.from_minor(first, "EUR"), Money.from_minor(second, "EUR")]
    lines = parts_of(totals[0], one, 0) + parts_of(totals[1], other, 1)
    shared = allocate_bundles(lines, {**standalone(one), **standalone(other)})

    for number, total in enumerate(totals):
        assert sum(line.amount.minor for line in shared if line.number == number) == total.minor


@given(contents, st.integers(1, 10**9))
def test_a_part_without_a_price_leaves_the_whole_bundle_unshared(contents, units):
    prices = standalone(contents)
    prices.pop(next(iter(prices)))
    lines = allocate_bundles(parts_of(Money.from_minor(units, "EUR"), contents), prices)

    assert {line.amount for line in lines} == {None}


def test_the_price_is_shared_by_stand_alone_prices():
    contents = {"PLAT": (1, Decimal("1100.00")), "SVC": (10, Decimal("140.00"))}
    lines = allocate_bundles(parts_of(Money.of("2300.00", "EUR"), contents), standalone(contents))

    assert {line.sku: str(line.amount) for line in lines} == {"PLAT": "1012.00 EUR", "SVC": "1288.00 EUR"}


@given(st.integers(1, 1000), prices, currencies)
def test_a_line_amount_is_within_half_a_unit_of_the_product(quantity, price, currency):
    amount = line_amount(quantity, price, currency)
    unit = Money.from_minor(1, currency).amount

    assert abs(amount.amount - quantity * price) <= unit / 2


@pytest.mark.parametrize(("price", "amount"), [("0.005", "0.01"), ("0.0149", "0.01"), ("2.675", "2.68")])
def test_half_a_cent_is_rounded_up(price, amount):
    assert str(line_amount(1, Decimal(price), "EUR").amount) == amount


skus = st.text("ABC-:1", min_size=1, max_size=8).filter(lambda sku: "," not in sku)


@given(st.dictionaries(skus, st.integers(1, 999), min_size=1, max_size=5))
def test_contents_read_as_they_are_written(parts):
    assert bundle_parts("B", ", ".join(f"{sku}:{quantity}" for sku, quantity in parts.items())) == parts


@pytest.mark.parametrize("text", [None, "", "A", "A:", ":1", "A:x", "A:0", "A:-1", "A:1,", "A:1, A:2", "A:1.5"])
def test_contents_that_cannot_be_read_are_named_with_their_mapping(text):
    with pytest.raises(Unmapped, match="the contents of the bundle B are") as refused:
        bundle_parts("B", text)

    assert refused.value.field == "quote.lines"
    assert "add the mapping bundle 'B'" in str(refused.value.fix)


async def test_a_bundle_is_replaced_by_its_parts_under_its_own_number(world):
    found = await sold_lines(world.quote("Q-1010"), world.book.mappings, date(2026, 6, 15))

    assert [(line.number, line.sku, line.quantity, line.charge, line.bundle) for line in found] == [
        (0, "PLAT-ANNUAL", 1, ChargeKind.ANNUAL, "BUNDLE-START"), (0, "ONBOARD-SVC", 10, ChargeKind.SERVICE, "BUNDLE-START"),
    ]  # fmt: skip
    assert {line.bundle_total for line in found} == {Money.of("2300.00", "EUR")}


async def test_a_plain_line_keeps_its_price_and_has_its_amount(world):
    found = await sold_lines(world.quote("Q-1003"), world.book.mappings, date(2026, 6, 15))

    assert [(line.sku, str(line.unit_price), str(line.amount)) for line in found] == [
        ("PLAT-ANNUAL", "1200.00", "12000.00 USD"), ("API-USAGE", "0.02", "0.02 USD"),
        ("ONBOARD-SVC", "150.00", "3000.00 USD"), ("SENSOR-X1", "89.50", "3580.00 USD"),
    ]  # fmt: skip


async def test_what_is_not_mapped_that_day_has_no_charge(world):
    found = await sold_lines(world.quote("Q-1003"), world.book.mappings, date(2025, 12, 31))

    assert {line.charge for line in found} == {None}
