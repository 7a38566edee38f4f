"""One object of Stripe's, read field by field: what is missing or of another type is a BadPlatformAnswer, never a guess."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from system_apis.wire import WireObject


@dataclass(frozen=True)
class Fields(WireObject):
    """An object, or a part of one. Stripe unsets a text by making it empty."""

    vendor: ClassVar[str] = "Stripe"

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
