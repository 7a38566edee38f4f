"""What the gateway goes by, over its own API: the history, putting the files in force, and going back."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path

from contracts.models.configuration import ConfigurationEntry, ConfigurationHistory, ConfigurationWanted, ProcessStanding
from gateway.configuration.control import Control
from gateway.configuration.history import Entry
from gateway.house import House
from kernel.api import Api, IdempotencyKey
from kernel.context import caller
from kernel.problem import Conflict, NotFound, Unavailable

ConfigurationNumber = Annotated[int, Path(ge=1, le=2**53)]
SHOWN = 100  # configurations in one answer


def declare_configuration(api: Api, house: House) -> None:
    @api.get("/configurations", scope="gateway:read")
    async def list_configurations() -> ConfigurationHistory:
        """What was put in force, the newest first, and what each process of the deployment goes by."""
        history = _control(house).history
        return ConfigurationHistory(
            items=[_shown(entry) for entry in await history.entries(SHOWN)],
            processes=[
                ProcessStanding(id=each.id, part=each.part, number=each.number, digest=each.digest, fault=each.fault or None)
                for each in await history.processes()
            ],
        )

    @api.post("/configurations", scope="gateway:write", status=201, timeout=60, problems=(Conflict,))
    async def apply_configuration(wanted: ConfigurationWanted, idempotency_key: IdempotencyKey) -> ConfigurationEntry:
        """Puts in force what the gateway's files say. Broken files change nothing, and everything that is wrong is told."""
        control = _control(house)
        entry = await control.apply(_by(), wanted.digest or "")
        return _shown(entry, control.waiting_for_restart())

    @api.post(
        "/configurations/{number}/restorations", scope="gateway:write", status=201, timeout=60, problems=(Conflict, NotFound)
    )
    async def restore_configuration(number: ConfigurationNumber, idempotency_key: IdempotencyKey) -> ConfigurationEntry:
        """Puts in force again what was in force under that number. The files are left as they are."""
        return _shown(await _control(house).restore(number, _by()))


def _control(house: House) -> Control:
    if house.control is None:
        raise Unavailable("this process does not serve a configuration that could change")
    return house.control


def _by() -> str:
    return caller.get().client or "unknown"


def _shown(entry: Entry, restart: list[str] | None = None) -> ConfigurationEntry:
    return ConfigurationEntry(
        number=entry.number, digest=entry.digest, at=datetime.fromtimestamp(entry.at, UTC), by=entry.by, reason=entry.reason,
        restart=(restart or [])[:1000],
    )  # fmt: skip
