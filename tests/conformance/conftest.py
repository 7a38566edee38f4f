"""Runs the suite once for each vendor of the registry that serves the port in question, against its sandbox over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from kernel.settings import Connection, Patience
from system_apis import registry
from system_apis.connector import Connector, Secrets
from tests.conformance.calls import Calls, calls
from tests.conformance.operations import Operation, platforms
from tests.conformance.platform import Facts, Platform
from tests.conformance.sandboxed import Sandbox


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is not about one operation runs for each vendor; of those, the ones that serve the module's PORT, and
    only those with sessions where the module says SESSIONS.
    """
    about_operations = any("operation" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "platform" in metafunc.fixturenames and not about_operations:
        port, sessions = getattr(metafunc.module, "PORT", None), getattr(metafunc.module, "SESSIONS", False)
        wanted = [p for p in platforms() if port in (None, *p.ports) and (p.token_path or not sessions)]
        metafunc.parametrize("platform", wanted, ids=lambda p: p.vendor)


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    running: dict[str, Sandbox] = {}
    yield running
    for one in running.values():
        one.stop()


@pytest.fixture
def platform(operation: Operation) -> Platform:
    return operation.platform


@pytest.fixture
def sandbox(platform: Platform, sandboxes: dict[str, Sandbox]) -> Sandbox:
    if platform.vendor not in sandboxes:
        sandboxes[platform.vendor] = Sandbox(platform.vendor)
    running = sandboxes[platform.vendor]
    running.reset()
    return running


@pytest.fixture
def connection(platform: Platform, sandbox: Sandbox, tmp_path: Path) -> Connection:
    return platform.settings(sandbox, tmp_path)


def secret_lines_of(folder: Path) -> list[str]:
    """What must never be seen, line by line: a private key leaks by any of its lines."""
    lines = [line for file in sorted(folder.iterdir()) for line in file.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("-----")]


@pytest.fixture
def secret_lines(connection: Connection, tmp_path: Path) -> list[str]:
    return secret_lines_of(tmp_path)


class Connecting(Protocol):
    def __call__(self, *, deadline: float = 10, settings: Connection | None = None) -> AbstractAsyncContextManager[Connector]: ...


@pytest.fixture
def connecting(connection: Connection) -> Connecting:
    """Opens another connector to the same account, with the deadline in seconds, or with other settings."""

    @asynccontextmanager
    async def opened(*, deadline: float = 10, settings: Connection | None = None) -> AsyncIterator[Connector]:
        used = (settings or connection).model_copy(update={"patience": Patience(deadline=deadline)})
        made = registry.connect(used, Secrets(used))
        try:
            yield made
        finally:
            await made.close()

    return opened


@pytest.fixture
async def connector(connecting: Connecting) -> AsyncIterator[Connector]:
    async with connecting() as made:
        yield made


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> type[Any]:
    """The port that the test is about: its module's PORT, or that of its operation."""
    return getattr(request.module, "PORT", None) or request.getfixturevalue("operation").port


@pytest.fixture
def port(kind: type[Any], connector: Connector) -> Any:
    return connector.ports[kind]


@pytest.fixture
def facts(kind: type[Any], platform: Platform, sandbox: Sandbox) -> Facts:
    return platform.facts(sandbox)[kind]


@pytest.fixture
async def prepared(port: Any, facts: Facts) -> Calls:
    """The calls of the port, with what they need already made."""
    return await calls(port, facts)
