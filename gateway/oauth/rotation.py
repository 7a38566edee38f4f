"""Keys rotate on schedule: every process looks now and then whether it is time, and whichever comes first does it for all."""

import asyncio
import contextlib
import logging

from gateway.oauth.keys import KeyStore

LOOKS_EVERY = 60.0  # seconds
log = logging.getLogger(__name__)


class Rotation:
    """A task beside the requests; `every` seconds a key signs."""

    def __init__(self, keys: KeyStore, every: float, pause: float = LOOKS_EVERY) -> None:
        self._keys, self._every, self._pause = keys, every, pause
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                rotated = await self._keys.rotate_when_due(self._every)
            except Exception as error:  # a database that fails now is asked again; until then the old key goes on signing
                log.error("keys cannot be rotated: %s", type(error).__name__)
            else:
                if rotated is not None:
                    log.warning("signing keys were rotated; %s signs now", rotated)
            await asyncio.sleep(self._pause)
