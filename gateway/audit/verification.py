"""Every chain is followed from its first entry to its last: what was changed, removed, added or moved is found, and where.

A chain that was cut off at its end is found by the anchors beside the database, and by the chains that began after it. A chain
without an end belongs to a process that is running or was killed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.audit.chain import Place, seal
from gateway.audit.entry import BEGAN, ENDED, told
from gateway.audit.store import AuditStore, columns


@dataclass(frozen=True)
class Break:
    """The first place at which a chain is not what was written; `seq` -1: it is missing altogether."""

    chain: str
    seq: int
    why: str


@dataclass
class Verdict:
    chains: int = 0
    entries: int = 0
    lost: int = 0  # entries that the chains themselves say were given up
    open: list[str] = field(default_factory=list)  # chains without an end
    breaks: list[Break] = field(default_factory=list)


async def verify(store: AuditStore, key: bytes, anchors: Iterable[Place] = ()) -> Verdict:
    """`anchors`: places that are known from elsewhere."""
    verdict, present = Verdict(), await store.chains()
    known: dict[str, dict[int, str]] = {}
    for place in [*anchors, *[head for chain in present for head in await _before(store, chain)]]:
        known.setdefault(place.chain, {}).setdefault(place.seq, place.seal)
        if known[place.chain][place.seq] != place.seal:
            verdict.breaks.append(Break(place.chain, place.seq, "two witnesses know different seals of this entry"))
    for chain in present:
        verdict.chains += 1
        found = await _follow(store, key, chain, known.get(chain, {}), verdict)
        if found is not None:
            verdict.breaks.append(found)
    missing = sorted(known.keys() - set(present))
    verdict.breaks += [Break(chain, -1, "the whole chain was removed") for chain in missing]
    verdict.breaks.sort(key=lambda one: (one.chain, one.seq))
    return verdict


async def _follow(store: AuditStore, key: bytes, chain: str, known: Mapping[int, str], verdict: Verdict) -> Break | None:
    last, expected, kind = "", 0, ""
    async for row in store.rows(chain):
        why = _fault(key, row, expected, last, kind)
        if why is None and known.get(row.seq, row.seal) != row.seal:
            why = "it is not the entry that a witness saw here"
        if why is not None:
            return Break(chain, min(row.seq, expected), why)
        said = told(row.entry)
        last, expected, kind = row.seal, expected + 1, said.get("kind", "")
        verdict.entries += 1
        verdict.lost += said["about"]["entries"] if kind == "lost" else 0
    cut = min((seq for seq in known if seq >= expected), default=None)
    if cut is not None:
        return Break(chain, expected, f"the end was cut off: a witness saw entry {cut}")
    if kind != ENDED:
        verdict.open.append(chain)
    return None


def _fault(key: bytes, row: Any, expected: int, last: str, kind: str) -> str | None:
    if row.seq != expected:
        return "an entry was removed here"
    if row.seal != seal(key, row.chain, row.seq, last, row.entry):
        return "it was changed or moved, or sealed with another key"
    said = told(row.entry)
    if any(getattr(row, name) != value for name, value in columns(said).items()):
        return "the columns it is searched by were changed"
    if (said.get("kind") == BEGAN) != (expected == 0) or kind == ENDED:
        return "it stands where no such entry can stand"
    return None


async def _before(store: AuditStore, chain: str) -> list[Place]:
    """The ends of other chains as this one found them when it began."""
    async for row in store.rows(chain):
        try:
            before = told(row.entry)["about"]["before"]
            return [Place(name, int(seq), str(seal)) for name, (seq, seal) in before.items()]
        except (ValueError, KeyError, TypeError, AttributeError):
            return []  # what is wrong with it is found when it is followed
    return []
