"""Over a real socket: what cannot be parsed in one way is answered with a problem, and no second request is smuggled in."""

import json
import select
import socket
from collections.abc import Callable
from typing import Any

import pytest

ORDERS = b"/process/orders/v1/orders"
Talk = Callable[[int, bytes], bytes]


@pytest.fixture
def door(house: Any, served: Any) -> tuple[Any, int]:
    return house, served(house.app)


def _statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def _request(head: bytes, body: bytes = b"") -> bytes:
    return head + b"\r\n\r\n" + body


SMUGGLED = b"GET " + ORDERS + b"/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def test_an_ordinary_request_is_answered(door: Any, raw: Talk) -> None:
    _house, port = door
    received = raw(port, _request(b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\nConnection: close"))

    assert _statuses(received) == [200]
    assert b"server: uvicorn" not in received.lower()


@pytest.mark.parametrize(
    "sent",
    [
        # RFC 9112 section 11.2: two lengths, two framings, and framings that only one of two readers understands
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked",
        b"0\r\n\r\n" + SMUGGLED),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44", SMUGGLED),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked", b"0\r\n\r\n" + SMUGGLED),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity", b"0\r\n\r\n" + SMUGGLED),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked", b"0\r\n\r\n" + SMUGGLED),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x", b"0\r\n\r\n"),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nContent-Length: +3", b"abc"),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3", b"abc"),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", b"3;\nabc\r\n0\r\n\r\n" + SMUGGLED),
        _request(b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", b"-1\r\nabc\r\n0\r\n\r\n"),
        _request(b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\n Folded: y"),
        _request(b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\nNo colon"),
        _request(b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\nX: a\x00b"),
        _request(b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: a\r\nHost: b"),
        _request(b"GET " + ORDERS + b"/\x01 HTTP/1.1\r\nHost: x"),
        _request(b"GET " + ORDERS + b"/\xc3\xa9 HTTP/1.1\r\nHost: x"),
        _request(b"GET " + ORDERS + b"/a b HTTP/1.1\r\nHost: x"),
        _request(b"NONSENSE"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)  # fmt: skip
def test_a_broken_or_ambiguous_request_is_a_problem_and_ends_the_connection(door: Any, raw: Talk, sent: bytes) -> None:
    house, port = door
    received = raw(port, sent)

    assert _statuses(received) == [400]
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == 400
    assert b"connection: close" in head.lower()
    assert house.echo.scopes == []


@pytest.mark.parametrize(
    "target",
    [
        b"/../orders", b"/%2e%2e/orders", b"/.%2e/orders", b"/a%2fb", b"/a%5cb", b"//a", b"/%252e%252e/a", b"/%00",
        b"/a/", b"/..;/a",
        b"/./a", b"/a%0d%0aX:%20y", b"/%c0%ae%c0%ae/a", b"/a\\..\\b",
    ],
)  # fmt: skip
def test_a_path_is_never_normalised_into_another_one(door: Any, raw: Talk, target: bytes) -> None:
    house, port = door
    received = raw(port, _request(b"GET " + ORDERS + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close"))

    assert _statuses(received) == [400]
    assert b"application/problem+json" in received
    assert house.echo.scopes == []


def test_an_absolute_target_is_routed_by_its_path_alone(door: Any, raw: Talk) -> None:
    house, port = door
    target = b"http://evil.test" + ORDERS + b"/o1"
    received = raw(port, _request(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close"))

    assert _statuses(received) == [200]
    assert house.echo.scopes[0]["path"] == ORDERS.decode() + "/o1"


def _dripped(port: int, sent: bytes) -> bytes:
    """Sends piece by piece for as long as nothing comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for start in range(0, len(sent), 4096):
            connection.sendall(sent[start : start + 4096])
            if select.select([connection], [], [], 0)[0]:
                break
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
        return received


ENDLESS = {
    "headers": (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (number, b"a" * 4000) for number in range(250)), 431),
    "header names": (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(300)), 431),
    "one header": (b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000, 431),
    "one name": (b"GET / HTTP/1.1\r\n" + b"a" * 1_000_000, 431),
    "target": (b"GET /" + b"a" * 1_000_000, 414),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_head_that_never_ends_is_cut_off(door: Any, name: str) -> None:
    house, port = door
    sent, status = ENDLESS[name]
    received = _dripped(port, sent)

    assert _statuses(received) == [status]
    assert b"application/problem+json" in received
    assert b"connection: close" in received.lower()
    assert house.echo.scopes == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000, 431),
        (b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(100)) + b"Y: z", 431),
        (b"GET " + ORDERS + b"/" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x", 414),
    ],
)
def test_a_head_over_the_limits_is_answered_and_the_connection_ends(door: Any, raw: Talk, sent: bytes, status: int) -> None:
    house, port = door
    received = raw(port, _request(sent) + SMUGGLED)

    assert _statuses(received) == [status]
    assert b"connection: close" in received.lower()
    assert house.echo.scopes == []


def test_a_large_body_before_the_next_head_is_not_taken_for_a_head(door: Any, raw: Talk) -> None:
    _house, port = door
    headers = b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k-000001\r\nContent-Length: 2000"
    one = _request(b"POST " + ORDERS + headers, b'{"quote": "q"}'.ljust(2000))
    last = _request(b"GET " + ORDERS + b"/o2 HTTP/1.1\r\nHost: x\r\nConnection: close")

    assert _statuses(raw(port, one * 3 + last)) == [200, 200, 200, 200]


def test_requests_in_a_row_are_answered_in_a_row(door: Any, raw: Talk) -> None:
    _house, port = door
    one = _request(b"GET " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x")
    last = _request(b"GET " + ORDERS + b"/o2 HTTP/1.1\r\nHost: x\r\nConnection: close")

    assert _statuses(raw(port, one + last)) == [200, 200]


def test_an_announced_body_that_is_too_large_is_refused_before_it_is_sent(door: Any, raw: Talk) -> None:
    _house, port = door
    head = b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999"
    received = raw(port, _request(head, b'{"quote"'))

    assert _statuses(received) == [413]
    assert b"connection: close" in received.lower()


def test_a_chunked_body_is_counted_while_it_comes(door: Any, raw: Talk) -> None:
    _house, port = door
    head = b"POST " + ORDERS + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k-000001\r\n"
    received = raw(port, _request(head + b"Transfer-Encoding: chunked", b"bb8\r\n" + b" " * 3000 + b"\r\n0\r\n\r\n"))

    assert _statuses(received) == [413]


def test_head_and_options_have_no_body_on_the_wire(door: Any, raw: Talk) -> None:
    _house, port = door
    head = raw(port, _request(b"HEAD " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\nConnection: close"))
    options = raw(port, _request(b"OPTIONS " + ORDERS + b"/o1 HTTP/1.1\r\nHost: x\r\nConnection: close"))

    assert _statuses(head) == [200]
    assert head.endswith(b"\r\n\r\n")
    assert _statuses(options) == [204]
    assert b"transfer-encoding" not in options.lower()
