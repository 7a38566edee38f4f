"""A record or a row of NetSuite's, read field by field: what is missing or of another form is a BadPlatformAnswer, never a guess.

record/v1 answers JSON types and objects for references; every value of SuiteQL is a text, its booleans are T and F.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from system_apis.wire import WireObject

LARGEST = 18  # digits before the point that a number of NetSuite's may have
_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


@dataclass(frozen=True)
class Fields(WireObject):
    """A record, or a row of SuiteQL."""

    vendor: ClassVar[str] = "NetSuite"

    def optional_number(self, field: str) -> Decimal | None:
        found = super().optional_number(field)
        return None if found is None else self._bounded(field, found)

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

    def _bounded(self, field: str, found: Decimal) -> Decimal:
        if not found.is_finite() or (found and found.adjusted() >= LARGEST):
            raise self.odd(field)
        return found
