"""A way to a Redis that can be watched, that stops answering when it is told to, and that can be cut and opened again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Proxy:
    """`exchanges`: what was sent in one piece before something came back; `stalled`: nothing more comes back."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._ways: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._answered = True
        self.exchanges: list[bytes] = []
        self.stalled = False
        self.opened = 0
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """From here on connecting is refused, and what was connected is gone."""
        if self._server is not None:
            self._server.close()
        for way in tuple(self._ways):
            way.cancel()
        for writer in tuple(self._writers):
            writer.close()
        if self._ways:
            await asyncio.wait(self._ways)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        there, onward = await asyncio.open_connection(self._host, self._port)
        for source, target, back in ((reader, onward, False), (there, writer, True)):
            way = asyncio.create_task(self._pass(source, target, back))
            self._ways.add(way)
            way.add_done_callback(self._ways.discard)
        self._writers |= {writer, onward}

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, back: bool) -> None:
        while data := await source.read(65_536):
            if self.stalled:
                continue
            if back:
                self._answered = True
            elif self._answered:
                self.exchanges.append(data)
                self._answered = False
            else:
                self.exchanges[-1] += data
            target.write(data)
        target.close()


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the server at this URL, and the URL that leads through it."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 6379)
    await proxy.open()
    yield proxy, parts._replace(netloc=f"127.0.0.1:{proxy.port}").geturl()
    await proxy.cut()
