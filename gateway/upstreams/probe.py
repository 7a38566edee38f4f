"""Active checks: each upstream is asked now and then whether it is well, whether calls go there or not."""

import asyncio
import random

from gateway.deadline import Deadline
from gateway.upstreams.cluster import Cluster
from gateway.upstreams.endpoint import Endpoint
from gateway.upstreams.exchange import Request, exchange
from gateway.upstreams.failures import Failure
from kernel.sections.services import Health

LARGEST = 65_536  # bytes of an answer that are read, to keep the connection


class Probe:
    """Of one upstream. `path` of the rule is below the upstream's own."""

    def __init__(self, at: Endpoint, rule: Health) -> None:
        self._at, self._rule = at, rule
        self._in_a_row = 0  # answers that contradict what is believed

    async def look(self) -> None:
        """One check, and what follows from it."""
        condition = self._at.condition
        if await self._well() == condition.healthy:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if self._in_a_row >= (self._rule.unhealthy if condition.healthy else self._rule.healthy):
            condition.healthy, self._in_a_row = not condition.healthy, 0

    async def run(self) -> None:
        """For ever. Not all at the same moment: each pause is a tenth longer or shorter."""
        while True:
            await self.look()
            await asyncio.sleep(self._rule.interval * random.uniform(0.9, 1.1))

    async def _well(self) -> bool:
        request = Request("GET", self._rule.path.encode("ascii", "replace"), [(b"user-agent", b"trivium-health")])
        try:
            with Deadline(self._rule.timeout):
                begun = await exchange(self._at, request, self._rule.timeout)
                try:
                    size = 0
                    while size < LARGEST and (chunk := await begun.read()):
                        size += len(chunk)
                    return 200 <= begun.head.status < 300
                finally:
                    begun.end()
        except (Failure, TimeoutError):
            return False


class Probes:
    """Of all upstreams of a cluster, from now until `stop`. None without a path to ask for."""

    def __init__(self, cluster: Cluster, rule: Health) -> None:
        found = cluster.endpoints if rule.path else []
        self._tasks = [asyncio.create_task(Probe(at, rule).run()) for at in found]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
