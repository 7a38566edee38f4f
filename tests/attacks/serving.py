"""A door served as `trivium serve` serves it, in a thread of its own, with the patience and the load of the test's choice."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from gateway.server import options
from gateway.shedding import Load, Probe
from kernel.sections.shedding import Shedding
from trivium.serving import new_event_loop


@contextmanager
def serving(app: ASGIApp, settings: Shedding, load: Load) -> Iterator[int]:
    """The port it is served on."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", **options(settings)))

    async def main() -> None:
        probe = Probe(load, settings)
        probe.start()
        await server.serve([listener])
        probe.stop()

    thread = threading.Thread(target=_run, args=(main(),), daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def _run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)
