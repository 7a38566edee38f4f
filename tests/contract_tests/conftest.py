"""Shared by the contract tests: the door in process, and a whole deployment on loopback that has been travelled."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.contract_tests.door import Entrance, entrance
from tests.contract_tests.evidence import Record, wanted
from tests.contract_tests.travels import Travels, travel
from tests.journeys.deployment import Deployment

RECORD = Record()


@pytest.fixture(scope="session")
def record() -> Record:
    """What this run will have been evidence of."""
    return RECORD


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        module, _, case = report.nodeid.rpartition("/")[2].partition(".py::")
        RECORD.note(module, case, passed=report.passed)


def pytest_sessionfinish(session: pytest.Session) -> None:
    said = session.config.option
    folder = wanted(session.config.args, said.keyword, said.markexpr)
    if folder is not None:
        RECORD.write(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Entrance]:
    async with entrance(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture(scope="session")
def travels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Travels]:
    """A deployment of its own, which stays up; plain, because schemathesis asks it from code that awaits nothing."""
    deployment = Deployment(tmp_path_factory.mktemp("contracts"), {"TRIVIUM_ANSWER_WITHIN": "2"})
    with asyncio.Runner() as runner:
        try:
            runner.run(_up(deployment))
            yield runner.run(travel(deployment))
        finally:
            runner.run(deployment.stop())


async def _up(deployment: Deployment) -> None:
    await deployment.start_sandbox()
    await deployment.start_gateway()
