"""A reader sees what they may call: an unrestricted one everything, a partner its own part, anybody what is public."""

from dataclasses import dataclass

from governance.contract import Operation

PUBLIC, PARTNER = "public", "partner"


@dataclass(frozen=True)
class Reader:
    """Two readers who see the same are equal: pages are kept under it."""

    everything: bool = False
    scopes: frozenset[str] = frozenset()

    def sees(self, operation: Operation) -> bool:
        audience = str(operation.extension("audience", ""))
        if self.everything or audience == PUBLIC:
            return True
        return audience == PARTNER and bool(operation.scopes) and operation.scopes <= self.scopes


EVERYTHING, ANYBODY = Reader(everything=True), Reader()


def reader_for(scopes: frozenset[str], *, restricted: bool) -> Reader:
    """A partner, or whoever may see certain accounts only (`restricted`), reads what it may call; our own read everything."""
    return Reader(scopes=scopes) if restricted else EVERYTHING
