"""Actual use over the gateway's own API: everybody's for those who run it, its own for a partner."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
import pytest

from gateway.consumption.book import FieldUseBook
from gateway.house import House
from gateway.ops.consumption import declare_consumption
from gateway.pipeline import Caller
from kernel.api import Api
from kernel.context import Someone, caller
from kernel.db import Database

HERE = "/ops/gateway/v1"
OPERATOR = Caller("tvc_ops", "tvc_ops", frozenset({"gateway:read"}))
QUOTES, ORDERS = "process.quotes.v1.validate_quote", "process.orders.v1.list_orders"


@dataclass
class Rooms:
    database: Database


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    database = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    lines = {
        ("2026-03-01", "a", "acme", QUOTES, "1.0.0", "response", "verdict"): 2,
        ("2026-03-01", "g", "globex", QUOTES, "1.0.0", "call", ""): 3,
        ("2026-03-02", "own", "", ORDERS, "1.0.0", "query", "state"): 5,
    }
    await FieldUseBook(database).record(lines)
    api = Api("ops", "gateway", "1.0.0", "Gateway", "", "team", {"gateway:read": "r"})
    declare_consumption(api, cast(House, Rooms(database)))
    token = caller.set(OPERATOR)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url=f"http://gateway{HERE}") as client:
        yield client
    caller.reset(token)
    await database.close()


async def clients(http: httpx.AsyncClient, **asked: object) -> list[str]:
    answer = await http.get("/consumption", params={name: str(value) for name, value in asked.items()})
    assert answer.status_code == 200, answer.text
    return [line["client_id"] for line in answer.json()["items"]]


async def test_use_is_shown_by_day_client_version_and_field(http) -> None:
    shown = (await http.get("/consumption")).json()["items"]

    assert [line["client_id"] for line in shown] == ["own", "a", "g"]
    assert shown[1] == {
        "day": "2026-03-01", "client_id": "a", "partner": "acme", "operation": QUOTES, "version": "1.0.0", "part": "response",
        "field": "verdict", "calls": 2,
    }  # fmt: skip
    assert shown[2].get("field") is None


async def test_use_is_asked_for_by_api_client_operation_and_day(http) -> None:
    assert await clients(http, api="process/quotes/v1") == ["a", "g"]
    assert await clients(http, api="process/quotes") == ["a", "g"]
    assert await clients(http, client_id="own") == ["own"]
    assert await clients(http, operation=ORDERS) == ["own"]
    assert await clients(http, since="2026-03-02") == ["own"]
    assert (await http.get("/consumption", params={"api": "../x"})).status_code == 422
    assert (await http.get("/consumption", params={"cursor": "nonsense"})).status_code == 422


async def test_use_is_paged_with_the_same_question(http) -> None:
    first = await http.get("/consumption", params={"limit": 1, "api": "process/quotes/v1"})
    second = await http.get(first.links["next"]["url"].removeprefix(HERE))

    assert [line["client_id"] for answer in (first, second) for line in answer.json()["items"]] == ["a", "g"]
    assert "next" not in second.links


@pytest.mark.parametrize(
    ("whom", "shown"),
    [
        (OPERATOR, ["own", "a", "g"]),
        (Caller("a", "a", frozenset(), accounts=frozenset(), partner="acme"), ["a"]),
        (Caller("own", "own", frozenset(), accounts=frozenset()), ["own"]),
        (Caller("other", "other", frozenset(), accounts=frozenset()), []),
    ],
)
async def test_everybody_sees_the_use_that_is_theirs(http, whom: Someone, shown: list[str]) -> None:
    caller.set(whom)
    asked_for_all = [name for client in ("a", "g", "own") for name in await clients(http, client_id=client)]

    assert await clients(http) == shown
    assert set(asked_for_all) <= set(shown)
