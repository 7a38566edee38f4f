"""Mappings are effective-dated and never overwritten: a new one ends the old, and each names who wrote it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, update

from contracts.models.master_data import ANY, Mapping, MappingKind, NewMapping
from kernel.clock import Clock
from kernel.db import Database, aware
from kernel.problem import Conflict
from master_data.tables import mapping as table
from master_data.turns import take_turn


class MappingBook:
    """What is called what where, on a given day."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def resolve(self, kind: MappingKind, sources: Iterable[str], connection: str, on: date) -> dict[str, str]:
        """The targets of those sources that are mapped that day; a mapping for the connection itself outranks one for any."""
        wanted = sorted(set(sources))
        query = (
            select(table.c.source, table.c.target, table.c.connection)
            .where(table.c.kind == kind.value, table.c.source.in_(wanted), table.c.connection.in_([connection, ANY]))
            .where(table.c.valid_from <= on, (table.c.valid_to.is_(None)) | (table.c.valid_to > on))
        )
        async with self._database.reading() as db:
            rows = (await db.execute(query)).all()
        general = {source: target for source, target, where in rows if where == ANY}
        return {**general, **{source: target for source, target, where in rows if where != ANY}}

    async def list(
        self, kind: MappingKind | None = None, source: str | None = None, limit: int | None = None
    ) -> Sequence[Mapping]:
        """Every version, by kind, source and connection, the newest of each first."""
        query = select(table).order_by(table.c.kind, table.c.source, table.c.connection, table.c.valid_from.desc()).limit(limit)
        if kind is not None:
            query = query.where(table.c.kind == kind.value)
        if source is not None:
            query = query.where(table.c.source == source)
        async with self._database.reading() as db:
            return [_mapping(dict(row)) for row in (await db.execute(query)).mappings()]

    async def add(self, new: NewMapping, author: str) -> Mapping:
        """Adds a version. It takes over from the one valid that day, or reaches until the next one begins."""
        same = (table.c.kind == new.kind.value, table.c.connection == new.connection, table.c.source == new.source)
        async with self._database.transaction() as db:
            await take_turn(db, f"mapping {new.kind.value} {new.connection} {new.source}")
            versions = (await db.execute(select(table).where(*same).order_by(table.c.valid_from))).mappings().all()
            standing = next((row for row in versions if row["valid_from"] == new.valid_from), None)
            if standing is not None:
                if standing["target"] == new.target:
                    return _mapping(dict(standing))
                raise _already(new, standing["target"])
            later = next((row["valid_from"] for row in versions if row["valid_from"] > new.valid_from), None)
            earlier = [row["id"] for row in versions if row["valid_from"] < new.valid_from]
            if earlier:
                await db.execute(update(table).where(table.c.id == earlier[-1]).values(valid_to=new.valid_from))
            values = {
                **new.model_dump(),
                "kind": new.kind.value,
                "valid_to": later,
                "author": author,
                "recorded_at": self._clock.now(),
            }
            made = await db.execute(table.insert().values(values).returning(table))
            return _mapping(dict(made.mappings().one()))


def _mapping(row: dict[str, Any]) -> Mapping:
    return Mapping.model_validate({**row, "recorded_at": aware(row["recorded_at"])})


def _already(new: NewMapping, target: str) -> Conflict:
    return Conflict(
        f"{new.kind.value} {new.source!r} already means {target!r} from {new.valid_from}", field="valid_from", system="trivium",
        fix="choose a later valid_from: what was valid on a day is never rewritten",
    )  # fmt: skip
