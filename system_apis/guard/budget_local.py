"""The budget of a deployment that is one process: a semaphore and a token bucket with one queue, first come, first served."""

import asyncio
from collections import deque

from kernel import settings
from kernel.clock import Clock
from system_apis.guard.budget import no_place


class LocalBudget:
    """In memory. A place costs one token; tokens flow in `per_second` and pile up to `burst`."""

    def __init__(self, connection: str, budget: settings.Budget, clock: Clock) -> None:
        self._connection, self._clock = connection, clock
        self._free = budget.concurrency
        self._per_second, self._burst = budget.per_second, 1.0 * budget.burst
        self._tokens, self._filled_at = self._burst, clock.monotonic()
        self._queue: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, within: float) -> int:
        if not self._queue and self._take():
            return 0
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        self._serve()
        try:
            async with asyncio.timeout(within):
                await place
        except BaseException as error:
            self._withdraw(place)
            if isinstance(error, TimeoutError):
                raise no_place(self._connection) from None
            raise
        return 0

    def leave(self, place: int) -> None:
        self._free += 1
        if self._queue:
            self._serve()

    def _withdraw(self, place: asyncio.Future[None]) -> None:
        if place.done() and not place.cancelled():
            self.leave(0)  # it was granted in the moment of giving up
        elif place in self._queue:
            self._queue.remove(place)

    def _take(self) -> bool:
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._free == 0 or self._tokens < 1:
            return False
        self._free -= 1
        self._tokens -= 1
        return True

    def _serve(self) -> None:
        while self._queue:
            if self._queue[0].done():
                self._queue.popleft()
            elif self._take():
                self._queue.popleft().set_result(None)
            else:
                break
        if self._queue and self._free and self._timer is None:
            pause = (1 - self._tokens) / self._per_second
            self._timer = asyncio.get_running_loop().call_later(pause, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._serve()
