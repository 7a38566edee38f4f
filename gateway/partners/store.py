"""The partners in the database. A change of one is a change of all its clients, in the same transaction.

Tokens that were issued before a change of plan or accounts, or before a suspension, are refused from then on, in every process
within a second; the client gets a new one. (The second in which the change is made counts as before it.)
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.models.partner import NewPartner, Partner, PartnerState
from gateway.oauth.client_rules import BadClient
from gateway.oauth.clients import ClientStore, Details, NewClient
from gateway.oauth.tables import clients, next_epoch
from gateway.partners.tables import partners
from kernel.clock import Clock
from kernel.db import Database
from kernel.problem import Conflict, Invalid, NotFound

LONGEST = 4000  # characters of all accounts of a partner: they travel in each of its tokens

Change = Callable[[Row[Any]], dict[str, Any] | None]  # what becomes of a row; None: it is like that already


@dataclass(frozen=True, slots=True)
class PartnerStore:
    """Every change is one transaction. `scopes`: those that any contract asks for."""

    database: Database
    clients: ClientStore
    clock: Clock
    scopes: frozenset[str]

    async def add(self, new: NewPartner) -> Partner:
        """Registering the same again changes nothing. Raises Conflict for an id that is taken, Invalid for too many accounts."""
        values = {"name": new.name, "plan": new.plan, "accounts": _kept(new.accounts), "contact": new.contact}
        now = self._now()
        async with self.database.transaction() as connection:
            epoch = await next_epoch(connection)  # one change at a time
            found = await _row(connection, new.id)
            if found is None:
                began = {"state": PartnerState.ACTIVE.value, "epoch": epoch, "created_at": now, "changed_at": now}
                await connection.execute(insert(partners).values(id=new.id, **values, **began))
            elif any(getattr(found, name) != value for name, value in values.items()):
                raise Conflict(
                    f"there is a partner {new.id} already", field="id", fix="choose another id, or change that partner"
                )
            return _partner(await _existing(connection, new.id))

    async def get(self, partner_id: str) -> Partner:
        """Raises NotFound."""
        async with self.database.reading() as connection:
            return _partner(await _existing(connection, partner_id))

    async def page(self, after: str | None, limit: int) -> Sequence[Partner]:
        """By id, those after this one."""
        query = select(partners).order_by(partners.c.id).limit(limit)
        async with self.database.reading() as connection:
            found = await connection.execute(query if after is None else query.where(partners.c.id > after))
            return [_partner(row) for row in found]

    async def set_plan(self, partner_id: str, plan: str) -> Partner:
        return await self._spread(partner_id, {"plan": plan})

    async def set_accounts(self, partner_id: str, accounts: Collection[str]) -> Partner:
        """From now on these, all of them. Raises Invalid for too many."""
        return await self._spread(partner_id, {"accounts": _kept(accounts)})

    async def suspend(self, partner_id: str, reason: str) -> Partner:
        """Closes all its clients, whose tokens are dead in every process within a second. Twice is the same as once."""
        return await self._stop(partner_id, PartnerState.SUSPENDED, reason)

    async def close(self, partner_id: str, reason: str) -> Partner:
        """As `suspend`, for good."""
        return await self._stop(partner_id, PartnerState.CLOSED, reason)

    async def resume(self, partner_id: str) -> Partner:
        """Opens the clients again that were open when it was suspended; they need new tokens. Raises Conflict when closed."""
        async with self.database.transaction() as connection:
            epoch = await next_epoch(connection)
            row = await _existing(connection, partner_id)
            _refuse_closed(row)
            if row.state == PartnerState.SUSPENDED.value:
                again = clients.c.id.in_(json.loads(row.stopped_clients or "[]"))
                opened = {"active": True, "refuse_until": self._now(), "epoch": epoch}
                await connection.execute(update(clients).where(clients.c.partner == partner_id, again).values(**opened))
                active = {"state": PartnerState.ACTIVE.value, "reason": None, "stopped_clients": None}
                await self._write(connection, partner_id, epoch, active)
            return _partner(await _existing(connection, partner_id))

    async def add_client(
        self, partner_id: str, name: str, scopes: Collection[str], addresses: Collection[str] | None = None
    ) -> NewClient:
        """A client with the partner's plan and accounts.

        Raises Conflict for a name that another of its clients has, Invalid for a scope that no contract knows.
        """
        unknown = ", ".join(sorted(set(scopes) - self.scopes))
        if unknown:
            raise Invalid(f"no contract asks for {unknown}", field="scopes", fix=f"there are {', '.join(sorted(self.scopes))}")
        async with self.database.reading() as connection:
            partner = _partner(await _existing(connection, partner_id))
            same = select(clients.c.id).where(clients.c.partner == partner_id, clients.c.name == name, clients.c.active)
            taken = (await connection.execute(same)).scalar()
        if partner.state is not PartnerState.ACTIVE:
            raise Conflict(f"the partner {partner_id} is {partner.state}", fix="resume it first")
        if taken is not None:
            fix = "choose another name, or give that client a new secret"
            raise Conflict(f"{partner_id} has a client {name!r} already: {taken}", field="name", fix=fix)
        details = Details(partner=partner_id, addresses=None if addresses is None else tuple(addresses))
        try:
            return await self.clients.add(name, scopes, plan=partner.plan, accounts=partner.accounts, details=details)
        except BadClient as error:
            raise Invalid(str(error)) from None

    async def _spread(self, partner_id: str, values: dict[str, Any]) -> Partner:
        """Changes the partner and all its clients; tokens from before are refused. What is so already stays untouched."""
        async with self.database.transaction() as connection:
            epoch = await next_epoch(connection)
            row = await _existing(connection, partner_id)
            _refuse_closed(row)
            if any(getattr(row, name) != value for name, value in values.items()):
                changed = {**values, "refuse_until": self._now(), "epoch": epoch}
                await connection.execute(update(clients).where(clients.c.partner == partner_id).values(**changed))
                await self._write(connection, partner_id, epoch, values)
            return _partner(await _existing(connection, partner_id))

    async def _stop(self, partner_id: str, state: PartnerState, reason: str) -> Partner:
        async with self.database.transaction() as connection:
            epoch = await next_epoch(connection)
            row = await _existing(connection, partner_id)
            if state is not PartnerState.CLOSED:
                _refuse_closed(row)
            if row.state != state.value:
                mine = (clients.c.partner == partner_id) & clients.c.active
                found = (await connection.execute(select(clients.c.id).where(mine))).scalars().all()
                open_ = sorted({*found, *json.loads(row.stopped_clients or "[]")})
                stopped = {"active": False, "refuse_until": self._now(), "epoch": epoch}
                await connection.execute(update(clients).where(mine).values(**stopped))
                values = {"state": state.value, "reason": reason, "stopped_clients": json.dumps(open_)}
                await self._write(connection, partner_id, epoch, values)
            return _partner(await _existing(connection, partner_id))

    async def _write(self, connection: AsyncConnection, partner_id: str, epoch: int, values: dict[str, Any]) -> None:
        now = self._now()
        stamped = {**values, "epoch": epoch, "changed_at": now, "refuse_until": now}
        await connection.execute(update(partners).where(partners.c.id == partner_id).values(**stamped))

    def _now(self) -> int:
        return int(self.clock.now().timestamp())


async def _row(connection: AsyncConnection, partner_id: str) -> Row[Any] | None:
    return (await connection.execute(select(partners).where(partners.c.id == partner_id))).one_or_none()


async def _existing(connection: AsyncConnection, partner_id: str) -> Row[Any]:
    found = await _row(connection, partner_id)
    if found is None:
        raise NotFound(f"there is no partner {partner_id}")
    return found


def _refuse_closed(row: Row[Any]) -> None:
    if row.state == PartnerState.CLOSED.value:
        raise Conflict(f"the partner {row.id} is closed, which is for good", fix="register it anew under another id")


def _kept(accounts: Collection[str]) -> str:
    text = json.dumps(sorted(set(accounts)))
    if len(text) > LONGEST:
        fix = "make two partners of it: the accounts of a partner travel in each of its tokens"
        raise Invalid(f"the accounts are {len(text)} characters together, more than {LONGEST}", field="accounts", fix=fix)
    return text


def _partner(row: Row[Any]) -> Partner:
    times = {name: datetime.fromtimestamp(getattr(row, name), UTC) for name in ("created_at", "changed_at")}
    said = {name: getattr(row, name) for name in ("id", "name", "plan", "contact", "state", "reason")}
    return Partner.model_validate({**said, **times, "accounts": json.loads(row.accounts)})
