"""Upstreams that say byte for byte what a test wants, and clusters that are closed when it is over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from gateway.upstreams.cluster import Cluster, Rules
from gateway.upstreams.connection import Connection
from kernel.sections.services import Connections, Ejection, Retries

Script = Callable[["Talk"], Awaitable[None]]


class Talk:
    """One connection as the upstream has it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader, self.writer, self.number = reader, writer, number

    async def request(self) -> bytes:
        """The head of the next request; raises IncompleteReadError when there is none."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def say(self, *data: bytes) -> None:
        for each in data:
            self.writer.write(each)
            await self.writer.drain()

    async def gone(self) -> None:
        """Returns when the other side has closed."""
        while await self.reader.read(65_536):
            pass

    def reset(self) -> None:
        self.writer.transport.abort()


class RawUpstream:
    """Runs the script once a connection and keeps every head that it was asked for through `Talk.request`."""

    def __init__(self, script: Script) -> None:
        self.script, self.connections, self.port = script, 0, 0
        self.ended = asyncio.Event()  # set when a script is over
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self.script(Talk(reader, writer, self.connections))
            writer.close()  # once all that was said is sent
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self.ended.set()
            self._tasks.discard(task)


@pytest.fixture
async def raw_upstream() -> AsyncIterator[Callable[[Script], Awaitable[RawUpstream]]]:
    opened: list[RawUpstream] = []

    async def make(script: Script) -> RawUpstream:
        upstream = RawUpstream(script)
        await upstream.open()
        opened.append(upstream)
        return upstream

    yield make
    for upstream in opened:
        await upstream.close()


@pytest.fixture
async def cluster_of() -> AsyncIterator[Callable[..., Cluster]]:
    """Clusters by their rules; patience is short."""
    made: list[Cluster] = []

    def make(*urls: str, now: Any = None, name: str = "process/orders", **said: Any) -> Cluster:
        parts = {"retries": Retries, "ejection": Ejection, "connections": Connections}
        rules = Rules(**{key: parts[key](**value) if key in parts else value for key, value in said.items()})
        made.append(Cluster(name, urls, rules, **({} if now is None else {"now": now})))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()
    await asyncio.sleep(0)  # connections end with the next turn of the loop


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[RawUpstream], Awaitable[Connection]]]:
    made: list[Connection] = []

    async def open_one(upstream: RawUpstream) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", upstream.port)
        made.append(connection)
        return connection

    yield open_one
    for connection in made:
        connection.close()
    await asyncio.sleep(0)
