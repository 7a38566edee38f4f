"""One writer at a time per subject: what a transaction read before it writes is still so when it writes."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection


async def take_turn(db: AsyncConnection, subject: str) -> None:
    """Waits until nobody else writes about the subject, and holds it until the transaction ends.

    On SQLite a transaction that writes has the whole database to itself from its beginning.
    """
    if db.dialect.name == "postgresql":
        await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(subject, 0))))
