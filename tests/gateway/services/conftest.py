"""A door before services that a test makes up, opened as the settings say."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.pipeline import Call, Operation
from gateway.services.foreign import Means, Opened, governed_services, operations_of
from gateway.upstreams.lease import Lease
from kernel.clock import SystemClock
from kernel.sections.services import Service
from kernel.settings import Settings
from tests.gateway.conftest import CALLER, House
from tests.gateway.upstreams.conftest import cluster_of, raw_upstream

__all__ = ["cluster_of", "raw_upstream"]
NOTHING = yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "none", "version": "1"}, "paths": {}})
READER = frozenset({"catalog:read", "catalog:write"})
PLENTY = {"default": [{"policy": "burst", "quota": 100_000, "window": 60}]}
Governing = Callable[..., Awaitable[tuple[House, Opened]]]


async def proof_of_ours(_: Call) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", b"Bearer ours")]


def catalog(paths: Any, **more: Any) -> str:
    return json.dumps({"openapi": "3.1.0", "info": {"title": "Catalog", "version": "1.0.0"}, "paths": paths, **more})


@pytest.fixture
async def governing(build: Any, tmp_path: Path) -> AsyncIterator[Governing]:
    """A door and what was opened for it: `url` is the service's upstream, `said` the rest of its settings."""
    opened: list[Opened] = []

    async def make(
        document: str,
        url: str,
        *,
        canaries: Sequence[Any] = (),
        mirrors: Sequence[Any] = (),
        ours: Sequence[Operation] = (),
        targets: Any = None,
        lease: Lease | None = None,
        **said: Any,
    ) -> tuple[House, Opened]:
        usual = {"name": "catalog", "contract": "c.json", "prefix": "/catalog/v1", "upstreams": [url], "limits": PLENTY}
        services = [Service.model_validate({**usual, **said})]
        settings = Settings.model_validate({"services": services, "canaries": canaries, "mirrors": mirrors, "data": tmp_path})
        found = governed_services(settings.services, lambda _: document)
        means = Means(tmp_path, SystemClock(), lease or Lease(), proof_of_ours)
        opened.append(await Opened.of(settings, found, means))
        served = (*ours, *operations_of(found))
        house: House = build(NOTHING, beside=served, target=opened[-1].dispatch(targets or {}, served))
        house.caller = replace(CALLER, scopes=CALLER.scopes | READER)
        return house, opened[-1]

    yield make
    for each in opened:
        await each.close()
    await asyncio.sleep(0)
