"""Sliding counters: one atomic increment gives both the decision and the numbers the caller is shown.

A window is the clock's own (a minute starts with the minute), so a counter's name says when it ends. The window before
weighs in by the share of it that a sliding window would still cover. A refused call gives back what it took. At most
`quota` calls are admitted in a window, whatever the store and however many ask at once.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from limits.aio.storage import RedisStorage, Storage

from gateway.deadline import Deadline
from gateway.pipeline import Limit
from kernel.clock import Clock, SystemClock
from kernel.problem import Shedding

Outage = Literal["deny", "allow", "local"]
CAP = 100_000  # counters held in this process


class Verdict(NamedTuple):
    """What one limit says to one call. `reset`: whole seconds until more than `remaining` can be had."""

    limit: Limit
    admitted: bool
    remaining: int
    reset: int


class StoreAway(Exception):
    """The shared store failed, was too slow, did so a moment ago, or has enough callers waiting for it already."""


class Counters:
    """Counters of this process: of each key the current window's number, its count and the count before it.

    The least recently used key makes room past the cap.
    """

    def __init__(self, cap: int = CAP) -> None:
        self._cells: OrderedDict[object, list[int]] = OrderedDict()
        self._cap = cap

    def take(self, key: object, window: int) -> tuple[int, int]:
        """One more in this window: the count including it, and the count of the window before."""
        cell = self._cells.get(key)
        if cell is None:
            self._cells[key] = [window, 1, 0]
            if len(self._cells) > self._cap:
                self._cells.popitem(last=False)
            return 1, 0
        self._cells.move_to_end(key)
        if cell[0] != window:
            cell[:] = window, 0, cell[1] if cell[0] == window - 1 else 0
        cell[1] += 1
        return cell[1], cell[2]

    def give_back(self, key: object) -> None:
        """Undoes the latest `take`."""
        if key in self._cells:
            self._cells[key][1] -= 1

    def __len__(self) -> int:
        return len(self._cells)


class Limiter:
    """Charges calls. `store`: counters shared by several processes; None keeps them in this one.

    `outage` says what becomes of calls while the store is away, for limits that do not say so themselves: `deny` them,
    `allow` them unmeasured, or measure them in this process against the quota's share for each of `processes`.
    A call waits at most `patience` seconds for the store, at most `waiting` calls at once, and none for `rest` seconds after
    a failure.
    """

    def __init__(
        self,
        store: Storage | None = None,
        *,
        clock: Clock | None = None,
        outage: Outage = "local",
        processes: int = 1,
        patience: float = 0.05,
        waiting: int = 64,
        rest: float = 1.0,
    ) -> None:
        self._store, self._clock, self._outage, self._processes = store, clock or SystemClock(), outage, processes
        self._patience, self._most_waiting, self._rest = patience, waiting, rest
        self._waiting, self._resting_until = 0, -math.inf
        self._own = Counters()
        self._past: OrderedDict[str, int] = OrderedDict()  # what the shared store said of windows that are over

    async def spend(self, key: str, limits: Sequence[Limit]) -> list[Verdict]:
        """Takes one call from every limit, or from none. Limits that cannot be measured and are to `allow` have no verdict.

        Raises Shedding where the store is away and a limit says `deny`.
        """
        now = self._now()
        if self._store is None:
            return self._spend_own(key, limits, now)
        try:
            return await self._within_patience(self._store, key, limits, now)
        except StoreAway:
            return self._without_store(key, limits, now)

    def spend_here(self, key: str, limits: Sequence[Limit]) -> list[Verdict]:
        """`spend` for a limiter that is not `shared`: nothing to wait for."""
        return self._spend_own(key, limits, self._now())

    @property
    def shared(self) -> bool:
        return self._store is not None

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _spend_own(self, key: str, limits: Sequence[Limit], now: int) -> list[Verdict]:
        verdicts, refused = [], False
        for limit in limits:
            count, previous = self._own.take((key, limit.policy), now // (limit.window * 1000))
            verdict = judge(limit, now, previous, count)
            verdicts.append(verdict)
            refused = refused or not verdict.admitted
        if not refused:
            return verdicts
        for limit in limits:
            self._own.give_back((key, limit.policy))
        return _given_back(verdicts)

    async def _within_patience(self, store: Storage, key: str, limits: Sequence[Limit], now: int) -> list[Verdict]:
        if self._waiting >= self._most_waiting or self._clock.monotonic() < self._resting_until:
            raise StoreAway
        self._waiting += 1
        try:
            with Deadline(self._patience):
                return await self._spend_shared(store, key, limits, now)
        except _exceptions(store):
            self._resting_until = self._clock.monotonic() + self._rest
            raise StoreAway from None
        finally:
            self._waiting -= 1

    async def _spend_shared(self, store: Storage, key: str, limits: Sequence[Limit], now: int) -> list[Verdict]:
        verdicts = []
        for limit in limits:
            current, previous = _names(key, limit, now)
            past = self._past.get(previous)
            if past is None:
                past = self._remember(previous, await store.get(previous))
            verdicts.append(judge(limit, now, past, await store.incr(current, 2 * limit.window + 1)))
        if all(verdict.admitted for verdict in verdicts):
            return verdicts
        for limit in limits:
            await store.incr(_names(key, limit, now)[0], 2 * limit.window + 1, -1)
        return _given_back(verdicts)

    def _remember(self, name: str, count: int) -> int:
        self._past[name] = count
        if len(self._past) > CAP:
            self._past.popitem(last=False)
        return count

    def _without_store(self, key: str, limits: Sequence[Limit], now: int) -> list[Verdict]:
        ways = [limit.outage or self._outage for limit in limits]
        if "deny" in ways:
            raise Shedding("calls cannot be counted now, and uncounted ones are not admitted", retry_after=math.ceil(self._rest))
        local = [limit for limit, way in zip(limits, ways, strict=True) if way == "local"]
        return self._spend_own(key, [replace(limit, quota=max(1, limit.quota // self._processes)) for limit in local], now)


def judge(limit: Limit, now: int, previous: int, count: int) -> Verdict:
    """`now` in milliseconds; `count` includes the call in question; `previous` is that of the window before."""
    quota, window = limit.quota, limit.window * 1000
    ahead = window - now % window
    previous = min(previous, quota)
    left = quota - previous * ahead // window - count
    if left > 0:
        return Verdict(limit, True, left, -(-ahead // 1000))
    others = count if left == 0 else count - 1
    return Verdict(limit, left == 0, 0, -(-_until_room(quota - others, window, ahead, previous) // 1000))


def _until_room(room: int, window: int, ahead: int, previous: int) -> int:
    """Milliseconds until one more call fits, if nobody else calls: the weight of the window before only shrinks."""
    if room <= 0:
        return ahead + 1
    return max(ahead - (room * window - 1) // previous, 1) if previous else 1


def _given_back(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [verdict._replace(remaining=verdict.remaining + 1) if verdict.admitted else verdict for verdict in verdicts]


def _names(key: str, limit: Limit, now: int) -> tuple[str, str]:
    number = now // (limit.window * 1000)
    name = f"{key}:{limit.policy}:{limit.window}:"
    return f"{name}{number}", f"{name}{number - 1}"


def _exceptions(store: Storage) -> tuple[type[Exception], ...]:
    known = store.base_exceptions
    return (TimeoutError, OSError, *(known if isinstance(known, tuple) else (known,)))


def redis_store(url: str) -> Storage:
    """Counters on a Redis, through redis-py. Connecting is left to the first call."""
    return RedisStorage(f"async+{url}", implementation="redispy", key_prefix="trivium", socket_connect_timeout=1.0)


async def close_store(store: Storage) -> None:
    """Closes what `redis_store` opened."""
    if isinstance(store, RedisStorage):
        await store.bridge.get_connection().aclose()  # type: ignore[attr-defined]
