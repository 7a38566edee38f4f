"""JSON with exact numbers, both ways: a Decimal is sent digit by digit and read as one, and no binary float gets through."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]


def encoded(value: Any) -> str:
    """Raises TypeError for what has no exact JSON form: floats, and Decimals that are no number."""
    match value:
        case Mapping():
            return "{" + ",".join(f"{json.dumps(name)}:{encoded(one)}" for name, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(encoded, value)) + "]"
        case Decimal() if value.is_finite():
            return format(value, "f")
        case str() | bool() | int() | None:
            return json.dumps(value)
    raise TypeError(f"{type(value).__name__} has no exact form in JSON")


def decoded(content: bytes) -> Body | None:
    """The object in a body; None if there is none."""
    try:
        found = json.loads(content, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError):
        return None
    return found if isinstance(found, dict) else None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
