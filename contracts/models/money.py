"""Money is an exact decimal with an ISO 4217 currency; it never meets a binary float and never loses a unit.

Exponents are those of ISO 4217 (Babel's CLDR table is the check in the tests).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from contracts.models.base import Model

# ISO 4217 currencies whose minor unit is not 1/100.
_EXPONENTS: Mapping[str, int] = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code", examples=["EUR"])]


def _exact(value: Any) -> Any:
    if isinstance(value, float | bool):
        raise ValueError("send the amount as a string such as '12.30', not as a JSON number")
    return value


Amount = Annotated[
    Decimal,
    Field(max_digits=30, decimal_places=12, allow_inf_nan=False),
    BeforeValidator(_exact),
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]{1,18}([.][0-9]{1,12})?$", "maxLength": 32, "examples": ["12.30"]}),
]


class CurrencyMismatch(ValueError):
    """Two currencies met where only one may be."""


def exponent(currency: str) -> int:
    """Digits after the decimal point of the currency's minor unit: 2 for most, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


class Money(Model):
    """An amount of a currency, e.g. {"amount": "12.30", "currency": "EUR"}; more decimals than the minor unit are refused."""

    amount: Amount
    currency: Currency

    @model_validator(mode="after")
    def _whole_minor_units(self) -> Self:
        if self.amount != round(self.amount, exponent(self.currency)):
            raise ValueError(f"{self.currency} has {exponent(self.currency)} decimals")
        object.__setattr__(self, "amount", round(self.amount, exponent(self.currency)))
        return self

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> Self:
        return cls(amount=Decimal(amount), currency=currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls.of(0, currency)

    @classmethod
    def from_minor(cls, units: int, currency: str) -> Self:
        """From integer minor units: 1230 EUR is 12.30 euro, 1230 JPY is 1230 yen."""
        return cls.of(Decimal(units).scaleb(-exponent(currency)), currency)

    @property
    def minor(self) -> int:
        """Integer minor units."""
        return int(self.amount.scaleb(exponent(self.currency)))

    def __add__(self, other: "Money") -> "Money":
        return Money.of(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money.of(self.amount - self._same(other).amount, self.currency)

    def __neg__(self) -> "Money":
        return Money.of(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other).amount

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} met {other.currency}")
        return other

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of str(): "12.30 EUR"."""
        amount, currency = text.rsplit(" ", 1)
        return cls.of(amount, currency)


def allocate(total: Money, weights: Mapping[str, int]) -> dict[str, Money]:
    """Splits a total over line ids by weight, to the unit: largest remainder first, ties by line id, sign-symmetric.

    Weights are non-negative integers, at least one positive.
    """
    whole = sum(weights.values())
    if whole <= 0 or min(weights.values()) < 0:
        raise ValueError("weights are not negative and their sum is positive")
    sign = -1 if total.minor < 0 else 1
    units = abs(total.minor)
    shares = {line: divmod(units * weight, whole) for line, weight in weights.items()}
    left = units - sum(share for share, _ in shares.values())
    by_remainder = sorted(shares, key=lambda line: (-shares[line][1], line))
    extra = set(by_remainder[:left])
    return {line: Money.from_minor(sign * (share + (line in extra)), total.currency) for line, (share, _) in shares.items()}
