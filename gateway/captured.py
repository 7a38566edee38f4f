"""An answer is held back until it is whole, up to a size; a larger or streaming one goes on its way unbuffered.

Whoever holds an answer back decides by the whole of it, and then sends it. What is held was not sent: a refusal that is raised in
the middle of it is still told as one.
"""

from collections.abc import Iterable, Sequence

from starlette.types import Message, Send

from gateway.pipeline import Call, Forward

EVENTS = b"text/event-stream"


class _Enough(Exception):
    """Ends an upstream's answer of which only the head was asked for."""


class Captured:
    """The answer to one call. `largest`: bytes of a body that are held. `patient`: also where no length is announced.

    `headless`: the call was HEAD and is answered as GET; of what passes on, the body is left out.
    """

    __slots__ = (
        "_chunks", "_enough", "_headless", "_largest", "_patient", "_send", "_size", "body", "headers", "passed", "status",
    )  # fmt: skip

    def __init__(self, send: Send, largest: int, *, patient: bool = False, headless: bool = False) -> None:
        self._send, self._largest, self._patient, self._headless = send, largest, patient, headless
        self._chunks: list[bytes] | None = None
        self._size = self.status = 0
        self._enough = False
        self.headers: Sequence[tuple[bytes, bytes]] = ()
        self.body: bytes | None = None  # once it is whole
        self.passed = False  # on to the caller: there is nothing to decide any more

    async def of(self, call: Call, forward: Forward) -> None:
        """Forwards the call and takes its answer."""
        call.send = self.take
        try:
            await forward(call)
        except Exception:
            if not self._enough:
                raise
        finally:
            call.send = self._send

    def named(self, name: bytes) -> bytes | None:
        """The first value of a header of the answer."""
        for known, value in self.headers:
            if known == name:
                return value
        return None

    async def send(self, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """What is held, with these headers more. Nothing where nothing is held."""
        if self.passed or not self.status:
            return
        self.passed = True
        head = [*self.headers, *headers]
        await self._send({"type": "http.response.start", "status": self.status, "headers": head})
        if self.body is not None:
            await self._send({"type": "http.response.body", "body": b"" if self._headless else self.body})
        elif self._chunks and not self._headless:
            await self._send({"type": "http.response.body", "body": b"".join(self._chunks), "more_body": True})
        self._chunks = None

    async def take(self, message: Message) -> None:
        """The `send` of whoever answers."""
        kind = message["type"]
        if self.passed:
            await self._on(message)
        elif kind == "http.response.start":
            self.status, self.headers = message["status"], message.get("headers", ())
            if not self._holdable():
                await self._pass()
        elif kind != "http.response.body" or not self._fits(message):
            await self._pass()
            await self._on(message)

    def _fits(self, message: Message) -> bool:
        """Holds it if there is room."""
        chunk = message.get("body", b"")
        self._size += len(chunk)
        if self._size > self._largest:
            return False
        if not message.get("more_body"):
            self.body = b"".join((*self._chunks, chunk)) if self._chunks else chunk
        elif self._chunks is None:
            self._chunks = [chunk]
        else:
            self._chunks.append(chunk)
        return True

    def _holdable(self) -> bool:
        streaming = False
        for name, value in self.headers:
            if name == b"content-length":
                return value.isdigit() and int(value) <= self._largest
            streaming = streaming or (name == b"content-type" and value.startswith(EVENTS))
        return self._patient and not streaming

    async def _pass(self) -> None:
        await self.send()
        if self._headless:
            self._enough = True
            await self._send({"type": "http.response.body", "body": b""})
            raise _Enough

    async def _on(self, message: Message) -> None:
        if not self._headless:
            await self._send(message)
