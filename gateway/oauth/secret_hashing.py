"""A client's secret is stored as scrypt only; checking one costs at most one scrypt, two at a time, whoever asks.

The secrets are 256 random bits, so scrypt's work factor guards a stolen table, not weak passwords: 2^14 suffices (16 MiB, 40 ms).
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Collection

from kernel.clock import Clock
from kernel.problem import Shedding

PREFIX = "tvs_"
_FORM = re.compile(r"tvs_[A-Za-z0-9_-]{43}", re.ASCII)
AT_ONCE, WAITING = 2, 64
_KEPT, _KEPT_SECONDS = 1024, 300.0


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def scrypt(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=2**14, r=8, p=1, maxmem=2**26, dklen=32)


class SecretChecker:
    """Checks secrets against stored digests, remembering which were right.

    What is remembered is an HMAC under a key of this process, never a secret; a memory counts only while the digest that
    it was proved against is still among the client's, so a withdrawn secret is refused at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._memory_key = secrets.token_bytes(32)
        self._proved: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobody = secrets.token_bytes(16)

    async def check(self, client_id: str, secret: str, salt: bytes | None, digests: Collection[bytes]) -> bool:
        """Whether the secret is one of the client's. An unknown client (`salt` None) takes as long as a wrong secret.

        Raises Shedding when too many checks wait already.
        """
        if not _FORM.fullmatch(secret):
            return False
        if self._remembered(client_id, secret, digests):
            return True
        if self._waiting >= WAITING:
            raise Shedding("too many clients are proving themselves at once", retry_after=1)
        self._waiting += 1
        try:
            async with self._turn:
                return await self._prove(client_id, secret, salt, digests)
        finally:
            self._waiting -= 1

    def knows(self, client_id: str, secret: str) -> bool:
        """Whether this very secret was proved a short time ago."""
        found = self._proved.get(self._name(client_id, secret))
        return found is not None and self._clock.monotonic() < found[1]

    async def hash(self, secret: str, salt: bytes) -> bytes:
        """scrypt, off the event loop (hashlib lets go of the interpreter lock for it)."""
        return await asyncio.to_thread(scrypt, secret, salt)

    async def _prove(self, client_id: str, secret: str, salt: bytes | None, digests: Collection[bytes]) -> bool:
        if self._remembered(client_id, secret, digests):  # another request proved it while this one waited
            return True
        computed = await self.hash(secret, salt or self._nobody)
        matching = [digest for digest in digests if hmac.compare_digest(digest, computed)]
        if salt is None or not matching:
            return False
        self._proved[self._name(client_id, secret)] = (matching[0], self._clock.monotonic() + _KEPT_SECONDS)
        while len(self._proved) > _KEPT:
            self._proved.popitem(last=False)
        return True

    def _remembered(self, client_id: str, secret: str, digests: Collection[bytes]) -> bool:
        name = self._name(client_id, secret)
        found = self._proved.get(name)
        if found is None:
            return False
        if found[0] in digests and self._clock.monotonic() < found[1]:
            self._proved.move_to_end(name)
            return True
        del self._proved[name]
        return False

    def _name(self, client_id: str, secret: str) -> bytes:
        return hmac.digest(self._memory_key, f"{client_id}\0{secret}".encode(), "sha256")
