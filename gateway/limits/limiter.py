"""The limiter: charges calls where all processes see it, and knows what becomes of them while that store is away."""

import math
from time import time_ns
from typing import Protocol

from gateway.deadline import Deadline
from gateway.limits.accounts import Accounts
from gateway.limits.allowance import Allowance
from gateway.limits.charge import Charge
from gateway.limits.redis_store import StoreAway
from gateway.limits.tally import Tally
from kernel.clock import Clock, SystemClock
from kernel.problem import Shedding

CAP = 100_000  # accounts held in this process


def _microseconds() -> int:
    return time_ns() // 1000


class Store(Protocol):
    """Counters that processes share."""

    async def charge(self, client: str, allowance: Allowance) -> Charge:
        """Takes one call from every limit, or from none. Raises StoreAway."""


class Limiter:
    """`store`: counters shared by several processes; None keeps them in this one, at most `cap` of them.

    A call waits at most `patience` seconds for the store, at most `waiting` calls at once. After a failure nobody waits for
    `rest` seconds; then one call tries, and the others follow when it was answered.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        clock: Clock | None = None,
        patience: float = 0.05,
        waiting: int = 256,
        rest: float = 1.0,
        cap: int = CAP,
    ) -> None:
        self._store, self._clock = store, clock or SystemClock()
        # By way of a datetime the system clock would be a quarter of what a check costs.
        self._now = _microseconds if isinstance(self._clock, SystemClock) else self._told
        self._patience, self._most_waiting, self._rest = patience, waiting, rest
        self._waiting, self._away, self._resting_until = 0, False, -math.inf
        self._named, self._strangers = Accounts(cap), Accounts(max(1, cap // 4))
        self.tally = Tally()

    @property
    def shared(self) -> bool:
        return self._store is not None

    async def spend(self, client: str, allowance: Allowance, *, stranger: bool = False) -> Charge:
        """Takes one call from every limit, or from none. `stranger`: the client is not proved, so there may be any number.

        Raises Shedding where the store is away and a limit says `deny`.
        """
        if self._store is None:
            return self.spend_here(client, allowance, stranger=stranger)
        try:
            return await self._within_patience(self._store, client, allowance)
        except (StoreAway, TimeoutError):
            return self._without_store(client, allowance, stranger)

    def spend_here(self, client: str, allowance: Allowance, *, stranger: bool = False) -> Charge:
        """`spend` for a limiter that is not `shared`: nothing to wait for."""
        return (self._strangers if stranger else self._named).spend(client, allowance, self._now())

    def _told(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)

    async def _within_patience(self, store: Store, client: str, allowance: Allowance) -> Charge:
        now = self._clock.monotonic()
        if self._waiting >= self._most_waiting or now < self._resting_until:
            raise StoreAway
        if self._away:  # this call tries whether the store is back
            self._resting_until = now + self._rest
        self._waiting += 1
        try:
            with Deadline(self._patience):
                charge = await store.charge(client, allowance)
        except (StoreAway, TimeoutError):
            self._away, self._resting_until = True, self._clock.monotonic() + self._rest
            raise
        finally:
            self._waiting -= 1
        self._away, self._resting_until = False, -math.inf
        return charge

    def _without_store(self, client: str, allowance: Allowance, stranger: bool) -> Charge:
        self.tally.uncounted += 1
        if allowance.denied:
            wait = math.ceil(self._rest)
            raise Shedding("calls cannot be counted now, and uncounted ones are not admitted", retry_after=wait)
        charge = self.spend_here(client, allowance.local, stranger=stranger)
        charge.uncounted = True
        return charge
