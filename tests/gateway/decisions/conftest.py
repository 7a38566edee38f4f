"""A decision log on a store of its own, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from gateway.decisions.log import DecisionLog
from gateway.decisions.store import DecisionStore
from kernel.sections.decisions import Decisions
from tests.gateway.conftest import FakeClock
from tests.journeys.databases import fresh_postgres

DIGEST = "c0ffee" * 10


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DecisionStore]:
    if request.param == "sqlite":
        made = DecisionStore("sqlite:///ignored.sqlite", tmp_path)
        yield made
        made.close()
        return
    with fresh_postgres() as url:
        made = DecisionStore(url, tmp_path)
        yield made
        made.close()


@pytest.fixture
def keep(build: Any, clock: FakeClock, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A house whose calls leave receipts in `house.decisions`, which writes when it is asked."""
    made: list[DecisionLog] = []

    def make(settings: Decisions = Decisions(), store: DecisionStore | None = None, **more: Any) -> Any:
        log = DecisionLog(store or DecisionStore("sqlite://", tmp_path), settings, clock, CollectorRegistry())
        made.append(log)
        kept = log.under(DIGEST, settings)
        house = build(decisions=kept, **more)
        kept.chains = house.app.chains
        house.decisions = log
        return house

    yield make
    for log in made:
        log.close()
