"""All calls of one test to all platforms: each is counted, and can be made to fail, to hang, or to wait for others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.problem import Problem


class Traffic:
    """A call is named "<domain>.<method>"; faults are set for one call or, by the domain alone, for a whole platform."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self._problems: dict[str, tuple[Problem, int | None]] = {}
        self._hanging: set[str] = set()
        self._together: dict[str, int] = {}
        self._arrived = asyncio.Event()

    def fail(self, what: str, problem: Problem, times: int | None = None) -> None:
        """Raises the problem at that many calls, or until healed."""
        self._problems[what] = problem, times

    def hang(self, what: str) -> None:
        """Never answers."""
        self._hanging.add(what)

    def heal(self, what: str) -> None:
        self._problems.pop(what, None)
        self._hanging.discard(what)

    def only_together(self, calls: int, *, but: set[str]) -> None:
        """No call (except those named) is answered before so many of them are in flight at the same time."""
        self._together = {**dict.fromkeys(but, 0), "*": calls}

    @asynccontextmanager
    async def call(self, domain: str, method: str) -> AsyncIterator[None]:
        name = f"{domain}.{method}"
        self.calls[name] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            await self._answer(name, domain)
            yield
        finally:
            self.in_flight -= 1

    async def _answer(self, name: str, domain: str) -> None:
        if self._hanging & {name, domain}:
            await asyncio.Event().wait()
        for what in (name, domain):
            problem, left = self._problems.get(what, (None, None))
            if problem is not None and left != 0:
                self._problems[what] = problem, None if left is None else left - 1
                raise problem
        if self.in_flight < self._together.get(name, self._together.get("*", 0)):
            await self._arrived.wait()
        elif name not in self._together:
            self._arrived.set()
