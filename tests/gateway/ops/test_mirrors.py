"""Services and mirrors over the API: how upstreams do, what is not checked, where shadows differ."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.ops.mirrors import declare_mirrors
from gateway.ops.v1 import SCOPES
from gateway.services.foreign import Foreign, Means, governed_services
from gateway.upstreams.lease import Lease
from kernel.api import Api
from kernel.clock import SystemClock
from kernel.settings import Settings

DOCUMENT = json.dumps({"openapi": "3.1.0", "info": {"title": "C", "version": "1"}, "paths": {"/a/{id}": {"get": {}}}})
SERVICE = {"name": "catalog", "contract": "c.json", "prefix": "/catalog/v1", "upstreams": ["http://127.0.0.1:9"]}
MIRROR = {"name": "next", "api": "services/catalog", "upstreams": ["http://127.0.0.1:9"]}


@dataclass
class Books:
    """As much of a house as the endpoints look at."""

    foreign: Foreign = field(default_factory=Foreign)


async def _nothing(_: Any) -> list[tuple[bytes, bytes]]:
    return []


@pytest.fixture
async def client() -> Any:
    books, api = Books(), Api("ops", "gateway", "1.0.0", "Gateway", "d", "t", SCOPES)
    declare_mirrors(api, books)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://t/ops/gateway/v1") as http:
        yield http, books


async def test_where_nothing_is_configured_there_is_nothing(client: Any) -> None:
    http, _ = client

    assert (await http.get("/services")).json() == (await http.get("/mirrors")).json() == {"items": []}


async def test_upstreams_notes_and_comparisons_are_told(client: Any, tmp_path: Path) -> None:
    http, books = client
    settings = Settings.model_validate({"services": [SERVICE], "mirrors": [MIRROR]})
    found = governed_services(settings.services, lambda _: DOCUMENT)
    async with AsyncExitStack() as closing:
        opened = await books.foreign.open(settings, found, Means(tmp_path, SystemClock(), Lease(), _nothing), closing)
        opened.mirrors[0].counts["services.catalog.v1.get_a_id", "same"] += 3
        (service,) = (await http.get("/services")).json()["items"]
        (mirror,) = (await http.get("/mirrors")).json()["items"]
        metrics = {family.name for family in books.foreign.collect()}
    await asyncio.sleep(0)

    assert (service["api"], service["upstreams"][0]["address"]) == ("services/catalog", "127.0.0.1:9")
    assert service["notes"][0].startswith("GET /a/{id} is called get_a_id here")
    assert mirror["operations"] == [
        {"operation": "services.catalog.v1.get_a_id", "same": 3, "different": 0, "failed": 0, "skipped": 0, "dropped": 0}
    ]
    assert {"trivium_upstream_calls", "trivium_mirrored_calls"} <= metrics
    assert books.foreign.in_force is None  # closed with its configuration
