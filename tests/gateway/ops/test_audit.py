"""The audit log over the gateway's own API, on the real store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from prometheus_client import CollectorRegistry

from gateway.audit.entry import Entry
from gateway.audit.opening import open_audit
from gateway.house import House
from gateway.ops.audit import declare_audit
from kernel.api import Api
from kernel.db import Database
from kernel.sections.audit import Audit
from tests.gateway.conftest import FakeClock

HERE = "/ops/gateway/v1"


@dataclass
class Rooms:
    """As much of the house as this topic uses."""

    database: Database


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    clock, database = FakeClock(), Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    log = open_audit(database, tmp_path, Audit(), clock, CollectorRegistry())
    log.start()
    for number in range(5):
        log.add(Entry(log.now() + number, client=f"c{number % 2}", operation="submit", status=201, ids={"id": str(number)}))
    await log.close()
    api = Api("ops", "gateway", "1.0.0", "Gateway", "", "team", {"gateway:read": "r", "gateway:write": "w"})
    declare_audit(api, cast(House, Rooms(database)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url=f"http://gateway{HERE}") as client:
        yield client
    await database.close()


def _numbers(page: Any) -> list[str]:
    return [entry["ids"]["id"] for entry in page["items"] if entry["kind"] == "call"]


async def test_pages_follow_each_other_by_their_link(http: httpx.AsyncClient) -> None:
    found, link = [], "/audit?limit=2&operation=submit"
    while link:
        answer = await http.get(link)
        found += _numbers(answer.json())
        link = answer.headers.get("link", "").partition("<")[2].partition(">")[0].removeprefix(HERE)

    assert found == ["4", "3", "2", "1", "0"]


async def test_an_entry_says_who_did_what_and_where_it_stands(http: httpx.AsyncClient) -> None:
    page = (await http.get("/audit", params={"client_id": "c1", "since": "2026-03-01T12:00:00Z", "limit": 1})).json()
    [entry] = page["items"]

    assert (entry["client"], entry["operation"], entry["status"], entry["kind"]) == ("c1", "submit", 201, "call")
    assert entry["at"].startswith("2026-03-01T12:00:00")
    assert (entry["seq"], len(entry["seal"])) == (4, 64)


async def test_what_is_out_of_time_is_not_shown(http: httpx.AsyncClient) -> None:
    assert (await http.get("/audit", params={"since": "2027-01-01T00:00:00Z"})).json()["items"] == []


async def test_a_cursor_that_is_none_is_told(http: httpx.AsyncClient) -> None:
    answer = await http.get("/audit?cursor=nonsense")

    assert (answer.status_code, answer.json()["field"]) == (422, "cursor")
