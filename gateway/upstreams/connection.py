"""One HTTP/1.1 connection to an upstream: one exchange at a time, read no faster than it is taken, reused only when it is whole.

llhttp, under httptools, parses; it refuses what RFC 9112 section 11.2 warns of. What it cannot know is kept here: that the answer
to HEAD has no body, that an answer may end with the connection, and that bytes nobody asked for belong to no answer.
"""

import asyncio
from collections import deque
from typing import NamedTuple

import httptools

from gateway.upstreams.failures import BrokenOff, Failure, Garbled

LARGEST_HEAD = 65_536  # bytes
MOST_HEADERS = 200
MOST_INTERIM = 10  # 1xx answers before the real one
HIGH, LOW = 262_144, 65_536  # bytes read ahead of whoever takes them

Headers = list[tuple[bytes, bytes]]


class Head(NamedTuple):
    """The beginning of an answer; header names are in lower case."""

    status: int
    headers: Headers


class Connection(asyncio.Protocol):
    """`fit`: another exchange may follow on it."""

    def __init__(self) -> None:
        self.fit, self.continued, self.idle_since = True, False, 0.0
        self._transport: asyncio.Transport
        self._failure: Failure | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._write_paused = self._read_paused = False
        self._complete = True
        self._chunks: deque[bytes] = deque()

    def begin(self, request: bytes, *, headless: bool = False) -> None:
        """Sends the head of a request, or all of it. `headless`: the answer will have no body whatever it says of one."""
        self._parser = httptools.HttpResponseParser(self)
        self._headless, self._headers = headless, Headers()
        self._head: Head | None = None
        self._size = self._received = self._interim = self._buffered = 0
        self._chunks.clear()
        self._complete = self._excess = self._until_end = self.continued = False
        self._transport.write(request)

    async def send(self, data: bytes) -> None:
        """More of the request; returns when the upstream keeps up. Raises BrokenOff when it is gone."""
        if self._failure is not None:
            raise self._failure
        self._transport.write(data)
        while self._write_paused:
            if self._failure is not None:
                raise self._failure
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    async def go_ahead(self) -> None:
        """Waits until the upstream wants the body (RFC 9110 section 10.1.1) or has answered without it."""
        while not self.continued and self._head is None:
            await self._more()

    async def head(self) -> Head:
        """Raises BrokenOff or Garbled."""
        while self._head is None:
            await self._more()
        return self._head

    @property
    def answered(self) -> bool:
        """Whether the head of the answer is there."""
        return self._head is not None

    @property
    def exhausted(self) -> bool:
        """Whether all of the answer was taken."""
        return self._complete and not self._chunks

    @property
    def at_hand(self) -> bool:
        """Whether `read` will not have to wait."""
        return bool(self._chunks) or self._complete

    async def read(self) -> bytes:
        """Some of the body, b"" at its end. Raises BrokenOff or Garbled when it is cut short."""
        while not self._chunks:
            if self._complete:
                return b""
            await self._more()
        chunks = self._chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self._buffered = 0
        if self._read_paused:
            self._read_paused = False
            self._transport.resume_reading()
        return data

    def close(self) -> None:
        """At once: nothing more is sent, and the upstream is not asked."""
        self.fit = False
        self._transport.abort()

    def fail(self, failure: Failure) -> None:
        """Ends it, and whoever waits is told why."""
        self._failure = failure
        self.close()
        self._wake()

    async def _more(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._complete:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            cause = error.__context__ if isinstance(error.__context__, Garbled) else None
            self.fail(cause or Garbled("it is not HTTP"))
            return
        if self._head is None:
            self._received += len(data)
            if self._received > 2 * LARGEST_HEAD:  # a single line without an end, too
                self.fail(_too_large())
        if self._excess:
            self.fit = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.fit = False
        if not self._complete and self._until_end and exc is None:
            self._complete = True
        elif not self._complete and self._failure is None:
            self._failure = BrokenOff("the connection ended")
        self._write_paused = False
        self._wake()
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    # what the parser tells

    def on_message_begin(self) -> None:
        if self._complete:
            self._excess = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size += len(name) + len(value)
        if self._head is None:  # after it: trailers, which nobody asked for
            self._headers.append((name.lower(), value))
        if self._size > LARGEST_HEAD or len(self._headers) > MOST_HEADERS:
            raise _too_large()

    def on_headers_complete(self) -> None:
        if self._excess:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._pass_interim(status)
            return
        self._head = Head(status, self._headers)
        named = dict(self._headers)
        framed = b"content-length" in named or b"transfer-encoding" in named
        self._until_end = not (framed or self._headless or status in (204, 304))
        closing = b"close" in named.get(b"connection", b"").lower()
        if closing or self._until_end or self._parser.get_http_version() != "1.1":
            self.fit = False
        if self._headless:
            self._complete = True

    def on_body(self, body: bytes) -> None:
        if self._complete:
            self._excess = True
            return
        self._chunks.append(body)
        self._buffered += len(body)
        if self._buffered > HIGH and not self._read_paused:
            self._read_paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._head is not None:
            self._complete = True

    def _pass_interim(self, status: int) -> None:
        self._interim += 1
        if status == 101 or self._interim > MOST_INTERIM:
            raise Garbled(f"it answered {status} {self._interim} times")
        self._headers = []
        self.continued = self.continued or status == 100

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def _too_large() -> Garbled:
    return Garbled(f"its head has more than {LARGEST_HEAD} bytes or {MOST_HEADERS} headers")
