"""A written value must have its field's type exactly; what Salesforce takes as empty (an empty text) is stored as null."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.salesforce import ids, wire
from sandbox.salesforce.errors import ApiError, parse_error
from sandbox.salesforce.schema import NUMERIC, TEXT, Field

NUMBER_LIMIT = Decimal(10) ** 16  # 18 digits, two of them after the point
SMALLEST_DIGIT = 18  # places after the point that are kept
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def typed(field: Field, value: Any) -> Any:
    """The stored form of a written value; ApiError names the field when it cannot be one of its type."""
    if value is None or value == "":
        return None
    if field.type in NUMERIC:
        return _number(field, value)
    if field.type in TEXT:
        return _text(field, value)
    return _OTHERS[field.type](field, value)


def _number(field: Field, value: Any) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise _cannot(field, value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _cannot(field, value) from None
    if not number.is_finite():
        raise _cannot(field, value)
    if abs(number) >= NUMBER_LIMIT:
        raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"{field.name}: value outside of valid range", [field.name])
    if number.as_tuple().exponent < -SMALLEST_DIGIT:  # type: ignore[operator]  # finite, so an int
        number = round(number, SMALLEST_DIGIT)
    if field.type == "int":
        if number != number.to_integral_value():
            raise _cannot(field, value)
        return int(number)
    return number


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _cannot(field, value)
    if len(value) > field.length:
        shown = f"{field.name}: data value too large: {value[:255]} (max length={field.length})"
        raise ApiError(400, "STRING_TOO_LONG", shown, [field.name])
    if field.values and value not in field.values:
        shown = f"{field.name}: bad value for restricted picklist field: {value}"
        raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", shown, [field.name])
    if field.type == "email" and not EMAIL.fullmatch(value):
        raise ApiError(400, "INVALID_EMAIL_ADDRESS", f"{field.name}: invalid email address: {value}", [field.name])
    return value


def _boolean(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _cannot(field, value)
    return value


def _date(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _cannot(field, value)
    try:
        return date.fromisoformat(value[:10]).isoformat() if re.match(r"\d{4}-\d\d-\d\d(T.*)?$", value) else _never()
    except ValueError:
        raise _cannot(field, value) from None


def _datetime(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _cannot(field, value)
    try:
        return wire.stamp(datetime.fromisoformat(value))
    except ValueError:
        raise _cannot(field, value) from None


def _reference(field: Field, value: Any) -> str:
    found = ids.full(value) if isinstance(value, str) else None
    if found is None:
        raise ApiError(400, "MALFORMED_ID", f"{field.name}: id value of incorrect type: {value}", [field.name])
    return found


def _cannot(field: Field, value: Any) -> ApiError:
    kinds = {str: "VALUE_STRING", bool: f"VALUE_{str(value).upper()}", int: "VALUE_NUMBER_INT", Decimal: "VALUE_NUMBER_FLOAT"}
    kind = kinds.get(type(value), "START_OBJECT" if isinstance(value, dict) else "START_ARRAY")
    shown = value if isinstance(value, str | int | Decimal) else ""
    return parse_error(
        f"Cannot deserialize instance of {field.type} from {kind} value {shown} or request may be missing a required field"
    )


def _never() -> str:
    raise ValueError


_OTHERS: dict[str, Callable[[Field, Any], Any]] = {
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
    "id": _reference,
}
