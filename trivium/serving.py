"""One process of the deployment: its application, served by uvicorn on loopback unless the settings say otherwise."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

import uvicorn

from gateway.compose import Part, application
from gateway.server import options
from kernel.settings import Settings

STOPPING = (signal.SIGINT, signal.SIGTERM)


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
    """Serves until SIGINT or SIGTERM, then finishes what is in flight. A worker serves nothing and works."""
    async with application(settings, part) as app:
        if part is Part.WORKER:
            await _until_told_to_stop()
            return
        config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5, **options())
        await Server(config).serve()


async def _until_told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in STOPPING:
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
