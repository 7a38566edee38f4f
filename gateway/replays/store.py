"""Of all processes on one database one does what an Idempotency-Key names; the others get its answer, or are told to wait.

A process that dies leaves a row whose lease ends; what its call came to is then for the upstream to say, by the same key, or for
a person where the upstream keeps no keys.
"""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, and_, delete, select, text, update

from gateway.oauth.sealing import Seal
from gateway.replays.kept import Kept, opened, sealed
from gateway.replays.tables import DONE, OPEN, RUNNING, replays
from gateway.replays.work import Works
from kernel.clock import Clock
from kernel.db import Database
from kernel.durable.store import Store
from kernel.problem import Conflict, InProgress, KeyReused, NeedsPerson, Unavailable
from kernel.sections.replays import Replays as Terms

BATCH = 500  # rows deleted in one transaction
BATCHES = 20  # at most, one after the other
PURGE_EVERY = 300.0  # seconds
_COLUMNS = (replays.c.fingerprint, replays.c.state, replays.c.holder, replays.c.lease_until, replays.c.sealed)
# Text, because the dialects' own inserts are compiled anew for each call.
_TAKE = text(
    """
    INSERT INTO gateway_replays (id, fingerprint, state, holder, claimed_at, lease_until, expires_at, sealed)
    VALUES (:id, :fingerprint, 'running', :holder, :now, :lease_until, :expires_at, NULL)
    ON CONFLICT (id) DO UPDATE SET
        fingerprint = excluded.fingerprint, state = excluded.state, holder = excluded.holder, sealed = NULL,
        claimed_at = excluded.claimed_at, lease_until = excluded.lease_until, expires_at = excluded.expires_at
    WHERE gateway_replays.expires_at <= :now OR (
        :again AND gateway_replays.fingerprint = excluded.fingerprint AND gateway_replays.sealed IS NULL AND (
            gateway_replays.lease_until <= :now
            OR (gateway_replays.state = 'running' AND gateway_replays.claimed_at < :began)
        )
    )
    RETURNING id
    """
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right, and the duty, to say what became of one call."""

    id: str
    holder: str


class _Row(NamedTuple):
    fingerprint: str
    state: str
    holder: str
    lease_until: int
    sealed: bytes | None


class Replays:
    """What is kept of calls with a key, in the database that all processes of a deployment share."""

    def __init__(self, database: Database, seal: Seal, clock: Clock, terms: Terms) -> None:
        self._store, self._seal, self._clock = Store(database), seal, clock
        self._works = Works(self._store)
        self._lease, self._keep = int(terms.lease * 1000), terms.keep_hours * 3_600_000  # ms
        # With an SQLite file there is one process: what was running before it began died with its predecessor.
        self._began = self._now() if database.embedded else 0
        self._held: dict[str, Claim] = {}
        self._tending: asyncio.Task[None] | None = None
        self.largest = terms.largest_answer

    def start(self) -> None:
        """Begins to renew leases and to delete what is past its time; a second time changes nothing."""
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend())

    async def close(self) -> None:
        if self._tending is not None:
            self._tending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._tending
        await self._works.close()
        self._store.close()

    async def claim(self, id: str, fingerprint: str, *, again: bool) -> Claim | Kept:
        """The answer that was kept, or the claim to find one. `again`: what may have been done may be asked for again.

        Raises KeyReused for another request, InProgress while the same one runs, NeedsPerson or Conflict where it cannot be
        repeated, and Unavailable, nothing having been done, while the database does not answer.
        """
        claim, now = Claim(id, secrets.token_hex(8)), self._now()
        row = await self._works.do(lambda connection: self._taken(connection, claim, fingerprint, now, again=again))
        if row is None:
            self._held[claim.holder] = claim
            return claim
        if row.fingerprint != fingerprint:
            raise KeyReused(
                "this Idempotency-Key was sent with another request", field="Idempotency-Key", fix="use a key of its own for it"
            )
        if row.sealed is not None:
            return opened(row.sealed, self._seal, id)
        raise _no_answer(row, now, again=again)

    async def settle(self, claim: Claim, *, done: bool, kept: Kept | None = None) -> None:
        """What became of the call: done (with its answer where that is kept), or nobody knows."""
        secret = None if kept is None else sealed(kept, self._seal, claim.id)
        values = {"state": DONE if done else OPEN, "lease_until": 0, "expires_at": self._now() + self._keep, "sealed": secret}
        await self._end(claim, lambda connection: connection.execute(update(replays).where(_is(claim)).values(values)))

    async def release(self, claim: Claim) -> None:
        """Nothing was done: the key is as good as new."""
        await self._end(claim, lambda connection: connection.execute(delete(replays).where(_is(claim))))

    def abandon(self, claim: Claim) -> None:
        """Nobody will say what became of the call: its lease ends by itself."""
        self._held.pop(claim.holder, None)

    async def purge(self) -> int:
        """Deletes what is past its time, a bounded number of rows; answers how many."""
        old = replays.c.expires_at <= self._now()
        # Said twice: a row that is taken again meanwhile is no longer old.
        change = delete(replays).where(replays.c.id.in_(select(replays.c.id).where(old).limit(BATCH)), old)
        total = 0
        for _ in range(BATCHES):
            count = await self._works.do(lambda connection: connection.execute(change).rowcount)
            total += count
            if count < BATCH:
                break
        return total

    async def renew(self) -> None:
        """Makes the leases of calls that are under way here last longer."""
        holders = list(self._held)
        until = self._now() + self._lease
        for first in range(0, len(holders), BATCH):
            mine = and_(replays.c.holder.in_(holders[first : first + BATCH]), replays.c.state == RUNNING)
            change = update(replays).where(mine).values(lease_until=until)
            await self._works.do(lambda connection, change=change: connection.execute(change))  # type: ignore[misc]

    def _taken(self, connection: Connection, claim: Claim, fingerprint: str, now: int, *, again: bool) -> _Row | None:
        """Takes the row, or answers the one that is there."""
        values = {
            "id": claim.id, "fingerprint": fingerprint, "holder": claim.holder, "now": now, "lease_until": now + self._lease,
            "expires_at": now + self._keep, "again": again, "began": self._began,
        }  # fmt: skip
        for _ in range(3):  # between the two statements the row may go
            if connection.execute(_TAKE, values).first() is not None:
                return None
            row = connection.execute(select(*_COLUMNS).where(replays.c.id == claim.id)).first()
            if row is not None:
                found = _Row(*row)
                return None if found.holder == claim.holder else found  # ours: the first attempt was committed after all
        raise Unavailable("the Idempotency-Key is contended for", retry_after=1)

    async def _end(self, claim: Claim, change: Any) -> None:
        self.abandon(claim)
        await self._works.do(change)

    async def _tend(self) -> None:
        purged = -PURGE_EVERY
        while True:
            try:
                if self._held:
                    await self.renew()
                if self._clock.monotonic() - purged >= PURGE_EVERY:
                    purged = self._clock.monotonic()
                    await self.purge()
            except Exception as error:  # whatever the driver raises: the next turn tries again
                structlog.get_logger("gateway").warning("kept answers are not tended", error=type(error).__name__)
            await asyncio.sleep(self._lease / 3000)

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _is(claim: Claim) -> Any:
    return and_(replays.c.id == claim.id, replays.c.holder == claim.holder, replays.c.state == RUNNING)


def _no_answer(row: _Row, now: int, *, again: bool) -> Conflict:
    if again or (row.state == RUNNING and row.lease_until > now):
        return InProgress("the same request is being worked on", field="Idempotency-Key", fix="ask again", retry_after=1)
    if row.state == DONE:
        return Conflict(
            "this was done before, and its answer was not kept", field="Idempotency-Key", fix="read what there is now"
        )
    return NeedsPerson(
        "nobody knows what became of the first call under this key", field="Idempotency-Key",
        fix="find out whether it was done; if it was not, use another key",
    )  # fmt: skip
