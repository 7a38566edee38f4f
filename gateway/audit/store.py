"""The chains in the database: added to in batches, read for people and for verification."""

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from gateway.audit.chain import Link, Place
from gateway.audit.entry import microseconds, told
from gateway.audit.tables import audit_entries as entries
from kernel.db import Database
from kernel.problem import Invalid

PAGE = 1_000  # rows read at once
_ORDER = (entries.c.at, entries.c.chain, entries.c.seq)


@dataclass(frozen=True)
class Wanted:
    """Which entries are asked for; None: any. `since` is included, `until` is not."""

    client: str | None = None
    operation: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = [entries.c.client == self.client] if self.client is not None else []
        found += [entries.c.operation == self.operation] if self.operation is not None else []
        found += [entries.c.at >= microseconds(self.since)] if self.since is not None else []
        found += [entries.c.at < microseconds(self.until)] if self.until is not None else []
        return found


class AuditStore:
    """Every chain of a deployment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, links: Sequence[Link]) -> None:
        """All or nothing. Those whose first writing was only not confirmed are not written twice."""
        try:
            async with self._database.transaction() as connection:
                await connection.execute(insert(entries), [_row(link) for link in links])
        except IntegrityError:
            present = {link.seq: link.seal async for link in self.links(links[0].chain, links[0].seq)}
            if any(present.get(link.seq, link.seal) != link.seal for link in links):
                raise
            missing = [link for link in links if link.seq not in present]
            if missing:
                await self.append(missing)

    async def chains(self) -> list[str]:
        """In the order in which they began."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(entries.c.chain).distinct().order_by(entries.c.chain))
            return list(found.scalars())

    async def heads(self, most: int) -> list[Place]:
        """Where the latest chains end at this moment."""
        last = select(entries.c.chain, func.max(entries.c.seq).label("seq")).group_by(entries.c.chain)
        newest = last.order_by(entries.c.chain.desc()).limit(most).subquery()
        both = (entries.c.chain == newest.c.chain) & (entries.c.seq == newest.c.seq)
        query = select(entries.c.chain, entries.c.seq, entries.c.seal).join(newest, both).order_by(entries.c.chain)
        async with self._database.reading() as connection:
            return [Place(row.chain, row.seq, row.seal) for row in await connection.execute(query)]

    async def rows(self, chain: str, first: int = 0) -> AsyncIterator[Row[Any]]:
        """The rows of a chain in their order."""
        while True:
            query = select(entries).where(entries.c.chain == chain, entries.c.seq >= first).order_by(entries.c.seq).limit(PAGE)
            async with self._database.reading() as connection:
                found = (await connection.execute(query)).all()
            for row in found:
                yield row
            if len(found) < PAGE:
                return
            first = found[-1].seq + 1

    async def links(self, chain: str, first: int = 0) -> AsyncIterator[Link]:
        async for row in self.rows(chain, first):
            yield Link(row.chain, row.seq, row.entry, row.seal)

    async def page(self, wanted: Wanted, cursor: str | None, limit: int) -> tuple[list[Link], str | None]:
        """The latest first, and the cursor of what follows. Raises Invalid for a cursor that is none."""
        query = select(entries).where(*wanted.conditions()).order_by(*(column.desc() for column in _ORDER)).limit(limit + 1)
        if cursor is not None:
            query = query.where(tuple_(*_ORDER) < tuple_(*_place(cursor)))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        following = _cursor(rows[limit - 1]) if len(rows) > limit else None
        return [Link(row.chain, row.seq, row.entry, row.seal) for row in rows[:limit]], following


def _row(link: Link) -> dict[str, Any]:
    return {"chain": link.chain, "seq": link.seq, "entry": link.text, "seal": link.seal, **columns(told(link.text))}


def columns(said: Mapping[str, Any]) -> dict[str, Any]:
    """What of an entry stands in columns of its own, to be searched by."""
    return {"at": said["at"], "client": said.get("client", ""), "operation": said.get("operation", "")}


def _cursor(row: Row[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.at, row.chain, row.seq]).encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[int, str, int]:
    try:
        at, chain, seq = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(at) is int and isinstance(chain, str) and type(seq) is int and 0 <= at < 2**63 and 0 <= seq < 2**63:
            return at, chain, seq
    except (ValueError, TypeError):
        pass
    raise Invalid("the cursor is none of ours", field="cursor", fix="take it from the Link of the page before")
