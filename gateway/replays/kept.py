"""A kept answer rests sealed: it may hold personal data, and whoever reads the database alone learns nothing from it."""

import json
from dataclasses import dataclass

from gateway.oauth.sealing import Seal

_LENGTH = 4  # bytes of the number that says how long the head is


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given, and the scopes of the token that it was given to."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    scopes: frozenset[str]


def sealed(kept: Kept, seal: Seal, id: str) -> bytes:
    """To be opened under the same id only."""
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in kept.headers]
    head = json.dumps([kept.status, headers, sorted(kept.scopes)]).encode()
    return seal.close(len(head).to_bytes(_LENGTH, "big") + head + kept.body, _name(id))


def opened(secret: bytes, seal: Seal, id: str) -> Kept:
    """Raises BadSeal where the row was changed, moved to another id, or sealed with another key."""
    whole = seal.open(secret, _name(id))
    end = _LENGTH + int.from_bytes(whole[:_LENGTH], "big")
    status, headers, scopes = json.loads(whole[_LENGTH:end])
    named = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)
    return Kept(status, named, whole[end:], frozenset(scopes))


def _name(id: str) -> str:
    return f"replay:{id}"
