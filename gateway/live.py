"""One pointer to the door in force: a new one is swapped in between two calls, and the old one ends with its last call.

A call stays with the door it came in by, so each is governed by one configuration, whole.
"""

import asyncio
from contextlib import AsyncExitStack

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

LONGEST_LEAVE = 300.0  # seconds that a call may hold up the closing of what its door alone had opened


class Edition:
    """One door, what it alone opened, and how many calls are inside. `digest` and `number` name its configuration."""

    __slots__ = ("calls", "closing", "digest", "door", "left", "number")

    def __init__(self, door: ASGIApp, digest: str = "", number: int = 0, closing: AsyncExitStack | None = None) -> None:
        self.door, self.digest, self.number, self.closing = door, digest, number, closing or AsyncExitStack()
        self.calls = 0
        self.left: asyncio.Event | None = None  # there once the edition is no longer in force; set with its last call

    async def close(self) -> None:
        """Waits for the calls that are inside, then closes what was opened for them."""
        try:
            if self.calls:
                self.left = asyncio.Event()
                async with asyncio.timeout(LONGEST_LEAVE):
                    await self.left.wait()
        except TimeoutError:
            structlog.get_logger("gateway").warning("calls outlast their configuration", calls=self.calls, digest=self.digest)
        finally:
            await self.closing.aclose()


class Live:
    """The ASGI application that is served."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._first = edition
        self._leaving: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # starts and stops what all editions share
            await self._first.door(scope, receive, send)
            return
        edition = self.edition
        edition.calls += 1
        try:
            await edition.door(scope, receive, send)
        finally:
            edition.calls -= 1
            if not edition.calls and edition.left is not None:
                edition.left.set()

    def swap(self, edition: Edition) -> None:
        """From now on calls come in by this door. The former edition closes itself after its last call."""
        former, self.edition = self.edition, edition
        task = asyncio.get_running_loop().create_task(former.close())
        self._leaving.add(task)
        task.add_done_callback(self._closed)

    async def close(self) -> None:
        """At the end of the process: nobody is inside any more, or has been waited for."""
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self.edition.closing.aclose()

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._leaving.discard(task)
        if not task.cancelled() and task.exception() is not None:
            structlog.get_logger("gateway").error("a former configuration could not be closed", exc_info=task.exception())
