"""JSON with exact numbers: what was sent as 0.10 is kept and answered as 0.10, never through a binary float."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from json.encoder import encode_basestring_ascii
from typing import Any, cast

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
LARGEST = 15  # digits before the point that a number field takes
FINEST = 10  # digits after the point


class NotJson(ValueError):
    """The body is not a JSON document."""


def _no_constant(name: str) -> Any:
    raise NotJson(name)


def read(body: bytes) -> Any:
    """The document in a body, fractions as Decimal; raises NotJson."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, ArithmeticError) as broken:
        raise NotJson("not a JSON document") from broken


def number(value: Any) -> Decimal | None:
    """A JSON number as Decimal; None if it is no number or out of the range that fields take."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    exact = Decimal(value)
    exponent = cast(int, exact.as_tuple().exponent)
    return exact if exact.adjusted() < LARGEST and exponent >= -FINEST else None


def cents(value: Decimal) -> Decimal:
    """Rounded half up to the currency's cents."""
    return value.quantize(CENT, ROUND_HALF_UP)


def day(value: date) -> str:
    """A date as SuiteQL and filters write it: 2/1/2026."""
    return f"{value.month}/{value.day}/{value.year}"


def instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text(value: Any) -> str:
    """A value as JSON text."""
    match value:
        case str():
            return encode_basestring_ascii(value)
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)
        case Mapping():
            return "{" + ",".join(f"{encode_basestring_ascii(k)}:{text(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(text, value)) + "]"
        case datetime():
            return f'"{instant(value)}"'
        case date():
            return f'"{value.isoformat()}"'
    raise TypeError(f"{type(value).__name__} has no JSON form")
