"""What every part of a comparison works with: the two contracts, the proofs in both directions, and the day."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from governance.changes.asked import ASKED
from governance.changes.finding import Finding
from governance.changes.implication import Proof
from governance.changes.told import TOLD
from governance.changes.words import Subject, findings
from governance.contract import Contract
from governance.node import Node


@dataclass
class Comparison:
    """`notice`: days between saying that something ends and its end."""

    old: Contract
    new: Contract
    today: date
    notice: int = 90
    _asked: Proof = field(default_factory=lambda: Proof(ignored="readOnly"))
    _told: Proof = field(default_factory=lambda: Proof(ignored="writeOnly"))

    def schemas(self, old: Node, new: Node, subject: Subject) -> Iterator[Finding]:
        """What of a schema that callers send became narrower, or of one that they get became wider."""
        if subject.asked:
            yield from findings(self._asked.implies([old], new), subject, ASKED, old, new)
        else:
            yield from findings(self._told.implies([new], old), subject, TOLD, old, new)
