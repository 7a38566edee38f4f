"""Ownership: each attribute has one owning system; what another system says of it becomes a proposal, never a write.

Loops end here: a value equal to the one on record, or to a standing proposal, changes nothing.
"""

from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.models.master_data import Attribute, Proposal
from kernel.clock import Clock
from kernel.db import Database, aware
from kernel.problem import NotFound
from master_data.tables import attribute, proposal
from master_data.turns import take_turn

# attribute -> the domain that owns it once several know it
OWNERS: Mapping[str, str] = {
    "name": "crm",
    "email": "crm",
    "parent": "crm",
    "currency": "crm",
    "legal_name": "erp",
    "address": "erp",
    "tax_id": "erp",
    "payment_days": "erp",
    "credit_limit": "erp",
    "legal_entity": "erp",
}


class Ownership:
    """The customer's attributes as their owners set them, and what others propose."""

    def __init__(self, database: Database, clock: Clock, owners: Mapping[str, str] = OWNERS) -> None:
        self._database, self._clock, self._owners = database, clock, owners

    async def observe(self, key: str, said: Mapping[str, str | None], by: str) -> None:
        """Takes note of attributes as the domain `by` (crm, billing, erp) says them.

        The owner's word is written, so is the first word anyone says; anything else becomes a proposal.
        """
        unknown = set(said) - set(self._owners)
        if unknown:
            raise KeyError(f"attributes without an owner: {sorted(unknown)}")
        async with self._database.transaction() as db:
            await take_turn(db, f"customer {key}")
            rows = (await db.execute(select(attribute).where(attribute.c.key == key))).mappings()
            standing = {row["name"]: row for row in rows}
            for name, value in said.items():
                await self._hear(db, {"key": key, "name": name, "value": value}, by, standing.get(name))

    async def _hear(self, db: AsyncConnection, word: dict[str, str | None], by: str, standing: RowMapping | None) -> None:
        """One attribute as `by` says it, beside the row that stands."""
        if standing is None:
            await db.execute(attribute.insert().values(**word, set_by=by, set_at=self._clock.now()))
        elif standing["value"] == word["value"]:
            return
        elif by == self._owners[standing["name"]]:
            where = (attribute.c.key == word["key"], attribute.c.name == word["name"])
            await db.execute(attribute.update().where(*where).values(value=word["value"], set_by=by, set_at=self._clock.now()))
        else:
            await self._propose(db, word, by)

    async def _propose(self, db: AsyncConnection, word: dict[str, str | None], by: str) -> None:
        """A system has one proposal per attribute: its latest."""
        said = "|".join(str(part) for part in (word["key"], word["name"], by, word["value"]))
        id = sha256(said.encode()).hexdigest()[:24]
        if (await db.execute(select(proposal.c.id).where(proposal.c.id == id))).first() is None:
            same = (proposal.c.key == word["key"], proposal.c.name == word["name"], proposal.c.proposed_by == by)
            await db.execute(delete(proposal).where(*same))
            await db.execute(proposal.insert().values(**word, id=id, proposed_by=by, proposed_at=self._clock.now()))

    async def attributes(self, key: str) -> list[Attribute]:
        async with self._database.reading() as db:
            rows = (await db.execute(select(attribute).where(attribute.c.key == key).order_by(attribute.c.name))).mappings().all()
        return [
            Attribute(
                name=r["name"], value=r["value"], owner=self._owners[r["name"]], set_by=r["set_by"], set_at=aware(r["set_at"])
            )
            for r in rows
        ]

    async def proposals(self, key: str) -> list[Proposal]:
        async with self._database.reading() as db:
            rows = (await db.execute(select(proposal).where(proposal.c.key == key).order_by(proposal.c.name))).mappings().all()
        return [
            Proposal(
                id=r["id"], name=r["name"], value=r["value"], proposed_by=r["proposed_by"], proposed_at=aware(r["proposed_at"])
            )
            for r in rows
        ]

    async def decide(self, key: str, proposal_id: str, *, accept: bool) -> None:
        """Accepting writes the value in the owner's place; either way the proposal is gone."""
        async with self._database.transaction() as db:
            await take_turn(db, f"customer {key}")
            where = (proposal.c.key == key, proposal.c.id == proposal_id)
            row = (await db.execute(select(proposal).where(*where))).mappings().first()
            if row is None:
                raise NotFound(f"there is no proposal {proposal_id} for {key}")
            await db.execute(delete(proposal).where(*where))
            if accept:
                target = (attribute.c.key == key, attribute.c.name == row["name"])
                values = {"value": row["value"], "set_by": row["proposed_by"], "set_at": self._clock.now()}
                await db.execute(attribute.update().where(*target).values(values))
