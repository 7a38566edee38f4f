"""Who may ask for tokens: clients with scopes, plan and accounts, and at most two secrets each, so that one can be replaced."""

import asyncio
import json
import re
import secrets
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.oauth import origins
from gateway.oauth.client import PLAIN, Client, Details, NewClient, client_of
from gateway.oauth.client_rules import SECRETS, BadClient, check_addresses, check_client, wrong_scopes
from gateway.oauth.secret_hashing import SecretChecker, new_secret, scrypt
from gateway.oauth.tables import authorizations, client_secrets, clients, next_epoch
from kernel.clock import Clock
from kernel.db import Database

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
SECRETS_AT_ONCE = 2
__all__ = ["CLIENT_ID", "PLAIN", "SECRETS_AT_ONCE", "BadClient", "Client", "ClientStore", "Details", "NewClient"]


class ClientStore:
    """The clients in the database."""

    def __init__(self, database: Database, clock: Clock, checker: SecretChecker | None = None) -> None:
        self._database, self._clock = database, clock
        self._checker = checker or SecretChecker(clock)

    async def add(
        self,
        name: str,
        scopes: Collection[str],
        *,
        plan: str = "default",
        accounts: Collection[str] | None = None,
        details: Details = PLAIN,
    ) -> NewClient:
        """Registers a client. Raises BadClient for no scopes, or one that is not of the form `domain:verb`, and where `details`
        contradict each other.
        """
        _check(scopes, details)
        new = NewClient(_new_id(), new_secret() if details.auth_method in SECRETS else "")
        salt = secrets.token_bytes(16)
        digest = await asyncio.to_thread(scrypt, new.secret, salt)
        async with self._database.transaction() as connection:
            await self._insert(connection, new.client_id, name, scopes, plan, accounts, details, salt)
            if new.secret:
                values = {"client_id": new.client_id, "digest": digest, "created_at": self._now()}
                await connection.execute(insert(client_secrets).values(**values))
        return new

    async def add_without_secret(
        self,
        connection: AsyncConnection,
        name: str,
        scopes: Collection[str],
        *,
        plan: str,
        accounts: Collection[str] | None,
        details: Details,
    ) -> str:
        """The same within somebody else's transaction; its first secret is made by `add_secret`. Answers its id."""
        _check(scopes, details)
        client_id = _new_id()
        await self._insert(connection, client_id, name, scopes, plan, accounts, details, secrets.token_bytes(16))
        return client_id

    async def add_secret(self, client_id: str) -> str:
        """A second secret, valid beside the first. Raises BadClient for an unknown client or one that has two already."""
        salt, secret = await self._salt(client_id), new_secret()
        values = {"client_id": client_id, "digest": await asyncio.to_thread(scrypt, secret, salt), "created_at": self._now()}
        async with self._database.transaction() as connection:
            await next_epoch(connection)  # one change at a time, so that a third secret cannot slip in
            row, digests = await _find(connection, client_id)
            if row is not None and row.auth_method not in SECRETS:
                raise BadClient(f"{client_id} proves itself by {row.auth_method}, not by a secret")
            if len(digests) >= SECRETS_AT_ONCE:
                raise BadClient(f"{client_id} has {len(digests)} secrets; withdraw the old one first")
            await connection.execute(insert(client_secrets).values(**values))
        return secret

    async def withdraw_secrets(self, client_id: str, *, keep: str) -> int:
        """Forgets every secret but the one given; answers how many. Raises BadClient where that one is not the client's."""
        kept = await asyncio.to_thread(scrypt, keep, await self._salt(client_id))
        async with self._database.transaction() as connection:
            _, digests = await _find(connection, client_id)
            if kept not in digests:
                raise BadClient(f"that is not a secret of {client_id}")
            mine = (client_secrets.c.client_id == client_id) & (client_secrets.c.digest != kept)
            await connection.execute(delete(client_secrets).where(mine))
        return len(digests) - 1

    async def deactivate(self, client_id: str) -> None:
        """Closes a client: no new tokens, and every token it holds, or that was exchanged for one of them, is dead within a
        second in every process, for good.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            await origins.end_authorizations(connection, authorizations.c.client_id == client_id, now)
            await origins.call_back(connection, now, origins.of_client(client_id))
            await _change(connection, client_id, active=False, refuse_until=now)

    async def activate(self, client_id: str) -> None:
        async with self._database.transaction() as connection:
            await _change(connection, client_id, active=True)

    async def bind(self, client_id: str, addresses: Collection[str] | None) -> None:
        """From these networks alone, within a second in every process; None: from anywhere. Raises BadClient."""
        check_addresses(addresses or ())
        bound = None if addresses is None else json.dumps(sorted(addresses))
        async with self._database.transaction() as connection:
            await _change(connection, client_id, addresses=bound)

    async def all(self) -> list[Client]:
        async with self._database.reading() as connection:
            rows = await connection.execute(select(clients).order_by(clients.c.created_at, clients.c.id))
            return [client_of(row) for row in rows]

    async def prove(self, client_id: str, secret: str) -> Client | None:
        """The active client whose secret this is; None alike for an unknown, a closed and a mistaken one."""
        row, digests = None, frozenset[bytes]()
        if CLIENT_ID.fullmatch(client_id):
            async with self._database.reading() as connection:
                row, digests = await _find(connection, client_id)
        right = await self._checker.check(client_id, secret, row.salt if row else None, digests)
        return client_of(row) if right and row is not None and row.active and row.auth_method in SECRETS else None

    async def find(self, client_id: str) -> Client | None:
        """The active client of an id."""
        if not CLIENT_ID.fullmatch(client_id):
            return None
        async with self._database.reading() as connection:
            row = (await connection.execute(select(clients).where(clients.c.id == client_id))).one_or_none()
        return client_of(row) if row is not None and row.active else None

    def recently_proved(self, client_id: str, secret: str) -> bool:
        return self._checker.knows(client_id, secret)

    async def _insert(
        self,
        connection: AsyncConnection,
        client_id: str,
        name: str,
        scopes: Collection[str],
        plan: str,
        accounts: Collection[str] | None,
        details: Details,
        salt: bytes,
    ) -> None:
        row: dict[str, Any] = {"id": client_id, "name": name, "salt": salt, "scopes": " ".join(sorted(set(scopes)))}
        row |= {"plan": plan, "accounts": None if accounts is None else json.dumps(sorted(accounts)), "active": True}
        epoch = await next_epoch(connection)
        row |= {"refuse_until": 0, "epoch": epoch, "created_at": self._now()}
        await connection.execute(insert(clients).values(**row, **details.row()))

    async def _salt(self, client_id: str) -> bytes:
        async with self._database.reading() as connection:
            row, _ = await _find(connection, client_id)
        if row is None:
            raise BadClient(f"there is no client {client_id}")
        return bytes(row.salt)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _new_id() -> str:
    return f"tvc_{secrets.token_hex(10)}"


def _check(scopes: Collection[str], details: Details) -> None:
    wrong = wrong_scopes(scopes)
    if wrong or not scopes:
        raise BadClient(f"a client needs scopes of the form domain:verb (quotes:write); not {', '.join(wrong) or 'none'}")
    keys, certificate = details.jwks is not None, details.certificate is not None
    check_client(details.grants, details.auth_method, details.redirect_uris, keys=keys, certificate=certificate)
    check_addresses(details.addresses or ())


async def _change(connection: AsyncConnection, client_id: str, **values: Any) -> None:
    epoch = await next_epoch(connection)
    done = await connection.execute(update(clients).where(clients.c.id == client_id).values(epoch=epoch, **values))
    if done.rowcount != 1:
        raise BadClient(f"there is no client {client_id}")


async def _find(connection: AsyncConnection, client_id: str) -> tuple[Row[Any] | None, frozenset[bytes]]:
    row = (await connection.execute(select(clients).where(clients.c.id == client_id))).one_or_none()
    digests = await connection.execute(select(client_secrets.c.digest).where(client_secrets.c.client_id == client_id))
    return row, frozenset(digests.scalars())
