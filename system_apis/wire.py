"""A platform's object, read field by field: what is missing or of another type is a BadPlatformAnswer, never a guess.

Each connector's `fields.py` adds the forms that only its platform has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from kernel.problem import BadPlatformAnswer

T = TypeVar("T")


@dataclass(frozen=True)
class WireObject:
    """`system` is the connection it came over, `name` what to call it in a complaint."""

    vendor: ClassVar[str]

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

    def integer(self, field: str) -> int:
        return self._required(field, self._of(field, int))

    def number(self, field: str) -> Decimal:
        """A JSON number, exact."""
        return self._required(field, self.optional_number(field))

    def optional_number(self, field: str) -> Decimal | None:
        found = self._of(field, object)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | Decimal):
            raise self.odd(field)
        return Decimal(found)

    def odd(self, field: str) -> BadPlatformAnswer:
        detail = f"{self.vendor}: {self.name}.{field} is missing or not of its documented form"
        return BadPlatformAnswer(detail, system=self.system)

    def _of(self, field: str, kind: type[T]) -> T | None:
        found = self.wire.get(field)
        if found is not None and (not isinstance(found, kind) or (kind is int and isinstance(found, bool))):
            raise self.odd(field)
        return found

    def _required(self, field: str, found: T | None) -> T:
        if found is None:
            raise self.odd(field)
        return found
