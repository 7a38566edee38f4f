"""The house made live: its decision log opened, its configuration chosen, and whatever is put in force later followed."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from starlette.types import ASGIApp

from gateway.configuration.check import Checked
from gateway.configuration.control import Control
from gateway.configuration.history import History
from gateway.configuration.source import Files
from gateway.decisions.log import DecisionLog
from gateway.decisions.store import DecisionStore
from gateway.house import House
from gateway.live import Live

Furnish = Callable[[House], Awaitable[ASGIApp]]


async def governed(house: House, part: str, furnish: Furnish, files: Files | None = None) -> Live:
    """What is served. `furnish` makes the door for a configuration, which it finds in the house it is handed.

    `files`: where a new configuration is found; the settings stay what they are where it is not said. Raises BadConfiguration.
    """
    settings, registry = house.settings, house.metrics.registry
    open_decisions(house)

    async def build(found: Checked, closing: AsyncExitStack) -> ASGIApp:
        return await furnish(house.under(found, closing))

    history = History(house.database, house.clock)
    control = house.control = Control(settings, files or Files(lambda: settings), history, build, house.goes_by)
    house.closing.push_async_callback(control.close)
    registry.register(control.standing)
    house.closing.callback(registry.unregister, control.standing)
    return await control.start(part)


def open_decisions(house: House) -> None:
    """Receipts are kept from now on."""
    settings = house.settings
    store = DecisionStore(settings.database, settings.data)
    log = house.decisions = DecisionLog(store, settings.decisions, house.clock, house.metrics.registry)
    log.start()
    house.closing.callback(log.close)
