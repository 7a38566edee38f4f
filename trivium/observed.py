"""What the gateway saw of the use of a contract, for commands: from the database of the settings, where there is one."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.consumption.lately import Client, seen_lately
from kernel.clock import Clock, SystemClock
from kernel.db import Database
from kernel.settings import Settings

DAYS = 30
PATIENCE = 15.0  # seconds


class NotKnown(Exception):
    """There is a database, and it does not answer; the message says which."""


def users(seen: Sequence[Client]) -> list[str]:
    """Each client once, with the day of its last call."""
    last: dict[str, str] = {}
    for one in seen:
        last[one.client] = max(one.last, last.get(one.client, ""))
    return [f"{client} (last on {day})" for client, day in sorted(last.items())]


def observed(settings: Settings, api: str, days: int = DAYS, clock: Clock | None = None) -> Sequence[Client] | None:
    """Who used an API and major in the last `days`; None where there is no database. Raises NotKnown."""
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):
        return None
    since = ((clock or SystemClock()).now() - timedelta(days=days)).date()

    async def ask() -> Sequence[Client]:
        database = Database(settings.database)
        try:
            async with asyncio.timeout(PATIENCE):
                return await seen_lately(database, api, since)
        finally:
            await database.close()

    try:
        return asyncio.run(ask())
    except (SQLAlchemyError, OSError) as error:  # TimeoutError is one
        place = url.render_as_string(hide_password=True)
        raise NotKnown(
            f"what was used cannot be read from {place} ({type(error).__name__}); --no-observed does without"
        ) from None
