"""Who may ask for tokens: clients with scopes, plan and accounts, and at most two secrets each, so that one can be replaced."""

import asyncio
import json
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.oauth.secret_hashing import SecretChecker, new_secret, scrypt
from gateway.oauth.tables import client_secrets, clients, next_epoch
from kernel.clock import Clock
from kernel.db import Database

_SCOPE = re.compile(r"[a-z][a-z0-9-]*:[a-z][a-z0-9-]*")
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
SECRETS_AT_ONCE = 2


class BadClient(ValueError):
    """The client cannot be made or changed like this; the message says why."""


class NewClient(NamedTuple):
    """What a new client is told. The secret is shown here and never again."""

    client_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Details:
    """What most clients do not need said."""

    partner: str | None = None
    grants: tuple[str, ...] = ("client_credentials",)
    auth_method: str = "client_secret_basic"
    jwks: Mapping[str, Any] | None = None
    certificate: str | None = None
    redirect_uris: tuple[str, ...] = ()
    dpop_required: bool = False
    addresses: tuple[str, ...] | None = None

    def row(self) -> dict[str, Any]:
        return {
            "partner": self.partner, "grants": " ".join(self.grants), "auth_method": self.auth_method,
            "jwks": None if self.jwks is None else json.dumps(self.jwks), "certificate": self.certificate,
            "redirect_uris": json.dumps(self.redirect_uris), "dpop_required": self.dpop_required,
            "addresses": None if self.addresses is None else json.dumps(self.addresses),
        }  # fmt: skip

    @classmethod
    def of(cls, row: Row[Any]) -> "Details":
        return cls(
            partner=row.partner, grants=tuple(row.grants.split()), auth_method=row.auth_method,
            jwks=None if row.jwks is None else json.loads(row.jwks), certificate=row.certificate,
            redirect_uris=tuple(json.loads(row.redirect_uris or "[]")), dpop_required=bool(row.dpop_required),
            addresses=None if row.addresses is None else tuple(json.loads(row.addresses)),
        )  # fmt: skip


PLAIN = Details()


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):
    """A registered client as Authlib asks about it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    plan: str
    accounts: tuple[str, ...] | None
    active: bool
    created_at: int
    details: Details = PLAIN

    def get_client_id(self) -> str:
        return self.id

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.details.grants

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes to grant: all of its own when none is asked for; None, that is invalid_scope, when any is not its own."""
        asked = self.scopes if scope is None else tuple(dict.fromkeys(scope.split(" ")))
        return " ".join(asked) if asked and set(asked) <= set(self.scopes) else None


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
        """Registers a client. Raises BadClient for no scopes, or one that is not of the form `domain:verb`."""
        wrong = sorted(scope for scope in scopes if not _SCOPE.fullmatch(scope))
        if wrong or not scopes:
            raise BadClient(f"a client needs scopes of the form domain:verb (quotes:write); not {', '.join(wrong) or 'none'}")
        new, salt, now = NewClient(f"tvc_{secrets.token_hex(10)}", new_secret()), secrets.token_bytes(16), self._now()
        row: dict[str, Any] = {"id": new.client_id, "name": name, "salt": salt, "scopes": " ".join(sorted(set(scopes)))}
        row |= {"plan": plan, "accounts": None if accounts is None else json.dumps(sorted(accounts)), "active": True}
        row |= details.row()
        digest = await asyncio.to_thread(scrypt, new.secret, salt)
        async with self._database.transaction() as connection:
            epoch = await next_epoch(connection)
            await connection.execute(insert(clients).values(**row, refuse_until=0, epoch=epoch, created_at=now))
            await connection.execute(insert(client_secrets).values(client_id=new.client_id, digest=digest, created_at=now))
        return new

    async def add_secret(self, client_id: str) -> str:
        """A second secret, valid beside the first. Raises BadClient for an unknown client or one that has two already."""
        salt, secret = await self._salt(client_id), new_secret()
        values = {"client_id": client_id, "digest": await asyncio.to_thread(scrypt, secret, salt), "created_at": self._now()}
        async with self._database.transaction() as connection:
            await next_epoch(connection)  # one change at a time, so that a third secret cannot slip in
            _, digests = await _find(connection, client_id)
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
        """Closes a client: no new tokens, and every token it holds is dead within a second in every process, for good."""
        await self._change(client_id, active=False, refuse_until=self._now())

    async def activate(self, client_id: str) -> None:
        await self._change(client_id, active=True)

    async def all(self) -> list[Client]:
        async with self._database.transaction() as connection:
            rows = await connection.execute(select(clients).order_by(clients.c.created_at, clients.c.id))
            return [_client(row) for row in rows]

    async def prove(self, client_id: str, secret: str) -> Client | None:
        """The active client whose secret this is; None alike for an unknown, a closed and a mistaken one."""
        row, digests = None, frozenset[bytes]()
        if CLIENT_ID.fullmatch(client_id):
            async with self._database.transaction() as connection:
                row, digests = await _find(connection, client_id)
        right = await self._checker.check(client_id, secret, row.salt if row else None, digests)
        return _client(row) if right and row is not None and row.active else None

    def recently_proved(self, client_id: str, secret: str) -> bool:
        return self._checker.knows(client_id, secret)

    async def _change(self, client_id: str, **values: Any) -> None:
        async with self._database.transaction() as connection:
            epoch = await next_epoch(connection)
            done = await connection.execute(update(clients).where(clients.c.id == client_id).values(epoch=epoch, **values))
            if done.rowcount != 1:
                raise BadClient(f"there is no client {client_id}")

    async def _salt(self, client_id: str) -> bytes:
        async with self._database.transaction() as connection:
            row, _ = await _find(connection, client_id)
        if row is None:
            raise BadClient(f"there is no client {client_id}")
        return bytes(row.salt)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


async def _find(connection: AsyncConnection, client_id: str) -> tuple[Row[Any] | None, frozenset[bytes]]:
    row = (await connection.execute(select(clients).where(clients.c.id == client_id))).one_or_none()
    digests = await connection.execute(select(client_secrets.c.digest).where(client_secrets.c.client_id == client_id))
    return row, frozenset(digests.scalars())


def _client(row: Row[Any]) -> Client:
    accounts = None if row.accounts is None else tuple(json.loads(row.accounts))
    return Client(row.id, row.name, tuple(row.scopes.split()), row.plan, accounts, row.active, row.created_at, Details.of(row))
