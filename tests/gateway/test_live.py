"""Under load, twenty changes: every call is answered, by one configuration, and what was taken away is gone at once."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml

from gateway.live import Edition, Live
from gateway.server import options
from kernel.db import Database
from tests.gateway.configuration.conftest import Deployed, Estate
from tests.gateway.conftest import CONTRACT

ORDERS = "/process/orders/v1/orders"
HELLO = "/process/orders/v1/hello"
CHANGES = 20


@pytest.fixture
async def estate(tmp_path: Path) -> AsyncIterator[Estate]:
    database = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    made = Estate(tmp_path, database)
    yield made
    await made.stack.aclose()
    await database.close()


@asynccontextmanager
async def _served(process: Deployed) -> AsyncIterator[str]:
    """On the test's own loop, as the process would serve it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(process.app, log_level="critical", **{**options(), "loop": "none"}))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await process.until(lambda: server.started)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task


def _edition(number: int) -> str:
    """Odd ones promise the greeting and take a `tag`; even ones do neither. Each has a quota of its own."""
    document = yaml.safe_load(CONTRACT)
    limits = {"default": [{"policy": "burst", "quota": 1_000_000 + number, "window": 60}]}
    for methods in document["paths"].values():
        for said in methods.values():
            if isinstance(said, dict):
                said["x-trivium-limits"] = limits
    if number % 2:
        tag = {"in": "query", "name": "tag", "schema": {"type": "string"}}
        document["paths"][f"{ORDERS}"]["get"]["parameters"].append(tag)
    else:
        del document["paths"][HELLO]
    return yaml.safe_dump(document)


async def test_twenty_changes_under_load_drop_fail_or_half_govern_no_call(estate: Estate) -> None:
    estate.write(_edition(1))
    process = await estate.start()
    answers: Counter[tuple[str, int, str]] = Counter()
    stop = asyncio.Event()

    async def call(client: httpx.AsyncClient, target: str) -> None:
        while not stop.is_set():
            answer = await client.get(target)
            quota = answer.headers.get("ratelimit-policy", "").partition("q=")[2].partition(";")[0]
            answers[target, answer.status_code, quota] += 1

    async with _served(process) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        traffic = [asyncio.create_task(call(client, target)) for target in (ORDERS, f"{ORDERS}?tag=a") for _ in range(4)]
        gone = []
        for number in range(2, CHANGES + 2):
            estate.write(_edition(number))
            await process.control.apply("ann")
            gone.append((await client.get(HELLO)).status_code)
            seen = sum(answers.values())
            await process.until(lambda seen=seen: sum(answers.values()) > seen + 20)  # type: ignore[misc]
        stop.set()
        await asyncio.gather(*traffic)  # raises what a dropped or failed request raised

    assert gone == [404, 200] * (CHANGES // 2)
    plain = {(status, int(quota) - 1_000_000) for target, status, quota in answers if target == ORDERS}
    tagged = {(status, int(quota or 1_000_000) - 1_000_000) for target, status, quota in answers if target != ORDERS}
    assert {status for status, _ in plain} == {200}
    assert {quota for _, quota in plain} == set(range(1, CHANGES + 2))
    assert {quota for status, quota in tagged if status == 200} == set(range(1, CHANGES + 2, 2))  # an odd one's word in all
    assert {quota for status, quota in tagged if status == 422} == {0}  # an even one's: it did not come to the limit
    assert {status for status, _ in tagged} == {200, 422}
    assert sum(answers.values()) > 20 * CHANGES
    await process.until(lambda: len(process.closed) == CHANGES)
    assert len(process.opened) == CHANGES + 1


async def test_a_long_call_stays_with_the_door_it_came_in_by() -> None:
    go_on, inside, seen = asyncio.Event(), asyncio.Event(), list[str]()

    async def old(scope: Any, receive: Any, send: Any) -> None:
        inside.set()
        await go_on.wait()
        seen.append("old")

    async def new(scope: Any, receive: Any, send: Any) -> None:
        seen.append("new")

    first = Edition(old, "a", 1)
    first.closing.callback(seen.append, "closed")
    live = Live(first)
    call = asyncio.ensure_future(live({"type": "http"}, None, None))  # type: ignore[arg-type]
    await inside.wait()
    live.swap(Edition(new, "b", 2))
    await live({"type": "http"}, None, None)  # type: ignore[arg-type]
    go_on.set()
    await call
    await asyncio.gather(*live._leaving)

    assert seen == ["new", "old", "closed"]
    assert live.edition.number == 2
    await live.close()


async def test_at_the_end_of_the_process_nothing_stays_open() -> None:
    inside, closed = asyncio.Event(), list[str]()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        inside.set()
        await asyncio.Event().wait()

    live = Live(Edition(endless, "a"))
    live.edition.closing.callback(closed.append, "a")
    call = asyncio.ensure_future(live({"type": "websocket"}, None, None))  # type: ignore[arg-type]
    await inside.wait()
    live.swap(Edition(endless, "b"))
    live.edition.closing.callback(closed.append, "b")
    await asyncio.sleep(0)  # the former edition begins to wait for its call
    await live.close()
    call.cancel()

    assert closed == ["a", "b"]


async def test_a_call_that_fails_has_left_too() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("broken")

    live = Live(Edition(failing))
    with pytest.raises(RuntimeError):
        await live({"type": "http"}, None, None)  # type: ignore[arg-type]

    assert live.edition.calls == 0


async def test_the_lifespan_is_the_first_doors_and_holds_nothing_up() -> None:
    kinds: list[str] = []

    async def first(scope: Any, receive: Any, send: Any) -> None:
        kinds.append(scope["type"])

    live = Live(Edition(first))
    live.swap(Edition(lambda *_: asyncio.sleep(0)))  # type: ignore[arg-type, return-value]
    await live({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    await asyncio.gather(*live._leaving)

    assert kinds == ["lifespan"]
