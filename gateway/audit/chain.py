"""Each entry is sealed together with the seal before it: to change, remove, add or move one, all that follow must be sealed anew.

The seal is an HMAC: whoever has the database alone cannot make one. Every process writes chains of its own, one each time it
runs, so that none waits for another; a chain begins with the last seals of those before it.
"""

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from gateway.audit.entry import Entry

NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")
_ENTRY, _ANCHOR = b"trivium audit entry 1\n", b"trivium audit anchor 1\n"


class Link(NamedTuple):
    """One entry in its place."""

    chain: str
    seq: int
    text: str
    seal: str


class Place(NamedTuple):
    """Where an entry is, and its seal: who knows one notices every change up to there."""

    chain: str
    seq: int
    seal: str


def new_name(now: datetime) -> str:
    """Names sort by the time at which their chains began."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"


def seal(key: bytes, chain: str, seq: int, before: str, text: str) -> str:
    message = f"{chain}\n{seq}\n{before}\n{text}".encode()
    return hmac.new(key, _ENTRY + message, hashlib.sha256).hexdigest()


def anchor_seal(key: bytes, place: Place, at: str) -> str:
    return hmac.new(key, _ANCHOR + f"{place.chain}\n{place.seq}\n{place.seal}\n{at}".encode(), hashlib.sha256).hexdigest()


class Chain:
    """The end of one chain, to which entries are added."""

    def __init__(self, key: bytes, name: str) -> None:
        self._key, self.name = key, name
        self._next, self._last = 0, ""

    def add(self, entry: Entry) -> Link:
        text = entry.text()
        self._last = seal(self._key, self.name, self._next, self._last, text)
        link = Link(self.name, self._next, text, self._last)
        self._next += 1
        return link
