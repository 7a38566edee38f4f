"""The real connectors behind their guards, over real HTTP, before the bundled imitations in a process of their own."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.processes import VENDORS, Place, place
from contracts.models.operation import CrmRecord
from contracts.ports.system import Systems
from gateway.compose import connected_systems
from gateway.house import House
from gateway.opening import open_house
from kernel.settings import Budget, Settings
from master_data.book import MasterData, master_data
from master_data.seed import read_mappings, seed_mappings

PARTY, QUOTE = "ACC-1003", "Q-1003"  # a customer that ERP and billing know; a quote that passes
NO_BUDGET = Budget(concurrency=1000, per_second=10_000, burst=10_000)


@dataclass(frozen=True)
class Sandboxed:
    """A process of ours as `trivium serve` composes it, and a quote of a known customer at the imitations."""

    place: Place
    house: House
    systems: Systems
    book: MasterData
    quote: CrmRecord

    async def slow_down(self, seconds: float) -> None:
        """From now on every platform answers so much later."""
        async with httpx.AsyncClient(trust_env=False) as client:
            for vendor in VENDORS:
                fault = {"kind": "latency", "seconds": seconds, "count": None}
                (await client.post(f"{self.place.platform(vendor)}/__sandbox__/faults", json=fault)).raise_for_status()


@asynccontextmanager
async def sandboxed(database_url: str = "") -> AsyncIterator[Sandboxed]:
    """The connections' budgets are lifted: it is our own work that is measured."""
    with tempfile.TemporaryDirectory() as folder:
        there = place(folder)
        settings = _without_budget(there.settings().model_copy(update={"database_url": database_url}))
        async with there.sandbox(), open_house(settings, "bench") as house:
            systems, book = await connected_systems(house), master_data(settings, house.database)
            await seed_mappings(book.mappings, read_mappings(settings.mappings or Path()))
            yield Sandboxed(there, house, systems, book, await _known_quote(there, systems, book))


def _without_budget(settings: Settings) -> Settings:
    connections = [connection.model_copy(update={"budget": NO_BUDGET}) for connection in settings.connections]
    return settings.model_copy(update={"connections": connections})


async def _known_quote(there: Place, systems: Systems, book: MasterData) -> CrmRecord:
    """Links the customer's objects under its key, as onboarding would have."""
    async with httpx.AsyncClient(trust_env=False) as client:
        records = (await client.get(f"{there.platform('salesforce')}/__sandbox__/records/Quote")).json()
    quote = CrmRecord(connection="salesforce", id=next(each["Id"] for each in records if each["QuoteNumber"] == QUOTE))
    for port in (systems.erp("netsuite"), systems.billing("stripe")):
        customer = await port.find_customer(PARTY)
        if customer is None:
            raise RuntimeError(f"the seeded world has no {PARTY}")
        await book.references.link(PARTY, customer.reference)
    await book.references.link(PARTY, (await systems.crm("salesforce").get_quote(quote.id)).account)
    return quote
