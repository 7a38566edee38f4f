"""The reaper takes over what a dead process left, the sweeper finds what nobody works on; their errors cost one repeated call.

Every record of a step is fenced by the engine's owner token, and every call carries its idempotency key: executing a run twice is
waste, not harm. That is why three passes of a second are enough to call a process dead.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Final

from kernel.durable.index import Opening
from kernel.durable.locks import Life, life_key
from kernel.durable.port import RunState
from kernel.durable.runtime import Runtime
from kernel.problem import Internal

log = logging.getLogger("trivium.durable")
_PASSES_DEAD: Final = 3
_PASSES_IDLE: Final = 2
_ENDED: Final = frozenset({"ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})


class Suspicion:
    """Counts how many passes in a row something was seen."""

    def __init__(self, passes: int) -> None:
        self._passes = passes
        self._seen: dict[str, int] = {}

    def confirmed(self, suspects: Collection[str]) -> list[str]:
        self._seen = {suspect: self._seen.get(suspect, 0) + 1 for suspect in suspects}
        return [suspect for suspect, times in self._seen.items() if times >= self._passes]


class Tending:
    """One background task per engine; a pass that fails is logged and tried again."""

    def __init__(self, runtime: Runtime, life: Life | None) -> None:
        self._runtime, self._life = runtime, life
        self._dead, self._idle, self._ended = Suspicion(_PASSES_DEAD), Suspicion(_PASSES_IDLE), Suspicion(_PASSES_IDLE)

    async def for_ever(self) -> None:
        while True:
            for duty in (self._hear_stops, self._runtime.deliver, self._reap, self._sweep, self._reconcile):
                try:
                    await duty()
                except Exception:
                    log.warning("a pass of the durable engine failed", exc_info=True)
            await asyncio.sleep(self._runtime.patience.tend_every)

    async def _hear_stops(self) -> None:
        stops = await self._runtime.orders.stops()
        new = stops.keys() - self._runtime.stops.keys()
        self._runtime.stops = dict(stops)
        for run_id in new:
            self._runtime.announce(run_id)

    async def _reap(self) -> None:
        if self._life is None:
            return
        living = await self._life.living()
        others = (await self._runtime.host.pending()).keys() - {self._runtime.host.executor}
        for executor in self._dead.confirmed([other for other in others if life_key(other) not in living]):
            log.warning("takes over from a dead process", extra={"executor": executor})
            await self._runtime.host.take_over(executor)

    async def _sweep(self) -> None:
        idle = (await self._runtime.host.pending_here()) - self._runtime.host.active() - self._runtime.fresh
        for run_id in self._idle.confirmed(idle):
            await self._runtime.host.reclaim(run_id)

    async def _reconcile(self) -> None:
        """Starts runs whose workflow is missing, and fails those that the engine ended behind our back."""
        since = self._runtime.index.now() - int(2_000_000 * self._runtime.patience.tend_every)
        rows = {row["id"]: row for row in await self._runtime.index.quiet(since) if row["id"] not in self._runtime.moving}
        if not rows:
            return
        statuses = await self._runtime.host.statuses(list(rows))
        for run_id in rows.keys() - statuses.keys():
            log.warning("starts a run whose process died before it began", extra={"run": run_id})
            await self._runtime.host.start(Opening(**rows[run_id]["opening"]))
        await self._fail({run_id: statuses[run_id] for run_id in statuses if statuses[run_id] in _ENDED})

    async def _fail(self, ended: Mapping[str, str]) -> None:
        for run_id in self._ended.confirmed(ended):
            told = f"the engine ended this run ({ended[run_id].lower().replace('_', ' ')}); nothing was undone"
            await self._runtime.index.change(run_id, state=RunState.FAILED.value, problem=Internal(told).body())
            self._runtime.announce(run_id)
