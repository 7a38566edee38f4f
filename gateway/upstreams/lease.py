"""What stays open, stays open only as long as the token it was opened with: it ends when that expires or is called back."""

import asyncio
from collections.abc import Awaitable, Callable
from time import time

from gateway.pipeline import Call, Caller
from kernel.problem import Problem

EVERY = 1.0  # seconds between two looks
Holds = Callable[[Caller], Awaitable[bool]]


class Lease:
    """`holds`: whether a caller's token has not been called back; `now`: Unix time."""

    def __init__(self, holds: Holds | None = None, *, now: Callable[[], float] = time, every: float = EVERY) -> None:
        self._holds, self._now, self._every = holds, now, every

    async def end(self, call: Call) -> None:
        """Returns when the token is no longer good; never for a call that needed none."""
        caller = call.caller
        if not caller.token_id and not caller.expires_at:
            await asyncio.Event().wait()
        while await self._good(caller):  # noqa: ASYNC110 - nothing tells when a token is called back
            await asyncio.sleep(self._every)

    async def _good(self, caller: Caller) -> bool:
        if caller.expires_at and self._now() >= caller.expires_at:
            return False
        try:
            return self._holds is None or await self._holds(caller)
        except Problem:  # nobody can tell
            return False
