"""What a comparison finds: an id that people can look up (oasdiff's, where it has one), where it is, and who breaks how."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from governance.node import Node


class Severity(StrEnum):
    ERR = "error"  # somebody who kept to the old contract breaks
    WARN = "warning"  # somebody who relied on more than it said may
    INFO = "info"  # nobody does


ORDER = {Severity.ERR: 0, Severity.WARN: 1, Severity.INFO: 2}


@dataclass(frozen=True)
class Finding:
    """`old`, `new`: where it stands in either document; None where there is nothing. `undecided`: nobody here can tell."""

    id: str
    severity: Severity
    operation: str  # "GET /orders/{order_id}"; "" for what concerns the whole contract
    sentence: str
    old: Node | None = None
    new: Node | None = None
    undecided: bool = False
    path: tuple[str, ...] = ()  # to the value it is about, within a body

    @property
    def place(self) -> tuple[int, str, str, str]:
        found = self.new or self.old
        return (ORDER[self.severity], self.operation, self.id, found.pointer if found else "")


Report = Callable[[Finding], None]


def dotted(path: tuple[str, ...]) -> str:
    """lines[].price, for people."""
    return ".".join(path).replace(".[]", "[]").replace(".{}", ".*")
