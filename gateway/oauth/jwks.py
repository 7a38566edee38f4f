"""The keys of another issuer as this process knows them: fetched beside the calls, once for all who wait, and never in a storm.

Fresh keys are used; keys that are due are used while new ones are fetched; while the issuer does not answer the last ones are
used for a day. A key id that nobody knows has them fetched anew, at most once in SEEK_AFTER seconds for all such names together,
and is then refused unlooked for a minute. Where nothing can be known the answer is "not now" (503), never "not you" (401).
"""

import asyncio
import logging
from collections import OrderedDict

from gateway.oauth.discovery import NotFetched, Published, Source
from gateway.oauth.public_keys import PublicKey
from kernel.clock import Clock
from kernel.problem import Unavailable

SEEK_AFTER = 10.0  # seconds between two fetches for the sake of unknown names
RETRY_AFTER = 5.0  # seconds between two fetches while the issuer fails
UNKNOWN_FOR = 60.0  # seconds for which a name stays unknown
STALE_FOR = 86_400.0  # seconds for which keys are used that cannot be renewed
PATIENCE = 3.0  # seconds a call waits for a fetch
WAITING = 256  # calls that wait at once
_NAMES = 1024  # unknown names remembered

log = logging.getLogger(__name__)


class IssuerKeys:
    """It, for one issuer."""

    def __init__(self, issuer: str, source: Source, clock: Clock) -> None:
        self._issuer, self._source, self._clock = issuer, source, clock
        self.generation = 0  # counts how often the set of keys has changed
        self._keys: tuple[PublicKey, ...] = ()
        self._read_at = self._attempted_at = self._sought_at = float("-inf")
        self._fresh_for = self._fetched = 0
        self._failing = False
        self._unknown: OrderedDict[str, float] = OrderedDict()  # until when
        self._waiting = 0
        self._fetching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins the first fetch and waits for nothing: an issuer that is away must not keep us from starting."""
        self._begin(self._clock.monotonic())

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
        await self._source.close()

    async def key(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key of this name for this algorithm, None when the issuer has none. Without a name: the only one there is.

        Raises Unavailable when that cannot be known.
        """
        now = self._clock.monotonic()
        if now - self._read_at >= self._fresh_for:
            self._begin(now)
        if now - self._read_at >= STALE_FOR:
            await self._wait()
            if self._clock.monotonic() - self._read_at >= STALE_FOR:
                raise self._away()
        found = self._find(kid, algorithm)
        if found is None and kid is not None and self._unknown.get(kid, now) <= now:
            found = await self._seek(kid, algorithm, now)
        return found

    def _find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        able = [key for key in self._keys if algorithm in key.verifiers and (kid is None or key.kid == kid)]
        return able[0] if len(able) == 1 or (able and kid is not None) else None

    async def _seek(self, kid: str, algorithm: str, now: float) -> PublicKey | None:
        if now - self._sought_at >= SEEK_AFTER:
            self._sought_at, self._attempted_at = now, float("-inf")
            self._begin(now)
        before = self._fetched
        if self._fetching is not None:
            await self._wait()
        found = self._find(kid, algorithm)
        if found is not None:
            return found
        if self._failing or self._fetching is not None:
            raise self._away()
        if self._fetched > before:
            self._remember_unknown(kid)
        return None

    def _remember_unknown(self, kid: str) -> None:
        self._unknown[kid] = self._clock.monotonic() + UNKNOWN_FOR
        while len(self._unknown) > _NAMES:
            self._unknown.popitem(last=False)

    def _begin(self, now: float) -> None:
        pause = RETRY_AFTER if self._failing else 0.0
        if self._fetching is None and now - self._attempted_at >= pause:
            self._attempted_at = now
            self._fetching = asyncio.create_task(self._attempt())

    async def _wait(self) -> None:
        if self._fetching is None:
            return
        if self._waiting >= WAITING:
            raise self._away()
        self._waiting += 1
        try:
            await asyncio.wait([self._fetching], timeout=PATIENCE)
        finally:
            self._waiting -= 1

    async def _attempt(self) -> None:
        began = self._clock.monotonic()
        try:
            self._apply(await self._source.fetch(), began)
        except NotFetched as failure:
            self._failing = True
            log.error("the keys of the issuer %s cannot be fetched: %s", self._issuer, failure)
        except Exception as error:  # whatever a document can do to us, calls go on with the keys that are known
            self._failing = True
            log.error("the keys of the issuer %s cannot be fetched: %s", self._issuer, type(error).__name__)
        finally:
            self._fetching = None

    def _apply(self, published: Published, began: float) -> None:
        self.generation += {key.thumbprint for key in self._keys} != {key.thumbprint for key in published.keys}
        self._keys, self._fresh_for = published.keys, published.fresh_for
        self._read_at, self._failing, self._fetched = began, False, self._fetched + 1

    def _away(self) -> Unavailable:
        return Unavailable(f"the keys of the issuer {self._issuer} cannot be had at the moment", retry_after=int(RETRY_AFTER))
