"""The one command of a check, as bytes: all that is known before the call is laid out once, at start (RESP2, as Redis has it)."""

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from gateway.limits.counting import gap
from gateway.limits.script import CHARGE_SHA, RELEASE_SHA, RENEW_SHA
from gateway.pipeline import Limit


class Wire:
    """The commands for one operation under these limits."""

    __slots__ = ("_charge", "_leases", "_suffixes", "_tail", "leased")

    def __init__(self, operation: str, limits: Sequence[Limit]) -> None:
        counters = [_suffix(operation, limit) for limit in limits]
        self._suffixes = tuple(dict.fromkeys(counters))
        self._leases = tuple(dict.fromkeys(_suffix(operation, each) for each in limits if each.kind == "concurrent"))
        self.leased = bool(self._leases)
        self._charge = _head(CHARGE_SHA, len(self._suffixes), 3 + 8 * len(limits))
        places = [self._suffixes.index(counter) + 1 for counter in counters]
        self._tail = b"".join(b"".join(_arguments(each, place)) for each, place in zip(limits, places, strict=True))

    def keys(self, client: str) -> list[bytes]:
        """All in one slot of a cluster, by the client as their hash tag."""
        tag = hash_tag(client)
        return [tag + suffix for suffix in self._suffixes]

    def charge(self, client: str, now: int, lease: bytes, length: int) -> bytes:
        """`now` in microseconds, 0 for Redis' own clock; `lease`: its name; `length` in milliseconds."""
        keys = b"".join([bulk(key) for key in self.keys(client)])
        return b"".join((self._charge, keys, bulk(b"%d" % now), bulk(lease), bulk(b"%d" % length), self._tail))

    def renew(self, client: str, now: int, lease: bytes, length: int) -> bytes:
        return self._of_leases(RENEW_SHA, client, (b"%d" % now, lease, b"%d" % length))

    def release(self, client: str, lease: bytes) -> bytes:
        return self._of_leases(RELEASE_SHA, client, (lease,))

    def _of_leases(self, sha: str, client: str, arguments: Sequence[bytes]) -> bytes:
        tag = hash_tag(client)
        keys = [tag + suffix for suffix in self._leases]
        return command(b"EVALSHA", sha.encode(), b"%d" % len(keys), *keys, *arguments)


def command(*words: bytes) -> bytes:
    return b"*%d\r\n%b" % (len(words), b"".join(map(bulk, words)))


def bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


def hash_tag(client: str) -> bytes:
    """What is between the first braces of a key decides its slot; a client cannot close them."""
    return b"trivium:{%b}" % (quote(client, safe="@:/|") if "}" in client or "%" in client else client).encode()


def _head(sha: str, keys: int, arguments: int) -> bytes:
    count = b"*%d\r\n" % (3 + keys + arguments)
    return count + b"".join(map(bulk, (b"EVALSHA", sha.encode(), b"%d" % keys)))


def _suffix(operation: str, limit: Limit) -> bytes:
    """Counts are fields of a hash; calls under way are a key of their own."""
    place = f":{operation}" if limit.per == "operation" else ""
    return (f"{place}:@{limit.policy}" if limit.kind == "concurrent" else place).encode()


def _arguments(limit: Limit, place: int) -> Iterable[bytes]:
    step = gap(limit) if limit.kind == "gcra" else 0
    name = f"{limit.policy}:{limit.kind}:{limit.window}"
    said = (limit.kind, name, limit.quota, limit.window * 1000, step, limit.burst, int(limit.shadow), place)
    return [bulk(str(word).encode()) for word in said]
