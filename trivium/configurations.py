"""What the commands around the configuration do: reading beside the running gateway, and changing through its own API.

Whoever holds the data directory needs no client for it: the token is signed here, with the deployment's own key.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

import httpx

from contracts.models.configuration import ConfigurationEntry, ConfigurationHistory, ProcessStanding
from gateway.configuration.bundle import BadConfiguration, Bundle
from gateway.configuration.history import Entry, History, Process
from gateway.configuration.holders import Holder
from gateway.configuration.plan import Plan
from gateway.configuration.plan import plan as planned
from gateway.configuration.snapshot import Snapshot, last_good
from gateway.configuration.source import Files
from gateway.decisions.store import DecisionStore
from gateway.house import House
from gateway.opening import open_house
from kernel.clock import SystemClock
from kernel.db import Database
from kernel.settings import Settings

OPERATOR = "trivium-operator"  # whoever works on this deployment's own data directory
API = "/ops/gateway/v1/configurations"
FOLLOWED_WITHIN = 5.0  # seconds for the other processes


class NotApplied(RuntimeError):
    """The gateway did not take the configuration; the message says why."""


@dataclass(frozen=True)
class Applied:
    """`behind`: processes that do not go by it (yet)."""

    number: int
    digest: str
    restart: Sequence[str]
    behind: Sequence[ProcessStanding]


async def plan(settings: Settings, most: int, hours: float) -> Plan:
    """Raises BadConfiguration when the files cannot be used."""
    files = Files(lambda: settings)
    wanted = await asyncio.to_thread(files.bundle, settings)
    current, kept = await _in_force(settings), _snapshot(settings)
    store = DecisionStore(settings.database, settings.data)
    try:
        calls = store.newest(int((time() - hours * 3600) * 1000), most) if most else iter(())
        if current is None and kept is not None:
            current = kept.bundle
        settled = None if kept is None else kept.settings
        return await planned(settings, wanted, current, calls, kept=settled, holders=await _holders(settings))
    finally:
        store.close()


async def apply(settings: Settings, digest: str) -> Applied:
    """Raises NotApplied."""
    return await _changed(settings, API, {"digest": digest} if digest else {})


async def rollback(settings: Settings, number: int | None) -> Applied:
    """Raises NotApplied."""
    if number is None:
        entries, _ = await history(settings)
        if len(entries) < 2:
            raise NotApplied("there is no configuration before the one in force")
        former = next((entry for entry in entries[1:] if entry.digest != entries[0].digest), entries[1])
        number = former.number
    return await _changed(settings, f"{API}/{number}/restorations", None)


async def history(settings: Settings) -> tuple[list[Entry], Sequence[Process]]:
    """From the database: the gateway need not be up."""
    database = Database(settings.database)
    try:
        await database.create_all()
        kept = History(database, SystemClock())
        return await kept.entries(), await kept.processes()
    finally:
        await database.close()


async def _in_force(settings: Settings) -> Bundle | None:
    database = Database(settings.database)
    try:
        await database.create_all()
        kept = History(database, SystemClock())
        newest = await kept.newest()
        return (await kept.entry(newest))[1] if newest else None
    finally:
        await database.close()


async def _holders(settings: Settings) -> list[Holder]:
    async with open_house(settings, OPERATOR, promised=()) as house:
        return [Holder(each.id, frozenset(each.scopes), each.plan) for each in await house.oauth.clients.all() if each.active]


def _snapshot(settings: Settings) -> Snapshot | None:
    try:
        return last_good(settings.data)
    except BadConfiguration:
        return None


async def _changed(settings: Settings, path: str, body: dict[str, Any] | None) -> Applied:
    async with open_house(settings, OPERATOR, promised=()) as house:
        url = f"http://{settings.server.host}:{settings.server.port}"
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            answer = await _asked(client, house, "POST", path, body)
            entry = ConfigurationEntry.model_validate(answer)
            behind = await _behind(client, house, entry.number)
    return Applied(entry.number, entry.digest, entry.restart, behind)


async def _behind(client: httpx.AsyncClient, house: House, number: int) -> list[ProcessStanding]:
    ends = monotonic() + FOLLOWED_WITHIN
    while True:
        found = ConfigurationHistory.model_validate(await _asked(client, house, "GET", API, None))
        behind = [process for process in found.processes if process.number < number or process.fault]
        if not behind or monotonic() > ends or any(process.fault for process in behind):
            return behind
        await asyncio.sleep(0.1)


async def _asked(client: httpx.AsyncClient, house: House, method: str, path: str, body: dict[str, Any] | None) -> Any:
    token = house.oauth.tokens.issue(OPERATOR, ["gateway:read", "gateway:write"])
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"operator-{secrets.token_hex(8)}"}
    try:
        answer = await client.request(method, path, json=body, headers=headers)
    except httpx.TransportError as error:
        where = str(client.base_url).rstrip("/")
        raise NotApplied(
            f"the gateway does not answer at {where} ({type(error).__name__}); it takes the files when it is started"
        ) from None
    if answer.status_code >= 400:
        raise NotApplied(_told(answer))
    return answer.json()


def _told(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        lines = [str(problem["detail"]), *(str(error["detail"]) for error in problem.get("errors", ()))]
        return "\n".join([*lines, *([str(problem["fix"])] if "fix" in problem else [])])
    except (ValueError, KeyError, TypeError):
        return f"the gateway answered {answer.status_code}"
