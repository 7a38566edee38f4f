"""Attacks go through the whole door, so they build it as the gateway's own tests do."""

from collections.abc import Iterator

import pytest

from tests.attacks.process import GatewayProcess, gateway_process
from tests.gateway.conftest import asking, build, clock, contract, house, operation, raw, served
from tests.gateway.upstreams.conftest import raw_upstream

__all__ = ["asking", "build", "clock", "contract", "house", "operation", "raw", "raw_upstream", "served"]


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway_process(tmp_path_factory.mktemp("gateway")) as running:
        yield running
        log = running.log()

    assert "Traceback" not in log, log


@pytest.fixture
def gateway(process: GatewayProcess) -> GatewayProcess:
    process.upstream.forget()
    return process
