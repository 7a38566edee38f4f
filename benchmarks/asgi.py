"""Asks an ASGI application in process, as a server would: a new scope for each call, the body in one message."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Request:
    """One request that is sent over and over, and the status it must be answered with."""

    method: str
    path: str
    expect: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def wire(self) -> list[tuple[bytes, bytes]]:
        """Header fields as a server hands them over, what every client sends among them."""
        usual = {"host": "127.0.0.1:8080", "accept": "application/json", "accept-encoding": "gzip", "user-agent": "bench/1"}
        length = {"content-type": "application/json", "content-length": str(len(self.body))} if self.body else {}
        return [(name.lower().encode(), value.encode()) for name, value in {**usual, **length, **self.headers}.items()]


class Unexpected(RuntimeError):
    """A call was not answered as it has to be: what was measured would be something else."""


async def drive(app: ASGIApp, request: Request, times: int) -> None:
    """Sends the request so many times, one after the other. Raises Unexpected at the first wrong answer."""
    fields, raw_path = request.wire(), request.path.encode()
    for _ in range(times):
        await _once(app, request, list(fields), raw_path)
        await asyncio.sleep(0)  # the loop gets its turn, as between two requests of a server


async def _once(app: ASGIApp, request: Request, fields: list[tuple[bytes, bytes]], raw_path: bytes) -> None:
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": request.method,
        "scheme": "http", "path": request.path, "raw_path": raw_path, "query_string": b"", "root_path": "",
        "headers": fields, "client": ("127.0.0.1", 40000), "server": ("127.0.0.1", 8080), "state": {},
    }  # fmt: skip
    status, said = 0, b""

    async def receive() -> Message:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, said
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            said += message.get("body", b"")

    await app(scope, receive, send)
    if status != request.expect:
        raise Unexpected(f"{request.method} {request.path} answered {status}: {said.decode()[:500]}")


def nothing(status: int) -> ASGIApp:
    """An application that reads the body and answers at once: what driving costs by itself."""

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


@asynccontextmanager
async def living(app: ASGIApp) -> AsyncIterator[None]:
    """The application between the start and the end of its lifespan."""
    inbox, outbox = asyncio.Queue[Message](), asyncio.Queue[Message]()
    task = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    await outbox.get()
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await task
