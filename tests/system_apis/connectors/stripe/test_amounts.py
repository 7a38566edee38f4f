from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.models.money import Money
from system_apis.connectors.stripe.amounts import Unchargeable, major, money, units


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [("12.30", "EUR", 1230), ("12.30", "USD", 1230), ("1230", "JPY", 1230), ("1.230", "KWD", 1230), ("-5.00", "EUR", -500)],
)
def test_amounts_are_sent_in_the_smallest_unit(amount: str, currency: str, sent: int) -> None:
    assert units(Money.of(amount, currency)) == sent
    assert money(sent, currency) == Money.of(amount, currency)


@pytest.mark.parametrize("currency", ["ISK", "UGX"])
def test_two_currencies_without_a_minor_unit_are_sent_with_two_decimals(currency: str) -> None:
    assert units(Money.of("150", currency)) == 15000
    assert money(15000, currency) == Money.of("150", currency)


def test_an_amount_that_our_money_cannot_hold_is_an_error_not_a_rounding() -> None:
    with pytest.raises(ValueError, match="ISK has 0 decimals"):
        money(150, "ISK")


def test_an_amount_that_stripe_cannot_charge_is_an_error_not_a_rounding() -> None:
    with pytest.raises(Unchargeable, match="MGA"):
        units(Money.of("0.20", "MGA"))


def test_prices_keep_fractions_of_the_smallest_unit() -> None:
    assert major(Decimal("0.000000000001"), "USD") == Decimal("0.00000000000001")
    assert major(Decimal("2.5"), "EUR") == Decimal("0.025")


@given(st.integers(-(10**11), 10**11), st.sampled_from(["EUR", "USD", "JPY", "KWD", "XOF"]))
def test_every_amount_survives_the_way_there_and_back(whole: int, currency: str) -> None:
    assert units(money(whole, currency)) == whole
