"""One contestant of (a) behind uvicorn, as a process of its own that tells what CPU it has used: `-m benchmarks.served NAME`."""

import asyncio
import json
import socket
import sys
from time import process_time

import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.door import contestants
from gateway.server import options

CPU = "/cpu"


def metered(app: ASGIApp) -> ASGIApp:
    """The application, which also answers how many seconds of CPU this process has used so far."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != CPU:
            await app(scope, receive, send)
            return
        content = json.dumps(process_time()).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return serve


async def serve(name: str) -> None:
    """Says port and token in one line, then serves until its input ends."""
    async with contestants() as those:
        app: ASGIApp = getattr(those, name)
        place = socket.create_server(("127.0.0.1", 0))  # it listens already: who connects early waits in the backlog
        server = uvicorn.Server(uvicorn.Config(metered(app), log_level="critical", lifespan="off", **options()))
        serving = asyncio.create_task(server.serve(sockets=[place]))
        sys.stdout.write(json.dumps({"port": place.getsockname()[1], "token": those.token}) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
