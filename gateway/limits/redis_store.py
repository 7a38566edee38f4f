"""Counters that processes share on a Redis: a check is one command, and checks that come together are one round trip.

One connection carries everything, so a Redis has one connection of each process to bear. Who waits for an answer leaves when its
patience ends; the connection is then given up, and with it all that wait for answers behind that one.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence

from gateway.deadline import Deadline
from gateway.limits.allowance import Allowance
from gateway.limits.charge import Charge, charged
from gateway.limits.counting import Verdict
from gateway.limits.line import Line, Lost, Place, Refused
from gateway.limits.script import SCRIPTS
from gateway.limits.wire import Wire, command
from kernel.clock import Clock

KEPT = 10_000  # releases that wait for a Redis to come back; what they would release lapses there anyway
CONNECT = 1.0  # seconds to connect and sign in
_LOAD = [command(b"SCRIPT", b"LOAD", text.encode()) for text in SCRIPTS.values()]


class StoreAway(Exception):
    """The shared store failed, was too slow, did so a moment ago, or has enough callers waiting for it already."""


class RedisStore:
    """`patience`: seconds after which an answer is late. `lease`: seconds that calls count as under way when their process died.

    `clock`: None leaves the time to Redis, so that clocks of processes may differ.
    """

    def __init__(self, place: Place, *, patience: float = 0.05, lease: float = 15.0, clock: Clock | None = None) -> None:
        self._place, self._patience, self._lease, self._clock = place, patience, int(lease * 1000), clock
        self._line: Line | None = None
        self._connecting: asyncio.Task[Line | None] | None = None
        self._kept: deque[bytes] = deque(maxlen=KEPT)
        self._leases, self._process = 0, secrets.token_hex(8)

    async def charge(self, client: str, allowance: Allowance) -> Charge:
        """Takes one call from every limit, or from none. Raises StoreAway."""
        wire, lease = allowance.wire, b""
        if wire.leased:
            self._leases += 1
            lease = f"{self._process}:{self._leases}".encode()
        try:
            answer = await self._ask(wire.charge(client, self._now(), lease, self._lease))
        except asyncio.CancelledError:
            if lease:  # whether it was granted or not: nobody will use it
                self._tell(wire.release(client, lease))
            if self._line is not None and self._line.overdue(0.9 * self._patience):
                self._line.abort()
            raise
        charge = charged(_verdicts(allowance, answer))
        if lease and not charge.refused:
            charge.release = _Lease(self, wire, client, lease).release
        return charge

    def renew(self, wire: Wire, client: str, lease: bytes) -> None:
        if self._line is not None and not self._line.lost:  # else the next one will do
            self._line.tell(wire.renew(client, self._now(), lease, self._lease))

    def release(self, wire: Wire, client: str, lease: bytes) -> None:
        self._tell(wire.release(client, lease))

    @property
    def renewal(self) -> float:
        """Seconds after which a lease is renewed."""
        return self._lease / 3000

    async def close(self) -> None:
        """Waits for what was sent before, for as long as an answer may take."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._line is not None and not self._line.lost:
            last = self._line.ask(command(b"PING"))
            await asyncio.wait([last], timeout=self._patience)
            if not last.cancel():
                last.exception()  # it is seen
            self._line.abort()

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000) if self._clock else 0

    async def _ask(self, sent: bytes) -> bytes:
        try:
            line = self._line
            if line is None or line.lost:
                line = await self._connected()
            try:
                return await line.ask(sent)
            except Refused as refusal:
                if not str(refusal).startswith("NOSCRIPT"):  # out of memory, read only…
                    raise
            for load in _LOAD:  # a Redis that was started since does not have our scripts: nothing was done
                line.tell(load)
            return await line.ask(sent)
        except (Lost, Refused):
            raise StoreAway from None

    def _tell(self, sent: bytes) -> None:
        if self._line is None or self._line.lost:
            self._kept.append(sent)
        else:
            self._line.tell(sent)

    async def _connected(self) -> Line:
        """One connects for all who wait, and goes on when one of them leaves."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
        line = await asyncio.shield(self._connecting)
        if line is None:
            raise StoreAway
        return line

    async def _connect(self) -> Line | None:
        try:
            with Deadline(CONNECT):
                line = await Line.open(self._place, self._kept.extend)
        except (OSError, TimeoutError, Lost, Refused):
            return None
        finally:
            self._connecting = None
        for load in _LOAD:
            line.tell(load)
        while self._kept:
            line.tell(self._kept.popleft())
        self._line = line
        return line


class _Lease:
    """One call under way. It is renewed for as long as it takes."""

    def __init__(self, store: RedisStore, wire: Wire, client: str, name: bytes) -> None:
        self._store, self._wire, self._client, self._name = store, wire, client, name
        self._timer = asyncio.get_running_loop().call_later(store.renewal, self._renew)

    def _renew(self) -> None:
        self._store.renew(self._wire, self._client, self._name)
        self._timer = asyncio.get_running_loop().call_later(self._store.renewal, self._renew)

    def release(self) -> None:
        self._timer.cancel()
        self._store.release(self._wire, self._client, self._name)


def _verdicts(allowance: Allowance, answer: bytes) -> Sequence[Verdict]:
    numbers = [int(number) for number in answer.split()]
    return [
        Verdict(limit, numbers[place] == 1, numbers[place + 1], numbers[place + 2])
        for limit, place in zip(allowance.limits, range(0, len(numbers), 3), strict=True)
    ]


def redis_store(url: str, *, patience: float = 0.05, lease: float = 15.0, clock: Clock | None = None) -> RedisStore:
    """Counters on the Redis at this URL; connecting is left to the first call. Raises BadSettings."""
    return RedisStore(Place.of(url), patience=patience, lease=lease, clock=clock)
