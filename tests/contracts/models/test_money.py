"""Rules 1 and 2: money is exact, currencies do not mix, an allocation loses no unit."""

from decimal import Decimal

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.models.money import CurrencyMismatch, Money, allocate, exponent

currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF"])
units = st.integers(-(10**12), 10**12)
amounts = st.builds(Money.from_minor, units, currencies)
weights = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(0, 10**6), min_size=1, max_size=12).filter(
    lambda found: sum(found.values()) > 0
)


@given(amounts)
def test_what_is_written_reads_the_same(money):
    assert Money.parse(str(money)) == money
    assert Money.model_validate_json(money.model_dump_json()) == money


@given(units, currencies)
def test_minor_units_go_there_and_back(number, currency):
    assert Money.from_minor(number, currency).minor == number


@pytest.mark.parametrize("wrong", ['{"amount": 12.3, "currency": "EUR"}', '{"amount": true, "currency": "EUR"}'])
def test_a_json_number_is_refused_as_an_amount(wrong):
    with pytest.raises(ValidationError, match="as a string"):
        Money.model_validate_json(wrong)


@pytest.mark.parametrize("wrong", ["12.345", "NaN", "Infinity", "1e999"])
def test_more_decimals_than_the_currency_has_and_what_is_no_number_are_refused(wrong):
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": wrong, "currency": "EUR"})


@given(amounts, amounts)
def test_two_currencies_never_add_up(one, other):
    if one.currency == other.currency:
        assert (one + other) - other == one
    else:
        for operation in (one.__add__, one.__sub__, one.__lt__, one.__le__):
            with pytest.raises(CurrencyMismatch):
                operation(other)


def test_exponents_are_those_of_cldr():
    fractions = get_global("currency_fractions")
    active = ["EUR", "USD", "GBP", "JPY", "KRW", "CLP", "VND", "BHD", "KWD", "TND", "OMR", "JOD", "ISK", "UGX", "XOF", "PYG"]

    assert {code: exponent(code) for code in active} == {code: fractions.get(code, fractions["DEFAULT"])[0] for code in active}


@given(amounts, weights)
def test_the_parts_of_an_allocation_add_up_to_the_whole(total, shares):
    parts = allocate(total, shares)

    assert sum(part.minor for part in parts.values()) == total.minor
    assert parts.keys() == shares.keys()


@given(amounts, weights)
def test_each_part_is_within_one_unit_of_its_exact_share(total, shares):
    whole = sum(shares.values())
    for line, part in allocate(total, shares).items():
        exact = Decimal(total.minor) * shares[line] / whole
        assert abs(part.minor - exact) < 1


@given(amounts, weights)
def test_an_allocation_is_symmetric_in_sign(total, shares):
    assert allocate(-total, shares) == {line: -part for line, part in allocate(total, shares).items()}


@given(amounts, weights, st.randoms())
def test_the_order_of_lines_does_not_matter(total, shares, dice):
    shuffled = list(shares.items())
    dice.shuffle(shuffled)

    assert allocate(total, dict(shuffled)) == allocate(total, shares)


@pytest.mark.parametrize("shares", [{"a": 0}, {"a": -1, "b": 2}])
def test_weights_that_mean_nothing_are_refused(shares):
    with pytest.raises(ValueError, match="weights"):
        allocate(Money.of(1, "EUR"), shares)
