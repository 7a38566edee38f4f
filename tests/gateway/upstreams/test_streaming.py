"""Bodies of any size pass through a door of little memory, in both directions, no faster than the slower end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.upstreams.conftest import Talk

ROOT = Path(__file__).parents[3]
SIZE = 200_000_000
CHUNK = b"x" * 100_000
MEGABYTES = 40  # of memory beyond what a door has that passed nothing on


@dataclass
class DoorProcess:
    port: int
    memory: list[int] = field(default_factory=list)  # kilobytes at most, once it has ended

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


Doors = Callable[[str], AbstractAsyncContextManager[DoorProcess]]


@asynccontextmanager
async def door_before(url: str) -> AsyncIterator[DoorProcess]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).parent / "streaming_door.py"), url, stdin=pipe, stdout=pipe,
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        door = DoorProcess(int(await process.stdout.readline()))
        yield door
        process.stdin.close()
        door.memory.append(int(await asyncio.wait_for(process.stdout.readline(), 20)))
    finally:
        process.stdin.close()
        if process.returncode is None:
            await asyncio.wait_for(process.wait(), 20)


async def _idle(url: str) -> int:
    async with door_before(url) as door:
        pass
    return door.memory[0]


async def _read_all(reader: asyncio.StreamReader) -> int:
    size = 0
    while data := await reader.read(262_144):
        size += len(data)
    return size


async def sends_much(talk: Talk) -> None:
    await talk.request()
    await talk.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _ in range(SIZE // len(CHUNK)):
        await talk.say(CHUNK)
    await talk.gone()


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 0.5], ids=["a caller in haste", "a caller who hesitates"])
async def test_a_large_answer_passes_through_little_memory(raw_upstream: Any, pause: float) -> None:
    upstream = await raw_upstream(sends_much)
    idle = await _idle(upstream.url)
    async with door_before(upstream.url) as door:
        reader, writer = await door.open()
        writer.write(b"GET /blobs/v1/blob HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(pause)  # the upstream goes on as long as somebody takes it
        size = await _read_all(reader)
        writer.close()

    assert b"content-length: %d\r\n" % SIZE in head
    assert size == SIZE
    assert door.memory[0] - idle < MEGABYTES * 1024


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_a_large_request_passes_through_little_memory(raw_upstream: Any, framing: str) -> None:
    received = 0

    async def takes_much(talk: Talk) -> None:
        nonlocal received
        head = await talk.request()
        assert (b"content-length: %d\r\n" % SIZE in head) == (framing == "length")
        await asyncio.sleep(0.5)  # the caller has to wait
        end = b"0\r\n\r\n" if framing == "chunks" else None
        while received < SIZE:
            data = await talk.reader.read(262_144)
            received += len(data)
            if not data or (end and data.endswith(end)):
                break
        await talk.say(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        await talk.gone()

    upstream = await raw_upstream(takes_much)
    idle = await _idle(upstream.url)
    async with door_before(upstream.url) as door:
        reader, writer = await door.open()
        said = b"Content-Length: %d" % SIZE if framing == "length" else b"Transfer-Encoding: chunked"
        kind = b"Content-Type: application/octet-stream\r\nConnection: close"
        writer.write(b"PUT /blobs/v1/blob HTTP/1.1\r\nHost: x\r\n%b\r\n%b\r\n\r\n" % (said, kind))
        for _ in range(SIZE // len(CHUNK)):
            writer.write(CHUNK if framing == "length" else b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK))
            await writer.drain()
        if framing == "chunks":
            writer.write(b"0\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()

    assert head.startswith(b"HTTP/1.1 201")
    assert received >= SIZE
    assert door.memory[0] - idle < MEGABYTES * 1024


async def test_the_first_bytes_arrive_before_the_last_are_sent(raw_upstream: Any) -> None:
    go_on = asyncio.Event()

    async def hesitates(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        await go_on.wait()
        await talk.say(b"final")
        await talk.gone()

    upstream = await raw_upstream(hesitates)
    async with door_before(upstream.url) as door:
        reader, writer = await door.open()
        writer.write(b"GET /blobs/v1/blob HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        first = await asyncio.wait_for(reader.readexactly(5), 5)
        go_on.set()
        final = await asyncio.wait_for(reader.readexactly(5), 5)
        writer.close()

    assert (first, final) == (b"first", b"final")


async def test_a_caller_who_leaves_ends_the_call_upstream(raw_upstream: Any) -> None:
    async def endless(talk: Talk) -> None:
        await talk.request()
        await talk.say(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n"
        )
        await talk.gone()

    upstream = await raw_upstream(endless)
    async with door_before(upstream.url) as door:
        reader, writer = await door.open()
        writer.write(b"GET /blobs/v1/blob HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"data: 1")
        writer.close()
        await asyncio.wait_for(upstream.ended.wait(), 5)


async def test_a_body_is_asked_for_before_it_is_sent(raw_upstream: Any) -> None:
    async def asks(talk: Talk) -> None:
        head = await talk.request()
        assert b"expect: 100-continue" in head
        await talk.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await talk.reader.readexactly(5)
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
        await talk.gone()

    answer = await _hesitant(raw_upstream, asks)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    assert answer.endswith(b"hello")


async def test_a_body_that_nobody_wants_is_not_sent(raw_upstream: Any) -> None:
    async def refuses(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        assert await talk.reader.read(100) == b""

    answer = await _hesitant(raw_upstream, refuses)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


async def _hesitant(raw_upstream: Any, script: Any) -> bytes:
    upstream = await raw_upstream(script)
    async with door_before(upstream.url) as door:
        reader, writer = await door.open()
        writer.write(
            b"PUT /blobs/v1/blob HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n"
            b"Content-Type: application/octet-stream\r\nConnection: close\r\n\r\n"
        )
        received = await reader.readuntil(b"\r\n\r\n")
        if b" 100 " in received:
            writer.write(b"hello")
        received += await reader.read()
        writer.close()
    return received
