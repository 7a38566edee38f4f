"""Values in SuiteQL: how they compare, sort and read as text; a comparison with null never holds."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.netsuite.errors import query_error
from sandbox.netsuite.wire import day

# Oracle's date format words that TO_DATE takes here, longest first.
FORMATS = (("YYYY", "%Y"), ("HH24", "%H"), ("MM", "%m"), ("DD", "%d"), ("MI", "%M"), ("SS", "%S"))


def to_date(text: Any, form: Any) -> datetime | None:
    """TO_DATE: null stays null; raises INVALID_PARAMETER for text that is not in the format."""
    return None if text is None else _parsed(str(text), str(form))


def _parsed(text: str, form: str) -> datetime:
    pattern = form.upper()
    for word, code in FORMATS:
        pattern = pattern.replace(word, code)
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError:
        raise query_error(f'Search error occurred: Parse of date/time "{text}" failed with date format "{form}".') from None


def cased(function: str, found: Any) -> Any:
    return None if found is None else text(found).lower() if function == "LOWER" else text(found).upper()


def compare(operator: str, left: Any, right: Any) -> bool:
    """A comparison with null never holds."""
    if left is None or right is None:
        return False
    if operator == "LIKE":
        pattern = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in str(right))
        return re.fullmatch(pattern, text(left), re.DOTALL) is not None
    left, right = _alike(left, right)
    match operator:
        case "=":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case ">":
            return bool(left > right)
        case "<=":
            return bool(left <= right)
    return bool(left >= right)


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides in one type: dates win over text, numbers over text."""
    if isinstance(left, date) or isinstance(right, date):
        return _moment(left), _moment(right)
    if isinstance(left, Decimal) != isinstance(right, Decimal):
        return _number(left), _number(right)
    return (left, right) if isinstance(left, Decimal) else (str(left), str(right))


def _moment(found: Any) -> datetime:
    if isinstance(found, datetime):
        return found
    if isinstance(found, date):
        return datetime(found.year, found.month, found.day, tzinfo=UTC)
    return _parsed(str(found), "MM/DD/YYYY")


def _number(found: Any) -> Decimal:
    try:
        return found if isinstance(found, Decimal) else Decimal(str(found))
    except InvalidOperation:
        raise query_error(f"Search error occurred: {found!r} is not a number.") from None


def sortable(found: Any) -> tuple[bool, Any]:
    return (found is None, _moment(found) if isinstance(found, date) else "" if found is None else found)


def text(found: Any) -> str:
    match found:
        case Decimal():
            plain = format(found, "f")
            return plain.rstrip("0").rstrip(".") if "." in plain else plain
        case datetime() | date():
            return day(found)
    return str(found)
