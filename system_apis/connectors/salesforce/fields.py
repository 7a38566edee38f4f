"""One record of Salesforce's, read field by field: what is missing or of another type is a BadPlatformAnswer, never a guess."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, TypeVar

from system_apis.connectors.salesforce.ids import record_id
from system_apis.wire import WireObject

T = TypeVar("T")


@dataclass(frozen=True)
class Fields(WireObject):
    """A record. A field named "" is one that the org has not; any other was asked for, so its absence is odd."""

    vendor: ClassVar[str] = "Salesforce"

    def optional_text(self, field: str) -> str | None:
        """None for null and for nothing but white space, which people leave behind."""
        found = self._of(field, str)
        return None if found is None else found.strip() or None

    def optional_day(self, field: str) -> date | None:
        found = self.optional_text(field)
        try:
            return None if found is None else date.fromisoformat(found)
        except ValueError:
            raise self.odd(field) from None

    def id(self, field: str = "Id") -> str:
        """The 18-character form."""
        return self._required(field, self.optional_id(field))

    def optional_id(self, field: str) -> str | None:
        found = self.optional_text(field)
        checked = None if found is None else record_id(found)
        if found is not None and checked is None:
            raise self.odd(field)
        return checked

    def parent(self, field: str) -> "Fields | None":
        """The record that a relationship leads to; None where it leads nowhere."""
        found = self._of(field, dict)
        return None if found is None else Fields(found, self.system, f"{self.name}.{field}")

    def children(self, field: str) -> "list[Fields]":
        """The records of a sub-query, whose result is null when there are none."""
        found = self._of(field, dict)
        records = [] if found is None else found.get("records")
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise self.odd(field)
        return [Fields(one, self.system, f"{self.name}.{field}[]") for one in records]

    def _of(self, field: str, kind: type[T]) -> T | None:
        if not field:
            return None
        found = self.wire.get(field, ...)
        if found is None:
            return None
        if found is ... or not isinstance(found, kind):
            raise self.odd(field)
        return found
