"""JSON as Salesforce writes it, with exact numbers: a Decimal goes out digit for digit and never through a float."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any


class NotJson(ValueError):
    """The body cannot be read as JSON."""


def dumps(value: Any) -> bytes:
    out: list[str] = []
    _write(value, out.append)
    return "".join(out).encode("ascii")


def _write(value: Any, out: Callable[[str], None]) -> None:
    match value:
        case str():
            out(quoted(value))
        case None:
            out("null")
        case bool():
            out("true" if value else "false")
        case int():
            out(str(value))
        case Decimal():
            out(format(value, "f"))
        case dict():
            _write_object(value, out)
        case list() | tuple():
            separator = "["
            for item in value:
                out(separator)
                _write(item, out)
                separator = ","
            out("]" if value else "[]")
        case _:
            raise TypeError(f"{type(value).__name__} is not JSON")


def _write_object(value: dict[str, Any], out: Callable[[str], None]) -> None:
    separator = "{"
    for key, item in value.items():
        out(separator)
        out(quoted(key))
        out(":")
        if item.__class__ is str:
            out(quoted(item))
        else:
            _write(item, out)
        separator = ","
    out("}" if value else "{}")


def loads(raw: bytes) -> Any:
    """JSON with Decimal for every number that has a point; NotJson for anything else, NaN and infinities included."""
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"Unexpected character in {constant}")


def stamp(moment: datetime) -> str:
    """`2026-01-05T09:30:00.000+0000`; stored stamps compare as text because all are UTC and of one width."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def moment(stamped: str) -> datetime:
    return datetime.strptime(stamped, "%Y-%m-%dT%H:%M:%S.%f%z")


def http_date(stamped: str) -> str:
    return format_datetime(moment(stamped), usegmt=True)


def from_http_date(header: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(header)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
