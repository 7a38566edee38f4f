"""Actual use in the database, that of all processes together."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement

from contracts.models.consumption import Consumption, FieldUseLine
from gateway.consumption.tables import field_use
from gateway.counted import DayBook
from kernel.db import Database

Line = tuple[str, str, str, str, str, str, str]  # as the table's key


@dataclass(frozen=True)
class Wanted:
    """Which use is asked for; None: any. `api`: process/quotes or process/quotes/v1; `since` is a day, included."""

    api: str | None = None
    client: str | None = None
    partner: str | None = None
    operation: str | None = None
    since: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        equal = {"client": self.client, "partner": self.partner, "operation": self.operation}
        found: list[ColumnElement[bool]] = [field_use.c[name] == value for name, value in equal.items() if value is not None]
        found += [field_use.c.operation.startswith(beginning(self.api), autoescape=True)] if self.api else []
        return found + ([field_use.c.day >= self.since.isoformat()] if self.since else [])


class FieldUseBook(DayBook[Line]):
    """The table and its pages."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, field_use)

    async def page(self, wanted: Wanted, most: Wanted, cursor: str | None, limit: int) -> Consumption:
        """Of the most that may be seen what is wanted, the latest day first. Raises Invalid for a cursor that is none."""
        rows, more = await self.rows([*wanted.conditions(), *most.conditions()], cursor, limit)
        return Consumption(items=[_line(row) for row in rows], next=more)


def beginning(api: str) -> str:
    """Of every operation of an API: `process.quotes.v1.` of process/quotes/v1."""
    return f"{api.replace('/', '.')}."


def _line(row: Any) -> FieldUseLine:
    return FieldUseLine(
        day=row.day, client_id=row.client, partner=row.partner or None, operation=row.operation, version=row.version,
        part=row.part, field=row.field or None, calls=row.calls,
    )  # fmt: skip
