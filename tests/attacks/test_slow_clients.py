"""Whoever sends or reads slowly, or does neither, holds a connection for a stated time and keeps nobody else waiting."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.shedding import Load
from kernel.sections.shedding import Shedding
from tests.attacks.serving import serving

ORDERS = b"/process/orders/v1/orders"
PATIENCE = Shedding(head=0.4, stall=0.4, keep_alive=1.0, connections=64)
POST = b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k-000001\r\n"
GET = b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\n\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LARGE = 20_000_000  # bytes: more than any kernel keeps for a connection


@pytest.fixture
def load() -> Load:
    return Load(PATIENCE)


@pytest.fixture
def port(build: Any, load: Load) -> Iterator[int]:
    house = build(means={"load": load})
    with serving(house.app, PATIENCE, load) as found:
        yield found


@contextmanager
def connected(port: int, receive: int = 0) -> Iterator[socket.socket]:
    with socket.socket() as connection:
        if receive:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        yield connection


def read(connection: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    received = b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionError:
        pass
    return received


def dripped(connection: socket.socket, sent: bytes, pause: float = 0.05) -> float:
    """Sends byte by byte until something comes back; answers the seconds until then."""
    begun = time.monotonic()
    connection.setblocking(False)
    for position in range(len(sent)):
        try:
            connection.send(sent[position : position + 1])
            if connection.recv(1, socket.MSG_PEEK) or True:
                break
        except BlockingIOError:
            time.sleep(pause)
        except ConnectionError:
            break
    connection.settimeout(10)
    return time.monotonic() - begun


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    with connected(port) as connection:
        begun = time.monotonic()

        assert read(connection) == b""
        assert time.monotonic() - begun < 3


def test_a_head_that_comes_byte_by_byte_is_refused_in_time(port: int) -> None:
    with connected(port) as connection:
        waited = dripped(connection, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 500)
        received = read(connection)

    assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"application/problem+json" in received
    assert waited < 3


@pytest.mark.parametrize("framing", [b"Content-Length: 500\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1f4\r\n"])
def test_a_body_that_comes_byte_by_byte_is_refused_in_time(port: int, load: Load, framing: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(POST + framing)
        waited = dripped(connection, b"{" + b" " * 498)
        received = read(connection)

    assert received.startswith(b"HTTP/1.1 408 ")
    assert waited < 3
    until(lambda: load.in_flight == 0)


def test_a_body_that_gets_on_is_waited_for(port: int) -> None:
    body = b'{"quote": "q", "lines": [' + b" " * 1900 + b"]}"
    with connected(port) as connection:
        connection.sendall(POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 100):
            connection.sendall(body[start : start + 100])
            time.sleep(0.06)  # 1.1 s in all, at some 1,600 bytes a second

        assert read(connection).startswith(b"HTTP/1.1 200 ")


def test_who_does_not_read_its_answer_is_cut_off_and_keeps_nobody_waiting(build: Any, load: Load) -> None:
    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(LARGE // 100_000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    house = build(means={"load": load})
    house.echo.instead = large
    with serving(house.app, PATIENCE, load) as port, connected(port, 4096) as deaf:
        deaf.sendall(GET)
        until(lambda: load.in_flight == 1)
        with connected(port) as other:
            other.sendall(LIVE)

            assert read(other).startswith(b"HTTP/1.1 200 ")
        until(lambda: load.in_flight == 0)

        assert len(read(deaf)) < LARGE


def test_who_reads_slowly_but_gets_on_gets_it_all(build: Any, load: Load) -> None:
    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3000000")]})
        await send({"type": "http.response.body", "body": b"x" * 3_000_000})

    house = build(means={"load": load})
    house.echo.instead = large
    with serving(house.app, PATIENCE, load) as port, connected(port, 4096) as slow:
        slow.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        begun, received = time.monotonic(), 0
        while time.monotonic() - begun < 1.5:
            received += len(slow.recv(20_000))
            time.sleep(0.02)

        assert received + len(read(slow)) > 3_000_000


def test_an_idle_connection_is_kept_for_a_while_and_no_longer_however_it_is_stirred(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET)
        first = connection.recv(65_536)
        begun = time.monotonic()
        dripped(connection, b"\r\n" * 200)  # empty lines begin no request
        kept = time.monotonic() - begun

    assert first.startswith(b"HTTP/1.1 200 ")
    assert 0.9 < kept < 4


def test_requests_in_a_row_on_a_kept_connection_are_served_for_longer_than_any_patience(port: int) -> None:
    with connected(port) as connection:
        for _ in range(15):
            connection.sendall(GET)

            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.15)


def test_an_answer_that_takes_long_blames_nobody(build: Any, load: Load) -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        await asyncio.sleep(1.5)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    house = build(means={"load": load})
    house.echo.instead = slow
    with serving(house.app, PATIENCE, load) as port, connected(port) as connection:
        connection.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

        assert read(connection).startswith(b"HTTP/1.1 204 ")


def test_idle_connections_make_room_and_busy_ones_do_not(build: Any, load: Load) -> None:
    house = build(means={"load": load})
    settings = PATIENCE.model_copy(update={"connections": 4, "head": 30.0, "keep_alive": 30.0})
    with serving(house.app, settings, load) as port:
        half = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3)]
        for connection in half:
            connection.sendall(b"GET / HTTP/1.1\r\nHost")
        with connected(port) as idle:
            idle.sendall(GET)
            answered = idle.recv(65_536)
            with connected(port) as another:
                another.sendall(GET)
                let_in = another.recv(65_536)
                closed = read(idle)
                another.sendall(b"GET / HTTP/1.1\r\nHost")
                time.sleep(0.1)
                with connected(port) as surplus:
                    refused = read(surplus)
        for connection in half:
            connection.close()

    assert answered.startswith(b"HTTP/1.1 200 ")
    assert let_in.startswith(b"HTTP/1.1 200 ")
    assert closed == b""
    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"retry-after: 2\r\n" in refused
    assert b"temporary-reduced-capacity" in refused


def test_a_hundred_slow_heads_do_not_keep_the_health_page_waiting(build: Any, load: Load) -> None:
    house = build(means={"load": load})
    settings = PATIENCE.model_copy(update={"connections": 200, "head": 1.0})
    with serving(house.app, settings, load) as port:
        slow = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(100)]
        for connection in slow:
            connection.sendall(b"POST / HTTP/1.1\r\nHost")
        begun = time.monotonic()
        with connected(port) as caller:
            caller.sendall(LIVE)
            answer = read(caller)
        waited = time.monotonic() - begun
        ended = [read(connection) for connection in slow]
        for connection in slow:
            connection.close()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert waited < 0.9
    assert all(received.startswith(b"HTTP/1.1 408 ") for received in ended)
