"""Stripe's integer amounts and our money, exactly: an amount that does not fit is refused, never rounded.

Stripe's minor units are ISO 4217's but for a few currencies. https://docs.stripe.com/currencies#zero-decimal
"""

from collections.abc import Mapping
from decimal import Decimal

from contracts.models.money import Money

_DECIMALS: Mapping[str, int] = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 3),
}


class Unchargeable(ValueError):
    """An amount that Stripe's smallest unit of the currency cannot express."""


def decimals(currency: str) -> int:
    """Digits of Stripe's smallest unit. ISK and UGX are sent with two, although they have no minor unit in use."""
    return _DECIMALS.get(currency, 2)


def money(units: int, currency: str) -> Money:
    """From Stripe's integer; raises ValueError where ISO 4217 has fewer decimals than the amount needs."""
    return Money.of(major(Decimal(units), currency), currency)


def major(units: Decimal, currency: str) -> Decimal:
    """Stripe's units, possibly a fraction of one, as units of the currency: 2.5 (EUR) is 0.025."""
    return units.scaleb(-decimals(currency))


def units(amount: Money) -> int:
    """Stripe's integer; raises Unchargeable."""
    exact = amount.amount.scaleb(decimals(amount.currency))
    if exact != exact.to_integral_value():
        raise Unchargeable(f"Stripe charges {amount.currency} in units of {Decimal(1).scaleb(-decimals(amount.currency))}")
    return int(exact)
