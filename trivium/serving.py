"""One process of the deployment: its application, served by uvicorn on loopback unless the settings say otherwise."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

try:
    import uvloop
except ImportError:  # Windows has none
    uvloop = None  # type: ignore[assignment]

from gateway.compose import Part, application
from gateway.configuration.source import Files
from gateway.server import options
from kernel.settings import BadSettings, Settings

STOPPING = (signal.SIGINT, signal.SIGTERM)


def new_event_loop() -> asyncio.AbstractEventLoop:
    return uvloop.new_event_loop() if uvloop is not None else asyncio.new_event_loop()


class Server(uvicorn.Server):
    """uvicorn raises SIGTERM again once it has stopped, which would end the process before what we opened is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for name in STOPPING:
            loop.add_signal_handler(name, self.handle_exit, name, None)
        try:
            yield
        finally:
            for name in STOPPING:
                loop.remove_signal_handler(name)


async def serve(settings: Settings, part: Part, port: int, host: str = "127.0.0.1") -> None:
    """Serves until SIGINT or SIGTERM, then finishes what is in flight. A worker serves nothing and works.

    Raises BadSettings for a port that is taken, before anything is opened.
    """
    place = None if part is Part.WORKER else _place(host, port)
    async with application(settings, part, Files()) as app:
        if place is None:
            await _until_told_to_stop()
            return
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5, **options(settings.shedding))
        await Server(config).serve(sockets=[place])


def _place(host: str, port: int) -> socket.socket:
    """Bound and not listening yet: whoever calls before we are ready is refused instead of left waiting."""
    # asyncio sends without delay (TCP_NODELAY) only on sockets that name their protocol: 40 ms a call on a kept connection.
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind((host, port))
    except OSError as error:
        place.close()
        fix = "stop what uses it, or choose another in trivium.toml or with --port"
        raise BadSettings(f"cannot listen on {host}, port {port} ({error.strerror}): {fix}") from None
    return place


async def _until_told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in STOPPING:
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
