"""A gateway whose contracts and settings lie in a folder of the test's own, and as many processes of it as the test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from gateway.configuration.check import Checked
from gateway.configuration.control import Control
from gateway.configuration.history import History
from gateway.configuration.source import Files
from gateway.contracts import BadContract
from gateway.dispatch import Dispatch, InProcess
from gateway.door import Door
from gateway.limits.limiter import Limiter
from gateway.observe import AccessLog, Metrics
from gateway.pages import pages
from gateway.pipeline import Call, Caller, Forward, Operation, Policy
from gateway.policies import Means, policies
from gateway.policies.trace import Observation
from kernel.db import Database
from kernel.sections.decisions import Configuration
from kernel.settings import Settings
from tests.gateway.conftest import CONTRACT, Answer, Echo, FakeClock, ask
from tests.journeys.databases import fresh_postgres

CALLER = Caller("acme", "acme", frozenset({"orders:read", "orders:write"}))
APIS = frozenset({"process/orders"})


@dataclass
class Deployed:
    """One process. `opened` counts what its editions opened and have not closed."""

    control: Control
    echo: Echo
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    @property
    def app(self) -> ASGIApp:
        return self.control.live

    async def ask(self, method: str, target: str, headers: Any = (), *chunks: bytes) -> Answer:
        return await ask(self.app, method, target, headers, chunks)

    async def until(self, holds: Callable[[], bool], within: float = 5.0) -> None:
        ends = monotonic() + within
        while not holds():
            assert monotonic() < ends, "it did not come to that"
            await asyncio.sleep(0.01)


class Estate:
    """The folder, the database, and the processes."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database, self.clock = folder, database, FakeClock()
        self.contracts, self.said = folder / "contracts", dict[str, Any]()
        self.contracts.mkdir()
        self.write(CONTRACT)
        self.stack = AsyncExitStack()

    def write(self, contract: str, name: str = "v1.yaml") -> None:
        (self.contracts / name).write_text(contract, encoding="utf-8")

    def change(self, how: Callable[[Any], object]) -> None:
        """The usual contract, changed by a function on the parsed document."""
        document = yaml.safe_load(CONTRACT)
        how(document)
        self.write(yaml.safe_dump(document))

    @property
    def settings(self) -> Settings:
        usual = {"data": self.folder, "configuration": Configuration(contracts=self.contracts, follow=0.05)}
        return Settings(**{**usual, **self.said})

    async def start(self, part: str = "all", **said: Any) -> Deployed:
        settings, echo, limiter = self.settings.model_copy(update=said), Echo(), Limiter(clock=self.clock)
        registry = CollectorRegistry()
        metrics, log = Metrics(registry), AccessLog(lambda _: None)

        async def build(found: Checked, closing: AsyncExitStack) -> ASGIApp:
            unserved = {operation.api for operation in found.operations} - APIS
            if unserved:
                raise BadContract(f"{', '.join(unserved)} is not served here")
            process.opened.append(found.bundle.digest)
            closing.callback(process.closed.append, found.bundle.digest)
            means = Means(Observation(metrics, log), _believing, limiter, found.settings)
            return Door(
                found.operations,
                policies=policies(means),
                dispatch=Dispatch({api: InProcess(echo) for api in APIS}),
                pages=pages({}, registry, process.control.standing.about),
            )

        history = History(self.database, self.clock)
        control = Control(settings, Files(lambda: self.settings), history, build, lambda _: None)
        process = Deployed(control, echo)
        registry.register(control.standing)
        self.stack.push_async_callback(control.close)
        await control.start(part)
        return process


def _believing(operation: Operation) -> Policy | None:
    if operation.public:
        return None

    async def policy(call: Call, forward: Forward) -> None:
        call.caller = CALLER
        await forward(call)

    return policy


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def estate(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Estate]:
    """On SQLite and on PostgreSQL."""
    with _database_url(request.param, tmp_path) as url:
        database = Database(url)
        await database.create_all()
        made = Estate(tmp_path, database)
        yield made
        await made.stack.aclose()
        await database.close()


@pytest.fixture
async def single(tmp_path: Path) -> AsyncIterator[Estate]:
    """On SQLite alone, for what the database does not matter to."""
    database = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    made = Estate(tmp_path, database)
    yield made
    await made.stack.aclose()
    await database.close()


def _database_url(kind: str, folder: Path) -> Any:
    return nullcontext(f"sqlite:///{folder / 'trivium.sqlite'}") if kind == "sqlite" else fresh_postgres()
