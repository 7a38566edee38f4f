"""A sandbox that starts anew is a new world: what was recorded about the last one is forgotten, everything else stays.

Clients, keys and mappings are kept. Never done where any connection leads elsewhere than to the bundled sandbox.
"""

from collections.abc import Sequence

from sqlalchemy import delete, inspect, text

from kernel.db import Database, metadata
from kernel.durable.locks import FileLock
from kernel.settings import Settings

OF_THE_WORLD = (
    "run", "run_request", "run_message", "outbound_write", "cross_reference", "customer_attribute", "customer_proposal",
)  # fmt: skip


async def forget_the_last_world(settings: Settings) -> bool:
    """Answers whether there was anything to forget. Raises EngineRefused while another process works on this data."""
    lock = FileLock(settings.data / "durable.lock") if settings.embedded else None
    if lock is not None:
        lock.acquire()
    database = Database(settings.database)
    try:
        async with database.transaction() as connection:
            present: Sequence[str] = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            forgotten = 0
            for name in (name for name in OF_THE_WORLD if name in present):
                forgotten += (await connection.execute(delete(metadata.tables[name]))).rowcount
            if not settings.embedded:
                await connection.execute(text("drop schema if exists dbos cascade"))
        for file in settings.data.glob("durable.sqlite*") if settings.embedded else ():
            file.unlink()
        return forgotten > 0
    finally:
        await database.close()
        if lock is not None:
            lock.release()
