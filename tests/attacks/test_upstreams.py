"""Upstreams that fail in every way there is: a stated problem or a broken connection, little memory, and a recovery."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.services.foreign import Means, Opened
from gateway.services.overlay import governed
from gateway.upstreams.lease import Lease
from kernel.clock import SystemClock
from kernel.sections.services import Service
from tests.gateway.conftest import Answer, House
from tests.gateway.upstreams.conftest import RawUpstream, Talk

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
DOCUMENT = {
    "openapi": "3.1.0", "info": {"title": "Catalog", "version": "1.0.0"},
    "paths": {
        "/items": {
            "get": {"operationId": "list_items", "responses": {}},
            "post": {"operationId": "add_item", "requestBody": {"content": {"application/json": {"schema": {}}}}},
            "put": {"operationId": "set_items", "requestBody": {"content": {"*/*": {}}}},
        }
    },
}  # fmt: skip
ITEMS = "/catalog/v1/items"


class Governed:
    """A door before one raw upstream."""

    def __init__(self, house: House, upstream: RawUpstream, opened: Opened) -> None:
        self.house, self.upstream, self.cluster = house, upstream, opened.clusters[0]

    async def get(self) -> Answer:
        return await self.house.ask("GET", ITEMS)

    async def post(self) -> Answer:
        return await self.house.ask("POST", ITEMS, {"content-type": "application/json"}, b'{"a":1}')


Governing = Callable[..., Awaitable[Governed]]


@pytest.fixture
async def governing(build: Any, raw_upstream: Any, tmp_path: Path) -> AsyncIterator[Governing]:
    opened: list[Opened] = []

    async def make(script: Any, **said: Any) -> Governed:
        upstream = await raw_upstream(script)
        usual: dict[str, Any] = {
            "name": "catalog", "contract": "c.json", "prefix": "/catalog/v1", "upstreams": [upstream.url], "timeout": 0.4,
            "stall": 0.4, "public": ["list_items", "add_item", "set_items"], "retries": {"attempts": 1},
            "limits": {"default": [{"policy": "burst", "quota": 10_000, "window": 60}]},
            "connections": {"connect": 0.4}, "ejection": {"breaker": 1000},
        }  # fmt: skip
        found = governed(Service(**{**usual, **said}), lambda _: json.dumps(DOCUMENT))
        means = Means(tmp_path, SystemClock(), Lease(), _nobody)
        opened.append(Opened(means))
        opened[-1].serve(found)
        contract = yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "none", "version": "1"}, "paths": {}})
        return Governed(build(contract, targets=opened[-1].targets, beside=found.operations), upstream, opened[-1])

    yield make
    for each in opened:
        await each.close()
    await asyncio.sleep(0)


async def _nobody(_: Any) -> list[tuple[bytes, bytes]]:
    return []


def then(*parts: bytes, stay: bool = False) -> Any:
    """After each request: these bytes; then the connection ends, or stays and is silent."""

    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(*parts)
        if stay:
            await talk.gone()

    return script


async def reset(talk: Talk) -> None:
    talk.reset()


async def reset_once_asked(talk: Talk) -> None:
    await talk.request()
    talk.reset()


async def large_error(talk: Talk) -> None:
    await talk.request()
    await talk.say(b"HTTP/1.1 500 Oops\r\nContent-Type: application/problem+json\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(1000):
        await talk.say(b" " * 100_000)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LONG_ERROR = b"HTTP/1.1 %d No\r\nContent-Length: 90\r\n\r\nsecret"
REFUSED = {
    "resets before the request": (reset, 503, "outcome-unknown"),
    "resets after the request": (reset_once_asked, 503, "outcome-unknown"),
    "closes without a word": (then(), 503, "outcome-unknown"),
    "closes in the head": (then(HEAD), 503, "outcome-unknown"),
    "says nothing": (then(stay=True), 504, "platform-timeout"),
    "stalls in the head": (then(HEAD, stay=True), 504, "platform-timeout"),
    "speaks something else": (then(b"220 smtp.example ESMTP\r\n", stay=True), 502, "bad-platform-answer"),
    "sends a head without an end": (then(HEAD + b"X: " + b"a" * 400_000, stay=True), 502, "bad-platform-answer"),
    "sends too many headers": (then(HEAD + b"X: a\r\n" * 1000 + b"\r\n", stay=True), 502, "bad-platform-answer"),
    "announces two lengths": (
        then(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", stay=True), 502, "bad-platform-answer"
    ),
    "frames it in two ways": (
        then(HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", stay=True), 502, "bad-platform-answer"
    ),
    "answers an error of 100 MB": (large_error, 500, "internal"),
    "answers an error and breaks off": (then(LONG_ERROR % 404), 404, "not-found"),
    "answers an error that never ends": (then(LONG_ERROR % 409, stay=True), 409, "conflict"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_a_failure_before_the_answer_is_a_stated_problem(governing: Governing, name: str) -> None:
    script, status, problem = REFUSED[name]
    service = await governing(script)
    answer = await asyncio.wait_for(service.post(), 15)

    assert (answer.status, answer.json()["type"].rpartition(":")[2]) == (status, problem)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["system"] == "services/catalog"
    assert "secret" not in answer.body.decode()


@pytest.mark.parametrize("name", REFUSED)
async def test_its_connection_serves_nobody_else_and_the_next_call_is_served(governing: Governing, name: str) -> None:
    script, _, _ = REFUSED[name]
    service = await governing(script)
    await asyncio.wait_for(service.post(), 15)
    service.upstream.script = then(OK, stay=True)
    answer = await service.post()

    assert (answer.status, answer.body) == (200, b"{}")
    assert service.upstream.connections >= 2
    assert service.cluster.endpoints[0].under_way == 0


CUT_SHORT = {
    "closes in the body": then(HEAD + b"Content-Length: 100\r\n\r\n{"),
    "closes in the chunks": then(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"),
    "sends garbage for a chunk": then(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n", stay=True),
    "stalls in the body": then(HEAD + b"Content-Length: 100\r\n\r\n{", stay=True),
}


@pytest.mark.parametrize("name", CUT_SHORT)
async def test_an_answer_that_breaks_off_breaks_off_for_the_caller_too(
    governing: Governing, served: Any, raw: Any, name: str
) -> None:
    service = await governing(CUT_SHORT[name])
    port = served(service.house.app)
    request = f"GET {ITEMS} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    received = await asyncio.to_thread(raw, port, request)

    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.endswith((b"{", b"1\r\n{\r\n"))
    assert b"0\r\n\r\n" not in received


async def test_a_body_longer_than_announced_ends_where_it_was_announced(governing: Governing) -> None:
    service = await governing(then(HEAD + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\nsmuggled", stay=True))
    first = await service.get()
    second = await service.get()

    assert first.body == second.body == b"{}"
    assert service.upstream.connections == 2


async def test_an_answer_that_trickles_is_taken_as_long_as_it_moves(governing: Governing) -> None:
    async def trickle(talk: Talk) -> None:
        await talk.request()
        await talk.say(HEAD + b"Content-Length: 20\r\n\r\n")
        for _ in range(20):
            await asyncio.sleep(0.01)
            await talk.say(b"x")
        await talk.gone()

    service = await governing(trickle)

    assert (await service.get()).body == b"x" * 20


async def test_nobody_listens(governing: Governing) -> None:
    service = await governing(then(OK, stay=True))
    await service.upstream.close()
    answer = await service.post()
    await service.upstream.open()
    again = await service.post()

    assert (answer.status, answer.json()["type"]) == (503, "urn:trivium:problem:platform-down")
    assert again.status == 200


async def test_an_upstream_that_fails_on_and_on_is_left_alone_and_then_tried_once(governing: Governing) -> None:
    service = await governing(reset_once_asked, ejection={"failures": 2, "breaker": 3, "pause": 0.2})
    for _ in range(3):
        await service.get()
    before = service.upstream.connections
    refused = await service.get()
    service.upstream.script = then(OK, stay=True)
    async with asyncio.timeout(5):
        while (await service.get()).status != 200:  # noqa: ASYNC110 - a pause has to pass
            await asyncio.sleep(0.02)

    assert (refused.status, refused.json()["type"], refused.headers["retry-after"]) == (
        503,
        "urn:trivium:problem:platform-down",
        "1",
    )
    assert service.upstream.connections == before + 1


async def test_what_may_be_repeated_is_and_what_may_not_is_not(governing: Governing) -> None:
    async def every_other(talk: Talk) -> None:
        heads.append(await talk.request())
        if len(heads) % 2:
            talk.reset()
        else:
            await talk.say(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    heads: list[bytes] = []
    service = await governing(every_other, retries={"attempts": 2})
    safe = await service.get()
    unsafe = await service.post()

    assert (safe.status, unsafe.status) == (200, 503)
    assert [head.split(b" ")[0] for head in heads] == [b"GET", b"GET", b"POST"]


async def test_retries_do_not_multiply_the_load_of_an_outage(governing: Governing) -> None:
    service = await governing(reset_once_asked, retries={"attempts": 3, "budget": 0.1, "per_second": 0.5})
    for _ in range(100):
        await service.get()

    assert service.upstream.connections <= 100 + 10 + 5


async def test_line_breaks_cannot_be_smuggled_into_a_request(governing: Governing) -> None:
    service = await governing(then(OK, stay=True))
    answer = await service.house.ask("GET", ITEMS, {"x-evil": "a\r\nHost: elsewhere"})

    assert answer.status == 400
    assert service.upstream.connections == 0
