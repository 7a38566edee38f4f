"""What is kept, on SQLite and on PostgreSQL alike, under a clock that the test owns."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from gateway.oauth.sealing import Seal
from gateway.replays.store import Replays
from gateway.replays.tables import replays
from kernel.db import Database
from kernel.sections.replays import Replays as Terms
from tests.gateway.conftest import FakeClock
from tests.journeys.databases import fresh_postgres

SEAL = Seal(b"k" * 32)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with fresh_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    embedded = request.param == "sqlite"
    opened = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}" if embedded else request.getfixturevalue("postgres_url"))
    await opened.create_all()
    async with opened.transaction() as connection:
        await connection.execute(replays.delete())
    yield opened
    await opened.close()


Opening = Callable[..., Replays]


@pytest.fixture
async def opening(database: Database, clock: FakeClock) -> AsyncIterator[Opening]:
    """Opens what one more process of the deployment would: the same database, nothing else shared."""
    opened: list[Replays] = []

    def one(**terms: float) -> Replays:
        opened.append(Replays(database, SEAL, clock, Terms.model_validate(terms)))
        return opened[-1]

    yield one
    for each in opened:
        await each.close()
