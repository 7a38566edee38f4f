"""A command that changes what the door knows leaves an entry in the audit log, as a call of the gateway's own API does."""

import asyncio
import getpass
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prometheus_client import CollectorRegistry

from gateway.audit.entry import Entry, microseconds
from gateway.audit.opening import open_audit
from kernel.clock import SystemClock
from kernel.db import Database
from kernel.settings import Settings
from trivium.terminal import settings_in_force

P = ParamSpec("P")
T = TypeVar("T")
DONE, REFUSED = 200, 422  # as the API would have answered


def recorded(*named: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """`named`: the parameters that say what is changed; no other is kept. The actor is whoever is signed in to the machine."""

    def around(command: Callable[P, T]) -> Callable[P, T]:
        @wraps(command)
        def run(*args: P.args, **given: P.kwargs) -> T:
            status = REFUSED
            try:
                done = command(*args, **given)
                status = DONE
                return done
            finally:
                ids = {name: str(given[name]) for name in named if given.get(name) is not None}
                asyncio.run(_write(settings_in_force(), f"cli/{command.__name__}", ids, status))

        return run

    return around


async def _write(settings: Settings, operation: str, ids: dict[str, str], status: int) -> None:
    if not settings.audit.enabled:
        return
    clock, database = SystemClock(), Database(settings.database)
    try:
        await database.create_all()
        log = open_audit(database, settings.data, settings.audit, clock, CollectorRegistry())
        log.start()
        at = microseconds(clock.now())
        log.add(Entry(at, actor=_who(), operation=operation, method="CLI", ids=ids or None, status=status))
        await log.close()
    finally:
        await database.close()


def _who() -> str:
    try:
        return f"os:{getpass.getuser()}"
    except (OSError, KeyError):  # nobody, as in some containers
        return "os:unknown"
