"""WebSockets through the whole door: opened by the chain of their GET operation, ended as either end, or the token, ends them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from gateway.pipeline import Caller
from gateway.upstreams.lease import Lease
from gateway.upstreams.target import Upstream
from kernel.sections.services import WebSockets
from tests.gateway.conftest import CALLER, House

PATH = "/process/orders/v1/orders"


class Service:
    """An upstream that opens WebSockets: echoes, unless told otherwise."""

    def __init__(self) -> None:
        self.behave: Callable[[ServerConnection], Any] = self.echo
        self.asked: list[ServerConnection] = []
        self.closed: asyncio.Queue[int | None] = asyncio.Queue()
        self.refuse = False

    async def __call__(self, connection: ServerConnection) -> None:
        self.asked.append(connection)
        with suppress(ConnectionClosed):
            await self.behave(connection)
        await connection.wait_closed()
        self.closed.put_nowait(connection.close_code)

    async def echo(self, connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    def answer(self, connection: ServerConnection, _: Any) -> Any:
        return connection.respond(403, "secret") if self.refuse else None


@pytest.fixture
async def service() -> Service:
    return Service()


@pytest.fixture
async def port(service: Service) -> AsyncIterator[int]:
    server = await serve(
        service, "127.0.0.1", 0, select_subprotocol=lambda _, offered: offered[-1] if offered else None,
        process_request=service.answer, compression=None,
    )  # fmt: skip
    yield next(iter(server.sockets)).getsockname()[1]
    server.close(close_connections=True)
    await server.wait_closed()


@pytest.fixture
def through(build: Any, contract: Any, served: Any, port: int, cluster_of: Any) -> Any:
    """Where the door listens, and the door."""

    def make(rule: WebSockets | None = None, lease: Lease | None = None, **more: Any) -> tuple[str, House]:
        text = contract(
            lambda document: document["paths"][PATH]["get"].update(
                {"x-trivium-websocket": True, "x-trivium-limits": {"default": [{"policy": "burst", "quota": 3, "window": 60}]}}
            )
        )
        upstream = Upstream(cluster_of(f"http://127.0.0.1:{port}"), websockets=rule, lease=lease)
        house = build(text, targets={"process/orders": upstream}, **more)
        return f"ws://127.0.0.1:{served(house.app)}", house

    return make


@asynccontextmanager
async def opened(url: str, path: str = PATH, **more: Any) -> AsyncIterator[ClientConnection]:
    async with connect(url + path, proxy=None, compression=None, **more) as client:
        yield client


async def refused(url: str, path: str = PATH, **more: Any) -> Any:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(url + path, proxy=None, **more)
    return refusal.value.response


async def test_messages_pass_in_both_directions_as_they_are(through: Any, service: Service) -> None:
    url, _ = through()
    async with opened(url) as client:
        await client.send("tëxt")
        text = await client.recv()
        await client.send(b"\x00binary")
        binary = await client.recv()

    assert (text, binary) == ("tëxt", b"\x00binary")
    assert await asyncio.wait_for(service.closed.get(), 5) == 1000


async def test_the_handshake_is_a_call_like_any_other(through: Any, service: Service) -> None:
    url, house = through()
    async with opened(url, PATH + "?limit=3", additional_headers={"X-Own": "kept", "X-Trivium-Caller": "me"}) as client:
        head = client.response.headers if client.response is not None else {}
    asked = service.asked[0].request
    assert asked is not None

    assert head["RateLimit"].startswith('"burst";r=2')
    assert head["X-Correlation-Id"] == asked.headers["X-Correlation-Id"]
    assert (asked.path, asked.headers["X-Own"]) == (f"{PATH}?limit=3", "kept")
    assert "X-Trivium-Caller" not in asked.headers
    async with asyncio.timeout(5):
        while not house.count("process.orders.v1.list_orders", "1xx"):  # noqa: ASYNC110 - another thread counts
            await asyncio.sleep(0.01)


async def test_the_upstream_chooses_the_subprotocol(through: Any) -> None:
    url, _ = through()
    async with opened(url, subprotocols=[Subprotocol("orders.v1"), Subprotocol("orders.v2")]) as client:
        assert client.subprotocol == "orders.v2"


async def test_what_the_chain_refuses_is_answered_as_a_problem(through: Any, service: Service) -> None:
    url, house = through()
    house.caller = replace(CALLER, scopes=frozenset())
    scopeless = await refused(url)
    house.caller = CALLER
    invalid = await refused(url, PATH + "?limit=0")
    unknown = await refused(url, "/process/orders/v1/nothing")
    plain = await refused(url, "/process/orders/v1/hello")

    assert [answer.status_code for answer in (scopeless, invalid, unknown, plain)] == [403, 422, 404, 404]
    assert scopeless.headers["Content-Type"] == "application/problem+json"
    assert service.asked == []


async def test_opening_is_charged(through: Any) -> None:
    url, _ = through()
    for _ in range(3):
        async with opened(url):
            pass

    assert (await refused(url)).status_code == 429


async def test_what_the_upstream_refuses_is_refused_in_our_words(through: Any, service: Service) -> None:
    service.refuse = True
    url, _ = through()
    answer = await refused(url)

    assert answer.status_code == 403
    assert b"secret" not in (answer.body or b"")


async def test_an_upstream_that_is_away_is_a_problem(build: Any, contract: Any, served: Any, cluster_of: Any) -> None:
    text = contract(lambda document: document["paths"][PATH]["get"].update({"x-trivium-websocket": True}))
    house = build(text, targets={"process/orders": Upstream(cluster_of("http://127.0.0.1:9"))})

    assert (await refused(f"ws://127.0.0.1:{served(house.app)}")).status_code == 503


@pytest.mark.parametrize("code", [1000, 1003, 3000, 4321])
async def test_the_upstreams_close_code_is_the_callers(through: Any, service: Service, code: int) -> None:
    async def close(connection: ServerConnection) -> None:
        await connection.close(code, "enough")

    service.behave = close
    url, _ = through()
    async with opened(url) as client:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), 5)

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, "enough")


async def test_the_callers_close_code_is_the_upstreams(through: Any, service: Service) -> None:
    url, _ = through()
    async with opened(url) as client:
        await client.close(4004)

    assert await asyncio.wait_for(service.closed.get(), 5) == 4004


async def test_an_upstream_that_dies_is_not_a_clean_end(through: Any, service: Service) -> None:
    async def die(connection: ServerConnection) -> None:
        connection.transport.abort()

    service.behave = die
    url, _ = through()

    assert await _close_code(url) == 1014


async def test_a_caller_that_vanishes_ends_it_upstream(through: Any, service: Service) -> None:
    url, _ = through()
    async with opened(url) as client:
        client.transport.abort()
        await asyncio.wait_for(service.closed.get(), 5)


async def test_a_message_that_is_too_large_ends_it(through: Any, service: Service) -> None:
    async def shout(connection: ServerConnection) -> None:
        await connection.send("x" * 2000)

    service.behave = shout
    url, _ = through(WebSockets(largest=1000))

    assert await _close_code(url) == 1009


async def test_silence_ends_it(through: Any) -> None:
    url, _ = through(WebSockets(idle=0.2))

    assert await _close_code(url) == 1001


async def test_it_ends_with_the_token_it_was_opened_with(through: Any) -> None:
    now = 1000.0
    url, house = through(lease=Lease(now=lambda: now, every=0.01))
    house.caller = replace(CALLER, token_id="t1", expires_at=1060)
    async with opened(url) as client:
        await client.send("while it is good")
        heard = await client.recv()
        now = 1060.0
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), 5)

    assert heard == "while it is good"
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_it_ends_when_the_token_is_called_back(through: Any) -> None:
    good = True

    async def holds(_: Caller) -> bool:
        return good

    url, house = through(lease=Lease(holds, now=lambda: 0.0, every=0.01))
    house.caller = replace(CALLER, token_id="t1")
    async with opened(url) as client:
        await client.send("hello")
        await client.recv()
        good = False
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), 5)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_a_caller_that_does_not_read_slows_the_upstream_down(through: Any, service: Service) -> None:
    sent = 0

    async def flood(connection: ServerConnection) -> None:
        nonlocal sent
        for _ in range(2000):
            await connection.send(b"x" * 50_000)
            sent += 1

    service.behave = flood
    url, _ = through()
    async with opened(url, max_queue=1) as client:
        before = -1
        async with asyncio.timeout(20):
            while sent != before:  # until nothing moves any more
                before = sent
                await asyncio.sleep(0.2)
        stuck_at = sent
        received = 0
        async with asyncio.timeout(20):
            while received < 2000:
                await client.recv()
                received += 1

    assert stuck_at < 1000
    assert sent == 2000


async def _close_code(url: str) -> int | None:
    async with opened(url) as client:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(client.recv(), 5)
        return client.close_code
