"""The journal of writes: what was to be created where, whether it was sent, and what became of it; one row per business key.

A row is worked on by one owner at a time, under a lease that outlives its deadline: an owner that died frees it by being late.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import RowMapping, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.clock import Clock
from kernel.db import Database
from kernel.problem import Conflict, Problem, Unavailable
from system_apis.guard.claim import Claim, Held, Settled, Write, judge
from system_apis.guard.outbound_write import State, aware, outbound_write

_KEY = ("connection", "operation", "business_key")
_ABSENT = {"state": State.REJECTED, "doubtful": False, "failures": 0}

_THIS = tuple(outbound_write.c[name] == bindparam(f"of_{name}") for name in _KEY)
_READ = select(outbound_write).where(*_THIS)
_CHANGE = update(outbound_write).where(*_THIS)
_CHANGE_MINE = _CHANGE.where(outbound_write.c.owner == bindparam("of_owner"))

T = TypeVar("T")
Json = Mapping[str, object]


class Journal:
    """The table `outbound_write` of one deployment. A database that fails raises Unavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        insert = sqlite.insert if database.embedded else postgresql.insert
        self._insert = insert(outbound_write).on_conflict_do_nothing(index_elements=_KEY).returning(outbound_write.c.business_key)

    async def claim(self, write: Write, *, owner: str, process: str, seconds: float) -> Claim | Settled | Held:
        """Takes the row for `seconds`, committed as sent; or says what it ended in, or who has it.

        Rows of `process` are taken at once: within a process there is one task per key, so its owner is gone.
        """
        return await _to_the_end(self._claim(write, owner, process, seconds))

    async def _claim(self, write: Write, owner: str, process: str, seconds: float) -> Claim | Settled | Held:
        now = self._clock.now()
        lease = {"owner": owner, "lease_until": now + timedelta(seconds=seconds)}
        async with self._transaction() as transaction:
            fresh = Claim(write, owner, now, key=write.idempotency_key, fingerprint=write.fingerprint)
            row = {**dict(zip(_KEY, write.identity, strict=True)), **_content(fresh, State.SENT, now), **lease, "created_at": now}
            if await transaction.scalar(self._insert, row):
                return fresh
            there = await transaction.execute(_READ.with_for_update(), _row(*write.identity))
            found = judge(there.mappings().one(), write, owner=owner, process=process, now=now)
            if isinstance(found, Claim):
                state = State.UNKNOWN if found.doubtful else State.SENT
                await transaction.execute(_CHANGE, {**_row(*write.identity), **_content(found, state, now), **lease})
            return found

    async def save(
        self, claim: Claim, state: State, *, result: Json | None = None, problem: Problem | None = None, release: bool = False
    ) -> bool:
        """Commits what is known; False, and nothing is changed, when another owner has taken the row over."""
        now = self._clock.now()
        values = {
            **_content(claim, state, now),
            "result": result,
            "problem": problem.body() if problem else None,
            **({"owner": None, "lease_until": None} if release else {}),
        }
        return await _to_the_end(self._write(claim, values))

    async def _write(self, claim: Claim, values: Mapping[str, object]) -> bool:
        async with self._transaction() as transaction:
            mine = {**_row(*claim.write.identity), "of_owner": claim.owner}
            return (await transaction.execute(_CHANGE_MINE, {**mine, **values})).rowcount == 1

    async def find(self, connection: str, operation: str, business_key: str) -> RowMapping | None:
        """The row as it stands, for operators."""
        async with self._transaction() as transaction:
            found = await transaction.execute(_READ, _row(connection, operation, business_key))
            return found.mappings().one_or_none()

    async def declare(self, connection: str, operation: str, business_key: str, result: Json | None) -> None:
        """A person has looked: the platform has this object, or (None) has none and may be sent it again.

        Raises Conflict unless the row is in doubt and nobody works on it.
        """
        now = self._clock.now()
        async with self._transaction() as transaction:
            this = _row(connection, operation, business_key)
            row = (await transaction.execute(_READ.with_for_update(), this)).mappings().one_or_none()
            free = row is not None and (row["owner"] is None or aware(row["lease_until"]) <= now)
            if row is None or not free or row["state"] not in (State.UNKNOWN, State.SENT):
                raise Conflict(f"{operation} of {business_key} is not in doubt", system=connection, field="business_key")
            values = {"state": State.CONFIRMED, "result": result} if result is not None else _ABSENT
            change = {**values, "problem": None, "owner": None, "lease_until": None, "updated_at": now}
            await transaction.execute(_CHANGE, {**this, **change})

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._database.transaction() as transaction:
                yield transaction
        except (OperationalError, InterfaceError, NoConnection) as error:
            raise Unavailable(f"the journal of writes cannot be used ({type(error).__name__})", retry_after=1) from error


def _row(connection: str, operation: str, business_key: str) -> dict[str, str]:
    return {"of_connection": connection, "of_operation": operation, "of_business_key": business_key}


def _content(claim: Claim, state: State, now: datetime) -> dict[str, object]:
    return {
        "fingerprint": claim.fingerprint,
        "idempotency_key": claim.key,
        "generation": claim.generation,
        "state": state,
        "doubtful": claim.doubtful,
        "in_doubt_since": claim.in_doubt_since,
        "failures": claim.failures,
        "attempts": claim.attempts,
        "correlation_id": claim.write.correlation_id,
        "updated_at": now,
    }


async def _to_the_end(work: Coroutine[object, object, T]) -> T:
    """A transaction is never torn: a cancelled caller waits for its few milliseconds, then is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
