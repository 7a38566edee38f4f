"""A record or a row of NetSuite's, read field by field: what is missing or of another form is a BadPlatformAnswer, never a guess.

record/v1 answers JSON types and objects for references; every value of SuiteQL is a text, its booleans are T and F.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from kernel.problem import BadPlatformAnswer

T = TypeVar("T")
LARGEST = 18  # digits before the point that a number of NetSuite's may have
_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


@dataclass(frozen=True)
class Fields:
    """A wire object; `system` is the connection it came over, `name` what to call it in a complaint."""

    wire: Mapping[str, Any]
    system: str
    name: str

    def text(self, field: str) -> str:
        return self._required(field, self.optional_text(field))

    def optional_text(self, field: str) -> str | None:
        """None for null, absent and empty alike."""
        return self._of(field, str) or None

    def flag(self, field: str) -> bool:
        return self._required(field, self._of(field, bool))

    def optional_flag(self, field: str) -> bool | None:
        return self._of(field, bool)

    def number(self, field: str) -> Decimal:
        """A JSON number, exact."""
        return self._required(field, self.optional_number(field))

    def optional_number(self, field: str) -> Decimal | None:
        found = self.wire.get(field)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | Decimal):
            raise self.odd(field)
        return self._bounded(field, Decimal(found))

    def reference(self, field: str) -> str:
        """The id of a reference or of an enumeration's value: {"id": "1", "refName": …}."""
        found = self._required(field, self._of(field, dict)).get("id")
        if not isinstance(found, str) or not found:
            raise self.odd(field)
        return found

    def lines(self, sublist: str) -> "list[Fields]":
        """The lines of an expanded sublist, all of them."""
        found = self._required(sublist, self._of(sublist, dict))
        items = found.get("items")
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items) or found.get("hasMore") is True:
            raise self.odd(f"{sublist}.items")
        return [Fields(one, self.system, f"{self.name}.{sublist}[]") for one in items]

    def decimal(self, field: str) -> Decimal:
        return self._required(field, self.optional_decimal(field))

    def optional_decimal(self, field: str) -> Decimal | None:
        """A number that SuiteQL wrote as text."""
        text = self.optional_text(field)
        try:
            return None if text is None else self._bounded(field, Decimal(text))
        except InvalidOperation:
            raise self.odd(field) from None

    def truth(self, field: str) -> bool:
        """SuiteQL's T or F."""
        match self.text(field):
            case "T":
                return True
            case "F":
                return False
        raise self.odd(field)

    def day(self, field: str) -> date:
        """SuiteQL's M/D/YYYY. Days before months, as a user may prefer them, are caught where they make no date."""
        shape = _DAY.fullmatch(self.text(field))
        try:
            month, day, year = (int(part) for part in shape.groups()) if shape else (0, 0, 0)
            return date(year, month, day)
        except ValueError:
            raise self.odd(field) from None

    def odd(self, field: str) -> BadPlatformAnswer:
        return BadPlatformAnswer(f"NetSuite: {self.name}.{field} is missing or not of its documented form", system=self.system)

    def _bounded(self, field: str, found: Decimal) -> Decimal:
        if not found.is_finite() or (found and found.adjusted() >= LARGEST):
            raise self.odd(field)
        return found

    def _of(self, field: str, kind: type[T]) -> T | None:
        found = self.wire.get(field)
        if found is not None and not isinstance(found, kind):
            raise self.odd(field)
        return found

    def _required(self, field: str, found: T | None) -> T:
        if found is None:
            raise self.odd(field)
        return found
