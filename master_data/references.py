"""Cross-references: one platform object per key, one key per platform object, decided by the database alone."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from contracts.models.master_data import CrossReference
from contracts.models.reference import Reference
from kernel.clock import Clock
from kernel.db import Database, aware
from kernel.problem import Conflict
from master_data.tables import cross_reference as table


class CrossReferenceBook:
    """Which object of which platform stands for a key."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def find(self, key: str, connection: str, kind: str) -> Reference | None:
        query = select(table).where(table.c.key == key, table.c.connection == connection, table.c.kind == kind)
        async with self._database.reading() as db:
            row = (await db.execute(query)).mappings().first()
        return _reference(dict(row)) if row else None

    async def key_of(self, reference: Reference) -> str | None:
        query = select(table.c.key).where(
            table.c.connection == reference.connection, table.c.kind == reference.kind, table.c.external_id == reference.id
        )
        async with self._database.reading() as db:
            found: str | None = (await db.execute(query)).scalar()
        return found

    async def of(self, key: str) -> list[CrossReference]:
        """Every platform object that stands for the key."""
        query = select(table).where(table.c.key == key).order_by(table.c.connection, table.c.kind)
        async with self._database.reading() as db:
            rows = (await db.execute(query)).mappings().all()
        return [CrossReference(key=key, reference=_reference(dict(r)), recorded_at=_when(r["recorded_at"])) for r in rows]

    async def link(self, key: str, reference: Reference) -> Reference:
        """Records that the object stands for the key; saying it again changes nothing.

        Raises Conflict when the key already has another object there, or the object another key: N concurrent first sights
        leave one record, and every later voice hears which.
        """
        values = {
            "connection": reference.connection, "kind": reference.kind, "key": key, "external_id": reference.id,
            "recorded_at": self._clock.now(),
        }  # fmt: skip
        try:
            async with self._database.transaction() as db:
                await db.execute(table.insert().values(values))
        except IntegrityError:
            standing, other = await self.find(key, reference.connection, reference.kind), await self.key_of(reference)
            if standing != reference or other != key:
                raise _contradiction(key, reference, standing, other) from None
        return reference


def _reference(row: dict[str, Any]) -> Reference:
    return Reference(connection=row["connection"], kind=row["kind"], id=row["external_id"])


def _when(value: datetime) -> datetime:
    return aware(value)


def _contradiction(key: str, reference: Reference, standing: Reference | None, other: str | None) -> Conflict:
    said = f"{key} already stands for {standing}" if standing else f"{reference} already stands for {other}"
    return Conflict(
        f"{said}, so it cannot be linked with {reference if standing else key}", field="reference", system="trivium",
        fix="merge the duplicate in the platform, or correct the business key of one of the two records",
    )  # fmt: skip
