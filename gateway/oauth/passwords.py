"""A password rests as scrypt with OWASP's work factor; checking one costs the same whoever is named, and two at a time.

A client's secret is 256 random bits, a password is what somebody could remember: five times the work of `secret_hashing`, in the
same 16 MiB. Nothing is remembered between checks.
"""

import asyncio
import hashlib
import hmac
import secrets
import unicodedata

from kernel.problem import Shedding

SHORTEST, LONGEST = 12, 128  # characters; NIST SP 800-63B section 3.1.1.2 asks for no other rule
AT_ONCE, WAITING = 2, 32


class BadPassword(ValueError):
    """The password cannot be taken; the message says why."""


def checked(password: str) -> str:
    """The password, if it may become one. Raises BadPassword."""
    length = len(_normal(password))
    if not SHORTEST <= length <= LONGEST:
        raise BadPassword(f"a password has {SHORTEST} to {LONGEST} characters; this one has {length}")
    return password


def digest(password: str, salt: bytes) -> bytes:
    """scrypt with N 2^14, r 8, p 5 (OWASP's password storage cheat sheet): about 200 ms."""
    return hashlib.scrypt(_normal(password).encode(), salt=salt, n=2**14, r=8, p=5, maxmem=2**26, dklen=32)


class PasswordChecker:
    """Compares passwords with stored digests, off the event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobody = secrets.token_bytes(16)

    async def check(self, password: str, salt: bytes | None, stored: bytes | None) -> bool:
        """Whether it is the right one; for nobody (`salt` None) it takes as long. Raises Shedding when too many wait."""
        if self._waiting >= WAITING:
            raise Shedding("too many people are signing in at once", retry_after=2)
        self._waiting += 1
        try:
            async with self._turn:
                computed = await asyncio.to_thread(digest, password[: 2 * LONGEST], salt or self._nobody)
        finally:
            self._waiting -= 1
        return hmac.compare_digest(computed, stored or b"") and salt is not None


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
