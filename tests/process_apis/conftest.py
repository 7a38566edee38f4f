"""Each test has the seeded world in memory, over master data of its own in an SQLite file."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kernel.db import Database
from kernel.settings import Route
from master_data.book import MasterData
from master_data.mappings import MappingBook
from master_data.ownership import Ownership
from master_data.references import CrossReferenceBook
from master_data.routing import Routing
from master_data.seed import read_mappings, seed_mappings
from tests.process_apis.platforms.world import OwnedClock, World

ROOT = Path(__file__).parent.parent.parent
ROUTES = [
    Route(countries=["US", "CA"], legal_entity="US01", erp="netsuite", erp_entity_id="1", billing="stripe", currency="USD"),
    Route(countries=["DE"], legal_entity="DE01", erp="netsuite", erp_entity_id="2", billing="stripe", currency="EUR"),
]


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the example mappings, and links to the customers whom the ERP and billing know; copied for each test."""
    file = tmp_path_factory.mktemp("seeded") / "trivium.sqlite"

    async def make() -> None:
        database = Database(f"sqlite:///{file}")
        await database.create_all()
        book = over(database)
        await seed_mappings(book.mappings, read_mappings(ROOT / "mappings.example.toml"))
        await World(book).onboard("ACC-1003", "ACC-1004", "ACC-1005", "ACC-1007")
        await database.close()

    asyncio.run(make())
    return file


@pytest.fixture
async def database(seeded: Path, tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{shutil.copy(seeded, tmp_path)}")
    yield database
    await database.close()


@pytest.fixture
def world(database: Database) -> World:
    """Northwind (ACC-1001) and Alpenglow (ACC-1002) are not onboarded yet."""
    return World(over(database))


def over(database: Database) -> MasterData:
    clock = OwnedClock()
    return MasterData(
        MappingBook(database, clock), CrossReferenceBook(database, clock), Routing(ROUTES), Ownership(database, clock)
    )
