"""Who was seen to use an API lately: by its fields where calls were looked at, by the count of its calls where none was."""

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, Table, inspect, select

from gateway.consumption.book import beginning
from gateway.consumption.fields import CALL
from gateway.consumption.tables import field_use
from gateway.partners.tables import usage
from kernel.db import Database


@dataclass
class Client:
    """One client with one operation. `fields`: top-level names it was seen with; `last`: the day of its last call."""

    client: str
    partner: str
    operation: str
    last: str
    fields: set[str] = field(default_factory=set)


async def seen_lately(database: Database, api: str, since: date) -> list[Client]:
    """By client and operation. `api`: process/quotes/v1; `since` is included. Refused calls count too: somebody still calls."""
    found: dict[tuple[str, str], Client] = {}
    async with database.reading() as connection:
        known = set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
        for table in (usage, field_use):
            if table.name not in known:  # a database of yesterday
                continue
            for row in await connection.execute(select(*_columns(table)).where(*_of(table, api, since)).distinct()):
                name = row.operation.removeprefix(beginning(api))
                one = found.setdefault((row.client, name), Client(row.client, row.partner, name, row.day))
                one.last = max(one.last, row.day)
                if table is field_use and row.part != CALL:
                    one.fields.add(row.field)
    return [found[key] for key in sorted(found)]


def _columns(table: Table) -> list[ColumnElement[str]]:
    names = ("day", "client", "partner", "operation", *(("part", "field") if table is field_use else ()))
    return [table.c[name] for name in names]


def _of(table: Table, api: str, since: date) -> tuple[ColumnElement[bool], ...]:
    return table.c.operation.startswith(beginning(api), autoescape=True), table.c.day >= since.isoformat()
