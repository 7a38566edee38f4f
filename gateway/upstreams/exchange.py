"""One request to one upstream and its answer: sent once, the connection given back only when both are whole."""

import asyncio
from dataclasses import dataclass

from starlette.types import Receive

from gateway.deadline import Deadline
from gateway.upstreams.connection import Connection, Head, Headers
from gateway.upstreams.endpoint import Endpoint
from gateway.upstreams.failures import CallerLeft, Failure
from gateway.upstreams.upload import Upload, drain_quietly
from kernel.problem import BadRequest

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})  # RFC 9110 section 9.2.2
PERMISSION = 1.0  # seconds to wait for `100 Continue` before the body is sent all the same (RFC 9110 section 10.1.1)


@dataclass(slots=True)
class Request:
    """`target`: path below the upstream's own, and the query; `host`: None for the upstream's own name; `upload`: a body that is
    still on its way here; `hesitant`: its sender waits to be asked for it."""

    method: str
    target: bytes
    headers: Headers
    host: bytes | None = None
    body: bytes = b""
    upload: Upload | None = None
    hesitant: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again although it may have been received."""
        return self.method in IDEMPOTENT and (self.upload is None or not self.upload.started)

    def head(self, endpoint: Endpoint) -> bytes:
        """Raises BadRequest for a header that would be read as several."""
        lines = [b"%b: %b" % header for header in self.headers]
        first = b"%b %b%b HTTP/1.1\r\nhost: %b" % (self.method.encode(), endpoint.path, self.target, self.host or endpoint.host)
        head = b"\r\n".join([first, *lines, b"\r\n"])
        if head.count(b"\n") != len(lines) + 3 or head.count(b"\r") != len(lines) + 3:
            raise BadRequest("a header has a line break in it")
        return head


class Exchange:
    """An answer that has begun. Whoever has it calls `end`, however it ends."""

    __slots__ = ("_connection", "_ended", "_upload", "_uploading", "endpoint", "head")

    def __init__(self, endpoint: Endpoint, connection: Connection, upload: Upload | None) -> None:
        self.endpoint, self._connection, self._upload = endpoint, connection, upload
        self._uploading: asyncio.Task[None] | None = None
        self._ended = False
        self.head: Head

    @property
    def at_hand(self) -> bool:
        """Whether reading will not have to wait."""
        return self._connection.at_hand

    async def read(self) -> bytes:
        """Some of the body, b"" at its end. Raises BrokenOff or Garbled when it is cut short, CallerLeft."""
        return await self._connection.read()

    def stop(self, why: Failure) -> None:
        """Whoever reads is told why."""
        self._connection.fail(why)

    async def watch(self, receive: Receive) -> None:
        """Ends the exchange when the caller leaves."""
        if self._uploading is not None:
            await asyncio.wait({self._uploading})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.stop(CallerLeft("before the end of the answer"))

    def end(self) -> None:
        if self._ended:
            return
        self._ended = True
        self.endpoint.under_way -= 1
        whole = self._upload is None or self._upload.done
        if self._uploading is not None and not self._uploading.done():
            self._uploading.cancel()
        if not whole or not self._connection.exhausted:
            self._connection.close()
        self.endpoint.pool.give(self._connection)

    async def begin(self, said: bytes, request: Request, seconds: float) -> None:
        """Sends; `head` is there afterwards. `seconds`: for the answer to begin once all is sent, where the body is uploaded."""
        connection, upload = self._connection, request.upload
        connection.begin(said, headless=request.method == "HEAD")
        if upload is None:
            self.head = await connection.head()
            return
        if request.hesitant and not await self._wanted():
            self.head = await connection.head()
            return
        self._uploading = asyncio.create_task(drain_quietly(upload, connection))
        self._uploading.add_done_callback(self._uploaded)
        heard = asyncio.ensure_future(connection.head())
        try:
            await asyncio.wait({heard, self._uploading}, return_when=asyncio.FIRST_COMPLETED)
            if not heard.done():
                await self._uploading
            with Deadline(seconds):
                self.head = await heard
        finally:
            heard.cancel()

    def _uploaded(self, task: asyncio.Task[None]) -> None:
        """A body that was cut short cuts the answer short as well."""
        if not task.cancelled() and task.exception() is not None:
            self.stop(CallerLeft("in the middle of the body"))

    async def _wanted(self) -> bool:
        try:
            with Deadline(PERMISSION):
                await self._connection.go_ahead()
        except TimeoutError:
            return True
        return not self._connection.answered


async def exchange(endpoint: Endpoint, request: Request, seconds: float) -> Exchange:
    """Takes a connection, sends, and waits for the head. Raises Failure or TimeoutError, or what refuses the body."""
    said = request.head(endpoint) + request.body
    if request.upload is None:  # a deadline is around all of it
        connection = await endpoint.pool.take()
    else:
        with Deadline(seconds):
            connection = await endpoint.pool.take()
    endpoint.under_way += 1
    begun = Exchange(endpoint, connection, request.upload)
    try:
        await begun.begin(said, request, seconds)
    except BaseException:
        begun.end()
        raise
    return begun
