"""One connection: answers are taken as RFC 9112 frames them, never faster than asked for, and what is not whole is not reused."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.upstreams.connection import LARGEST_HEAD, Connection
from gateway.upstreams.failures import BrokenOff, Failure, Garbled

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def exchanged(connection: Connection, request: bytes = GET, *, headless: bool = False) -> tuple[int, bytes]:
    connection.begin(request, headless=headless)
    head = await connection.head()
    body = b""
    while chunk := await connection.read():
        body += chunk
    return head.status, body


def saying(*answers: bytes, close: bool = False) -> Any:
    async def script(talk: Any) -> None:
        for answer in answers:
            await talk.request()
            await talk.say(answer)
        if not close:
            await talk.gone()

    return script


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
FRAMED = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
    "chunks": (CHUNKED + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-T: 1\r\n\r\n", b"hello", True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", b"", True),
    "told to close": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", b"hi", False),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
    "after others": (INTERIM + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", True),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMED)
async def test_an_answer_ends_where_its_framing_says(raw_upstream: Any, connect: Any, name: str) -> None:
    answer, body, fit = FRAMED[name]
    connection = await connect(await raw_upstream(saying(answer)))

    assert (await exchanged(connection))[1] == body
    assert connection.fit is fit


async def test_an_answer_without_framing_ends_with_the_connection(raw_upstream: Any, connect: Any) -> None:
    connection = await connect(await raw_upstream(saying(b"HTTP/1.1 200 OK\r\n\r\nall of it", close=True)))

    assert await exchanged(connection) == (200, b"all of it")
    assert not connection.fit


async def test_the_answer_to_head_has_no_body_and_the_connection_serves_on(raw_upstream: Any, connect: Any) -> None:
    answers = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    connection = await connect(await raw_upstream(saying(*answers)))

    assert await exchanged(connection, headless=True) == (200, b"")
    assert await exchanged(connection) == (200, b"hi")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["length", "chunks", "after others", "not modified"]), cuts=st.lists(st.integers(1, 120), max_size=8))
def test_however_it_is_cut_on_the_way_it_is_the_same_answer(name: str, cuts: list[int]) -> None:
    answer, body, _ = FRAMED[name]
    connection = Connection()
    connection.connection_made(_Transport())  # type: ignore[arg-type]
    connection.begin(GET)
    edges = sorted({0, len(answer), *(cut for cut in cuts if cut < len(answer))})
    for start, end in pairwise(edges):
        connection.data_received(answer[start:end])

    assert asyncio.run(_body(connection)) == body


async def _body(connection: Connection) -> bytes:
    await connection.head()
    return b"".join([chunk async for chunk in _chunks(connection)])


async def _chunks(connection: Connection) -> Any:
    while chunk := await connection.read():
        yield chunk


class _Transport:
    def write(self, data: bytes) -> None: ...
    def abort(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


BROKEN = {
    "not HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "bad status": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "a switch nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "interim for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 300 + b"\r\n",
    "a large head": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %b\r\n" % (n, b"v" * 1000) for n in range(90)) + b"\r\n",
    "a header without an end": b"HTTP/1.1 200 OK\r\nX-Endless: " + b"v" * (3 * LARGEST_HEAD),
    "a folded header": b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a bare newline": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_not_http_is_not_an_answer(raw_upstream: Any, connect: Any, name: str) -> None:
    upstream = await raw_upstream(saying(BROKEN[name]))
    connection = await connect(upstream)

    with pytest.raises(Garbled):
        await exchanged(connection)
    await asyncio.wait_for(upstream.ended.wait(), 5)  # it was hung up on
    assert not connection.fit


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ],
)  # fmt: skip
async def test_an_answer_that_is_cut_short_is_never_taken_for_a_whole_one(raw_upstream: Any, connect: Any, answer: bytes) -> None:
    connection = await connect(await raw_upstream(saying(answer, close=True)))

    with pytest.raises(BrokenOff):
        await exchanged(connection)


@pytest.mark.parametrize("chunk", [b"zz\r\nhello\r\n", b"5\r\nhelloworld\r\n", b"ffffffffffffffffff\r\n"])
async def test_chunks_that_are_none_end_the_answer(raw_upstream: Any, connect: Any, chunk: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
    connection = await connect(await raw_upstream(saying(answer)))

    with pytest.raises(Failure):
        await exchanged(connection)
    assert not connection.fit


async def test_bytes_that_nobody_asked_for_belong_to_no_answer(raw_upstream: Any, connect: Any) -> None:
    good = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    connection = await connect(await raw_upstream(saying(good + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")))

    assert await exchanged(connection) == (200, b"hi")
    assert not connection.fit


async def test_bytes_that_come_later_end_the_connection(raw_upstream: Any, connect: Any) -> None:
    async def script(talk: Any) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        asked.set()
        await more.wait()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await talk.gone()

    asked, more = asyncio.Event(), asyncio.Event()
    upstream = await raw_upstream(script)
    connection = await connect(upstream)
    await exchanged(connection)
    await asked.wait()
    more.set()
    await asyncio.wait_for(upstream.ended.wait(), 5)

    assert not connection.fit


async def test_nothing_is_read_ahead_of_whoever_takes_it(raw_upstream: Any, connect: Any) -> None:
    total = 50_000_000
    sent = 0

    async def script(talk: Any) -> None:
        nonlocal sent
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        for _ in range(total // 100_000):
            await talk.say(b"x" * 100_000)
            sent += 100_000

    connection = await connect(await raw_upstream(script))
    connection.begin(GET)
    await connection.head()
    before = -1
    while sent != before:  # until nothing moves any more
        before = sent
        await asyncio.sleep(0.05)
    held = sent
    taken = len(await connection.read())
    while chunk := await connection.read():
        taken += len(chunk)

    assert held < total / 3  # the sockets' own buffers, and ours
    assert taken == total


async def test_a_sender_waits_for_an_upstream_that_does_not_read(raw_upstream: Any, connect: Any) -> None:
    read = asyncio.Event()

    async def script(talk: Any) -> None:
        await talk.request()
        await read.wait()
        await talk.gone()

    connection = await connect(await raw_upstream(script))
    connection.begin(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n")
    sent = 0

    async def send_all() -> None:
        nonlocal sent
        for _ in range(1000):
            await connection.send(b"x" * 100_000)
            sent += 1

    sending = asyncio.create_task(send_all())
    await asyncio.wait({sending}, timeout=0.3)
    stuck_at = sent
    read.set()
    await asyncio.wait_for(sending, 20)

    assert stuck_at < 300
    assert sent == 1000


async def test_a_sender_is_told_when_nobody_is_there_any_more(raw_upstream: Any, connect: Any) -> None:
    async def script(talk: Any) -> None:
        await talk.request()
        talk.reset()

    connection = await connect(await raw_upstream(script))
    connection.begin(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n")

    with pytest.raises(BrokenOff):
        await asyncio.wait_for(_send_for_ever(connection), 10)


async def _send_for_ever(connection: Connection) -> None:
    while True:
        await connection.send(b"x" * 100_000)
