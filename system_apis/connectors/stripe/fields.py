"""One object of Stripe's, read field by field: what is missing or of another type is a BadPlatformAnswer, never a guess."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from kernel.problem import BadPlatformAnswer

T = TypeVar("T")


@dataclass(frozen=True)
class Fields:
    """A wire object; `system` is the connection it came over, `name` what to call it in a complaint."""

    wire: Mapping[str, Any]
    system: str
    name: str

    def text(self, field: str) -> str:
        return self._required(field, self.optional_text(field))

    def optional_text(self, field: str) -> str | None:
        """None for null, absent and empty alike: Stripe unsets by sending an empty text."""
        return self._of(field, str) or None

    def integer(self, field: str) -> int:
        return self._required(field, self._of(field, int))

    def flag(self, field: str) -> bool:
        return self._required(field, self._of(field, bool))

    def object(self, field: str) -> "Fields":
        return self._required(field, self.optional_object(field))

    def optional_object(self, field: str) -> "Fields | None":
        found = self._of(field, dict)
        return None if found is None else Fields(found, self.system, f"{self.name}.{field}")

    def listed(self, field: str) -> "list[Fields]":
        """The objects of an embedded list, of which Stripe embeds the first page."""
        data = self.object(field).wire.get("data")
        if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
            raise self.odd(f"{field}.data")
        return [Fields(one, self.system, f"{self.name}.{field}[]") for one in data]

    def decimal(self, field: str) -> Decimal:
        """An exact number that Stripe writes as text, such as `unit_amount_decimal`."""
        try:
            found = Decimal(self.text(field))
        except InvalidOperation:
            raise self.odd(field) from None
        if not found.is_finite():
            raise self.odd(field)
        return found

    def instant(self, field: str) -> datetime:
        return self._required(field, self.optional_instant(field))

    def optional_instant(self, field: str) -> datetime | None:
        """Unix seconds as UTC."""
        seconds = self._of(field, int)
        try:
            return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            raise self.odd(field) from None

    def odd(self, field: str) -> BadPlatformAnswer:
        return BadPlatformAnswer(f"Stripe: {self.name}.{field} is missing or not of its documented form", system=self.system)

    def _of(self, field: str, kind: type[T]) -> T | None:
        found = self.wire.get(field)
        if found is not None and (not isinstance(found, kind) or (kind is int and isinstance(found, bool))):
            raise self.odd(field)
        return found

    def _required(self, field: str, found: T | None) -> T:
        if found is None:
            raise self.odd(field)
        return found
