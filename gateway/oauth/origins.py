"""A token that stems from something else ends with it: from a user's authorization, or from the token it was exchanged for."""

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.oauth.tables import authorizations, next_epoch, revoked_tokens, token_origins
from gateway.oauth.trust_store import KEPT_BEYOND


def of_authorization(authorization_id: str) -> str:
    return f"authorization:{authorization_id}"


def of_token(token_id: str) -> str:
    return f"token:{token_id}"


def of_client(client_id: str) -> str:
    """For a token that another client got by exchange: it ends when the client it was taken from is closed."""
    return f"client:{client_id}"


async def record(connection: AsyncConnection, token_id: str, expires_at: int, *origins: str) -> None:
    """Remembers where a token stems from until it ends."""
    rows = [{"token_id": token_id, "origin": origin, "expires_at": expires_at} for origin in origins]
    await connection.execute(insert(token_origins), rows)


async def forget(connection: AsyncConnection, now: int) -> None:
    """Deletes what is about tokens that have ended."""
    await connection.execute(delete(token_origins).where(token_origins.c.expires_at < now - KEPT_BEYOND))


async def call_back(connection: AsyncConnection, now: int, *origins: str) -> None:
    """Revokes every living token that stems from these, directly or through others; every process knows within a second."""
    epoch, ending = await next_epoch(connection), list(origins)
    dead = select(revoked_tokens.c.token_id)
    while ending:
        living = (token_origins.c.expires_at >= now) & token_origins.c.token_id.not_in(dead)
        of_these = token_origins.c.origin.in_(ending) & living
        found = await connection.execute(select(token_origins.c.token_id, token_origins.c.expires_at).where(of_these).distinct())
        rows = [{"token_id": row.token_id, "expires_at": row.expires_at, "epoch": epoch} for row in found]
        if rows:
            await connection.execute(insert(revoked_tokens), rows)
        ending = [of_token(row["token_id"]) for row in rows]


async def is_called_back(connection: AsyncConnection, token_id: str) -> bool:
    found = await connection.execute(select(revoked_tokens.c.token_id).where(revoked_tokens.c.token_id == token_id))
    return found.first() is not None


async def end_authorizations(connection: AsyncConnection, which: ColumnElement[bool], now: int) -> None:
    """Revokes authorizations and every token that stems from them. Locks authorizations before the epoch, as all here do."""
    ended = update(authorizations).where(which & authorizations.c.revoked_at.is_(None)).values(revoked_at=now)
    ids = (await connection.execute(ended.returning(authorizations.c.id))).scalars().all()
    if ids:
        await call_back(connection, now, *(of_authorization(each) for each in ids))
