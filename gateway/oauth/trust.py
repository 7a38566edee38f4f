"""What this process believes about keys, closed clients and revoked tokens: at most a second old while the database answers.

A poll reads one number, the epoch; only when it moved are the rows above the last one read. Under steady traffic the poll runs
beside the requests (REFRESH_AFTER) and none waits for it; after a quiet time the first request does (STALE_AFTER).
"""

import asyncio
import logging
from ipaddress import IPv4Network, IPv6Network, ip_network

from gateway.oauth.keys import SigningKey
from gateway.oauth.trust_store import KEPT_BEYOND, Reading, Shared
from gateway.partners.standing import PartnerStanding
from kernel.clock import Clock
from kernel.problem import Unavailable

REFRESH_AFTER, STALE_AFTER = 0.5, 1.0  # seconds
GRACE = 5.0  # seconds for which the last answer is still used while the database does not answer; after that the door is shut
_PATIENCE = 0.5  # seconds a request waits for a reading
_DEADLINE = 2.0  # seconds a reading may take
_RETRY_AFTER = 0.25  # seconds between two readings while the database fails

log = logging.getLogger(__name__)


class Trust:
    """The shared state of the authorization server as this process sees it."""

    def __init__(self, shared: Shared, clock: Clock) -> None:
        self._shared, self._clock = shared, clock
        self.keys: dict[str, SigningKey] = {}
        self.revoked: dict[str, int] = {}  # token id -> when it would have expired
        self.closed: dict[str, int | None] = {}  # client -> tokens issued up to then are dead; None: all are
        self.networks: dict[str, tuple[IPv4Network | IPv6Network, ...]] = {}  # client -> where it may call from, if that is bound
        self.partners: dict[str, PartnerStanding] = {}
        self.generation = 0  # counts how often the set of keys has changed
        self.read_at = float("-inf")  # monotonic seconds
        self._epoch = -1
        self._attempted_at = self._sought_at = float("-inf")
        self._failing = False
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The first reading; whatever fails here fails the start."""
        await self._read()

    async def close(self) -> None:
        if self._reading is not None:
            await asyncio.wait([self._reading])

    def stale(self, monotonic: float) -> bool:
        """Whether `current` must be awaited before deciding; starts a reading beside the request when one is nearly due."""
        age = monotonic - self.read_at
        if age < REFRESH_AFTER:
            return False
        self._begin(monotonic)
        return age >= (GRACE if self._failing else STALE_AFTER)

    async def current(self) -> None:
        """Waits shortly for the reading under way. Raises Unavailable once the last answer is older than GRACE."""
        if not self.stale(self._clock.monotonic()):
            return
        await self._wait()
        if self._clock.monotonic() - self.read_at >= GRACE:
            raise Unavailable("tokens cannot be checked: the database of the authorization server does not answer", retry_after=1)

    async def key(self, kid: str) -> SigningKey | None:
        """The key a token names. An unknown name reads the database, at most once in STALE_AFTER seconds for all of them."""
        found, now = self.keys.get(kid), self._clock.monotonic()
        if found is None and now - self._sought_at >= STALE_AFTER:
            self._sought_at, self._attempted_at = now, float("-inf")
            self._begin(now)
            await self._wait()
            found = self.keys.get(kid)
        return found

    def active_key(self) -> SigningKey:
        return next(key for key in self.keys.values() if key.state == "active")

    def allows(self, token_id: str, client: str, issued_at: int) -> bool:
        """Whether neither the token nor its client has been called back."""
        if token_id in self.revoked:
            return False
        if client not in self.closed:
            return True
        until = self.closed[client]
        return until is not None and issued_at > until

    async def revoke(self, token_id: str, expires_at: int) -> None:
        """Calls a token back: here at once, in every other process within a second. Twice is the same as once."""
        self.revoked[token_id] = expires_at
        await self._shared.revoke(token_id, expires_at)

    def _begin(self, monotonic: float) -> None:
        if self._reading is None and monotonic - self._attempted_at >= _RETRY_AFTER:
            self._attempted_at = monotonic
            self._reading = asyncio.create_task(self._attempt())

    async def _wait(self) -> None:
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=_PATIENCE)

    async def _attempt(self) -> None:
        try:
            async with asyncio.timeout(_DEADLINE):
                await self._read()
            self._failing = False
        except Exception as error:  # whatever the driver raises, the answer is the same: go on with what is known, for a while
            self._failing = True
            log.error("the state of the authorization server cannot be read: %s", type(error).__name__)
        finally:
            self._reading = None

    async def _read(self) -> None:
        # The age counts from before the reading: what changes while it runs is not promised to be in it.
        began = self._clock.monotonic()
        reading = await self._shared.read(self._epoch)
        self._apply(reading)
        self._epoch, self.read_at = reading.epoch, began

    def _apply(self, reading: Reading) -> None:
        if reading.keys is None:
            return
        now = int(self._clock.now().timestamp())
        self.generation += self.keys.keys() != reading.keys.keys()
        self.keys = reading.keys
        self.revoked = {token: end for token, end in self.revoked.items() if end >= now - KEPT_BEYOND} | reading.revoked
        for client, standing in reading.standing.items():
            if standing.refuse_until or not standing.active:
                self.closed[client] = standing.refuse_until if standing.active else None
            self._bind(client, standing.addresses)
        self.partners |= reading.partners

    def _bind(self, client: str, addresses: tuple[str, ...] | None) -> None:
        if addresses is None:
            self.networks.pop(client, None)
        else:
            self.networks[client] = tuple(ip_network(address) for address in addresses)
