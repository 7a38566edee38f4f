"""An application for registration waits for a person: only when somebody approves it does a client exist.

Applications are bounded in number and in time. The applicant follows its own by a token that rests as SHA-256, and is shown the
secret of the client it became once.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, insert, select, update

from gateway.oauth.applications import Application
from gateway.oauth.client_rules import SECRETS, BadClient
from gateway.oauth.clients import ClientStore
from gateway.oauth.tables import next_epoch, registrations
from kernel.clock import Clock
from kernel.db import Database
from kernel.problem import Unavailable

PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
STATES = (PENDING, APPROVED, REJECTED)
KEPT = 30 * 86_400  # seconds an undecided application waits, and a decided one can be looked at
ID = re.compile(r"tvg_[0-9a-f]{20}", re.ASCII)
SHOWN = 200  # at once
_ROW = registrations.c


class NewRegistration(NamedTuple):
    """What the applicant is told. The token is shown here and never again."""

    id: str
    token: str


@dataclass(frozen=True, slots=True)
class Registration:
    """One application and what became of it."""

    id: str
    application: Application
    state: str
    created_at: int
    client_id: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None
    reason: str | None = None
    told_at: int | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """What the person who approves adds, or takes away."""

    by: str
    scopes: Collection[str] | None = None  # None: those that were asked for
    plan: str = "default"
    partner: str | None = None
    accounts: Collection[str] | None = field(default=None)


class RegistrationStore:
    """The applications in the database; at most `most` wait at once."""

    def __init__(self, database: Database, clients: ClientStore, clock: Clock, most: int) -> None:
        self._database, self._clients, self._clock, self.most = database, clients, clock, most

    async def add(self, application: Application) -> NewRegistration:
        """Raises Unavailable when too many wait already."""
        new, now = NewRegistration(f"tvg_{secrets.token_hex(10)}", secrets.token_urlsafe(32)), self._now()
        said = application.model_dump_json(exclude_none=True)
        row = {"id": new.id, "token": _digest(new.token), "said": said, "state": PENDING, "created_at": now}
        async with self._database.transaction() as connection:
            await next_epoch(connection)  # one at a time, so that the count below holds
            await connection.execute(delete(registrations).where(_ROW.created_at < now - KEPT))
            waiting = select(func.count()).select_from(registrations).where(_ROW.state == PENDING)
            if (await connection.execute(waiting)).scalar_one() >= self.most:
                raise Unavailable("too many applications wait for a decision", retry_after=3600)
            await connection.execute(insert(registrations).values(**row))
        return new

    async def prove(self, registration_id: str, token: str) -> Registration | None:
        """The application whose token this is; None alike for an unknown one and a wrong token."""
        row = await self._row(registration_id)
        right = hmac.compare_digest(_digest(token), bytes(row.token) if row is not None else b"")
        return _registration(row) if right and row is not None else None

    async def first_secret(self, of: Registration) -> str | None:
        """The secret of the client that it became, to whoever asks first; None to everyone after, and where there is none."""
        if of.state != APPROVED or of.client_id is None or of.application.token_endpoint_auth_method not in SECRETS:
            return None
        async with self._database.transaction() as connection:
            untold = (_ROW.id == of.id) & _ROW.told_at.is_(None)
            done = await connection.execute(update(registrations).where(untold).values(told_at=self._now()))
        return await self._clients.add_secret(of.client_id) if done.rowcount == 1 else None

    async def all(self, state: str | None = None) -> list[Registration]:
        """The oldest first, at most SHOWN."""
        query = select(registrations).order_by(_ROW.created_at, _ROW.id).limit(SHOWN)
        if state is not None:
            query = query.where(_ROW.state == state)
        async with self._database.reading() as connection:
            return [_registration(row) for row in await connection.execute(query)]

    async def find(self, registration_id: str) -> Registration | None:
        row = await self._row(registration_id)
        return None if row is None else _registration(row)

    async def approve(self, registration_id: str, approval: Approval) -> Registration:
        """Makes the client. Raises BadClient where there is no such application, or somebody decided already."""
        found = await self.find(registration_id)
        if found is None:
            raise BadClient(f"there is no application {registration_id}")
        application, asked = found.application, set(found.application.scopes)
        scopes = asked if approval.scopes is None else set(approval.scopes)
        if not scopes <= asked:
            raise BadClient(f"it did not ask for {', '.join(sorted(scopes - asked))}")
        async with self._database.transaction() as connection:
            await self._decide(connection, registration_id, APPROVED, approval.by)
            client_id = await self._clients.add_without_secret(
                connection, application.client_name, scopes, plan=approval.plan, accounts=approval.accounts,
                details=application.details(approval.partner),
            )  # fmt: skip
            await connection.execute(update(registrations).where(_ROW.id == registration_id).values(client_id=client_id))
        return await self._existing(registration_id)

    async def reject(self, registration_id: str, *, by: str, reason: str) -> Registration:
        """Raises BadClient where there is no such application, or somebody decided already."""
        async with self._database.transaction() as connection:
            await self._decide(connection, registration_id, REJECTED, by, reason)
        return await self._existing(registration_id)

    async def _decide(self, connection: Any, registration_id: str, state: str, by: str, reason: str | None = None) -> None:
        await next_epoch(connection)
        undecided = (_ROW.id == registration_id) & (_ROW.state == PENDING)
        values = {"state": state, "decided_by": by, "decided_at": self._now(), "reason": reason}
        done = await connection.execute(update(registrations).where(undecided).values(**values))
        if done.rowcount != 1:
            raise BadClient(f"no application {registration_id} waits for a decision")

    async def _row(self, registration_id: str) -> Row[Any] | None:
        if not ID.fullmatch(registration_id):
            return None
        async with self._database.reading() as connection:
            found = await connection.execute(select(registrations).where(_ROW.id == registration_id))
            return found.one_or_none()

    async def _existing(self, registration_id: str) -> Registration:
        found = await self.find(registration_id)
        if found is None:
            raise BadClient(f"there is no application {registration_id}")
        return found

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _registration(row: Row[Any]) -> Registration:
    return Registration(
        row.id, Application.model_validate(json.loads(row.said)), row.state, row.created_at, row.client_id, row.decided_by,
        row.decided_at, row.reason, row.told_at,
    )  # fmt: skip


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
