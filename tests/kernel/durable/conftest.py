"""Every behaviour is asserted on SQLite and on PostgreSQL; without a server the latter is skipped, except under CI=true."""

import asyncio
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.kernel.durable.places import SERVER, Place, postgres_database, reachable

_reachable = cache(reachable)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with all tables, copied for each test: making them takes longer than most tests."""
    if not _reachable() and os.environ.get("CI") != "true":
        pytest.skip(f"no PostgreSQL answers at {SERVER}")
    with postgres_database() as url:

        async def make_tables() -> None:
            async with Place(url, tmp_path_factory.mktemp("template")).engine():
                pass

        asyncio.run(make_tables())
        yield url.rpartition("/")[2]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield Place(f"sqlite:///{tmp_path / 'trivium.sqlite'}", tmp_path)
        return
    with postgres_database(request.getfixturevalue("template")) as url:
        yield Place(url, tmp_path)


@pytest.fixture
def embedded(tmp_path: Path) -> Place:
    return Place(f"sqlite:///{tmp_path / 'trivium.sqlite'}", tmp_path)


@pytest.fixture
def server(template: str, tmp_path: Path) -> Iterator[Place]:
    with postgres_database(template) as url:
        yield Place(url, tmp_path)
