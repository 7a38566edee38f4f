"""Answers kept in this process for as long as their contract allows, within a number of entries and of bytes.

Each belongs to what was asked and to who asked it. While one call fetches an answer, the same caller's others wait for it. A
write makes everything above and below its path old, what is being fetched in that moment too.
"""

from asyncio import Event
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from kernel.clock import Clock
from kernel.sections.replays import Cache as Terms

_OVERHEAD = 512  # bytes an entry takes beside its headers and body
Key = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer. Times are monotonic seconds; until `usable_until` it may stand in for one that cannot be had."""

    path: bytes
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    kept_at: float
    fresh_until: float
    usable_until: float

    @property
    def size(self) -> int:
        return _OVERHEAD + len(self.path) + len(self.body) + sum(len(name) + len(value) for name, value in self.headers)


@dataclass(eq=False, slots=True)
class Flight:
    """An answer that is being fetched. `landed` is set when it is there, or will not be."""

    path: bytes
    landed: Event = field(default_factory=Event)
    entry: Entry | None = None
    current: bool = True  # nothing was written since it began


class AnswerCache:
    """The least recently used entry makes room."""

    def __init__(self, terms: Terms, clock: Clock) -> None:
        self._most, self._most_bytes, self.largest = terms.entries, terms.bytes, terms.largest_answer
        self.now: Callable[[], float] = clock.monotonic
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._at: dict[bytes, set[Key]] = {}  # by path
        self._flights: dict[Key, Flight] = {}  # those that can be joined
        self._under_way: set[Flight] = set()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: Key) -> Entry | None:
        """What is kept and may still be used, fresh or not."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.usable_until <= self.now():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def flight(self, key: Key) -> Flight | None:
        return self._flights.get(key)

    def begin(self, key: Key, path: bytes) -> Flight:
        """The caller has to `land` it, whatever happens."""
        earlier = self._flights.get(key)
        if earlier is not None:
            earlier.current = False
        flight = self._flights[key] = Flight(path)
        self._under_way.add(flight)
        return flight

    def land(self, key: Key, flight: Flight, entry: Entry | None) -> bool:
        """Ends the flight; answers whether the entry was kept."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        self._under_way.discard(flight)
        kept = entry is not None and flight.current and self._keep(key, entry)
        flight.entry = entry
        flight.landed.set()
        return kept

    def written(self, path: bytes) -> None:
        """Forgets what is kept at this path, above it and below it. Who asks from now on waits for no earlier flight."""
        for related in [kept for kept in self._at if _related(kept, path)]:
            for key in list(self._at[related]):
                self._drop(key)
        for flight in self._under_way:
            flight.current = flight.current and not _related(flight.path, path)
        self._flights = {key: flight for key, flight in self._flights.items() if flight.current}

    def _keep(self, key: Key, entry: Entry) -> bool:
        self._drop(key)
        if self._most < 1 or entry.size > self._most_bytes:
            return False
        self._entries[key] = entry
        self._at.setdefault(entry.path, set()).add(key)
        self.bytes += entry.size
        while len(self._entries) > self._most or self.bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))
        return True

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.bytes -= entry.size
        self._at[entry.path].discard(key)
        if not self._at[entry.path]:
            del self._at[entry.path]


def _related(one: bytes, other: bytes) -> bool:
    return one == other or one.startswith(other + b"/") or other.startswith(one + b"/")


def directives(values: Iterable[bytes]) -> dict[bytes, bytes]:
    """Those of Cache-Control header fields, by name (RFC 9111 section 5.2)."""
    found = {}
    for part in b",".join(values).split(b","):
        name, _, value = part.strip().lower().partition(b"=")
        found[name.strip()] = value.strip(b' "')
    found.pop(b"", None)
    return found


def lifetime(status: int, headers: Sequence[tuple[bytes, bytes]], ttl: float, vary: Collection[bytes]) -> float:
    """Seconds for which an answer may be kept, at most `ttl`; 0: not at all. `vary`: what tells its variants apart."""
    named = dict(headers)
    if status != 200 or b"set-cookie" in named or b"content-range" in named:
        return 0
    varies = {name.strip().lower() for known, value in headers if known == b"vary" for name in value.split(b",")}
    said = directives(value for known, value in headers if known == b"cache-control")
    if not varies <= {*vary, b"authorization"} or b"no-store" in said or b"no-cache" in said:
        return 0
    own = said.get(b"max-age", b"")
    return min(ttl, float(own)) if own.isdigit() else ttl
