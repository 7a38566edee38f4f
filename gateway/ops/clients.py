"""Clients over the gateway's own API: seen, closed, and given a second secret before the first is withdrawn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query, Response
from sqlalchemy import Row, func, select

from contracts.models.partner import Because, ClientSecret, RegisteredClient, RegisteredClients, Withdrawal, Withdrawn
from gateway.house import House
from gateway.oauth.client_rules import BadClient
from gateway.oauth.tables import client_secrets, clients
from kernel.api import Api, IdempotencyKey
from kernel.context import caller
from kernel.db import Database
from kernel.problem import Conflict, NotFound

HERE = "/ops/gateway/v1/clients"
READ, WRITE = "gateway:read", "gateway:write"
ClientId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$", examples=["tvc_0123456789abcdef0123"])]
PartnerId = Annotated[str | None, Query(min_length=2, max_length=63, pattern=r"^[a-z][a-z0-9-]*[a-z0-9]$")]
Cursor = Annotated[str | None, Query(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]


def declare_clients(api: Api, house: House) -> None:
    @api.get("/clients", scope=READ, headers=("Link",))
    async def list_clients(
        response: Response, partner: PartnerId = None, cursor: Cursor = None, limit: Limit = 50
    ) -> RegisteredClients:
        """The clients by id, a page at a time; those of one partner if asked."""
        found = await _page(house.database, partner, cursor, limit + 1)
        more = found[limit - 1].client_id if len(found) > limit else None
        if more:
            whose = f"partner={partner}&" if partner else ""
            response.headers["Link"] = f'<{HERE}?{whose}cursor={more}&limit={limit}>; rel="next"'
        return RegisteredClients(items=found[:limit], next=more)

    @api.get("/clients/{client_id}", scope=READ)
    async def get_client(client_id: ClientId) -> RegisteredClient:
        """The client, without its secrets."""
        return await _existing(house.database, client_id)

    @api.post("/clients/{client_id}/secrets", scope=WRITE, status=201)
    async def add_client_secret(client_id: ClientId, why: Because, idempotency_key: IdempotencyKey) -> ClientSecret:
        """A second secret, valid beside the first, shown here and never again. Withdraw the first once the new one is in use."""
        async with _client(house.database, client_id):
            return ClientSecret(client_id=client_id, client_secret=await house.oauth.clients.add_secret(client_id))

    @api.post("/clients/{client_id}/secret-withdrawals", scope=WRITE)
    async def withdraw_client_secrets(client_id: ClientId, kept: Withdrawal, idempotency_key: IdempotencyKey) -> Withdrawn:
        """Forgets every secret of the client but the one that is given; answers how many."""
        async with _client(house.database, client_id):
            return Withdrawn(secrets=await house.oauth.clients.withdraw_secrets(client_id, keep=kept.keep))

    @api.post("/clients/{client_id}/closures", scope=WRITE)
    async def close_client(client_id: ClientId, why: Because, idempotency_key: IdempotencyKey) -> RegisteredClient:
        """No new tokens; those it has are dead in every process within a second. No client closes itself."""
        if client_id == caller.get().client:
            raise Conflict("a client cannot close itself", field="client_id", fix="let another client do it")
        async with _client(house.database, client_id):
            await house.oauth.clients.deactivate(client_id)
        return await _existing(house.database, client_id)


@asynccontextmanager
async def _client(database: Database, client_id: str) -> AsyncIterator[None]:
    """What is done to a client, which exists; what the store refuses is a conflict with what is there."""
    await _existing(database, client_id)
    try:
        yield
    except BadClient as error:
        raise Conflict(str(error)) from None


async def _existing(database: Database, client_id: str) -> RegisteredClient:
    async with database.reading() as connection:
        row = (await connection.execute(_shown().where(clients.c.id == client_id))).one_or_none()
    if row is None:
        raise NotFound(f"there is no client {client_id}")
    return _registered(row)


async def _page(database: Database, partner: str | None, after: str | None, limit: int) -> list[RegisteredClient]:
    query = _shown().order_by(clients.c.id).limit(limit)
    if partner is not None:
        query = query.where(clients.c.partner == partner)
    if after is not None:
        query = query.where(clients.c.id > after)
    async with database.reading() as connection:
        return [_registered(row) for row in await connection.execute(query)]


def _shown() -> Any:
    secrets = select(func.count()).where(client_secrets.c.client_id == clients.c.id).scalar_subquery()
    return select(clients, secrets.label("secrets"))


def _registered(row: Row[Any]) -> RegisteredClient:
    return RegisteredClient(
        client_id=row.id, name=row.name, partner=row.partner, scopes=row.scopes.split(), plan=row.plan, active=row.active,
        secrets=row.secrets, created_at=datetime.fromtimestamp(row.created_at, UTC),
    )  # fmt: skip
