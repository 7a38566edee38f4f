"""A finding may be lived with for a while: whoever says so gives a reason and a day on which it is looked at again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from governance.contract import Contract
from governance.lint.rule import Violation
from governance.node import Node

KEY = "x-trivium-lint-ignore"


@dataclass(frozen=True)
class Suppression:
    """It holds for its rule at the place it is written and for everything below it."""

    rule: str
    reason: str
    until: date
    node: Node  # the object that carries it

    def covers(self, rule: str, place: Node) -> bool:
        below = place.pointer == self.node.pointer or place.pointer.startswith(f"{self.node.pointer}/")
        return self.rule == rule and place.source is self.node.source and below


def suppressions(contract: Contract, today: date) -> tuple[list[Suppression], list[Violation]]:
    """Those in force, and what is wrong with the others (no reason, no day, a day that is past).

    x-trivium-lint-ignore:
    - {rule: plural-resources, reason: "the ERP calls it that", until: 2027-06-30}
    """
    good: list[Suppression] = []
    bad: list[Violation] = []
    for entry, owner in _entries(contract.root) if KEY in contract.source.text else ():
        found = _suppression(entry, owner, today)
        if isinstance(found, Suppression):
            good.append(found)
        else:
            bad.append(found)
    return good, bad


def _entries(root: Node) -> Iterator[tuple[Node, Node]]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node.value, dict):
            for entry in node.raw(KEY).elements():
                yield entry, node
            waiting += [child for name, child in node.items() if name != KEY]
        elif isinstance(node.value, list):
            waiting += node.elements()


def _suppression(entry: Node, owner: Node, today: date) -> Suppression | Violation:
    rule, reason, until = (str(entry.get(name) or "").strip() for name in ("rule", "reason", "until"))
    if not rule or not reason:
        return Violation(entry, "a suppression names its rule and gives a reason", "add rule, reason and until")
    try:
        day = date.fromisoformat(until)
    except ValueError:
        return Violation(entry, f"the suppression of {rule} has no end", "add until: a day, as YYYY-MM-DD")
    if day < today:
        return Violation(entry, f"the suppression of {rule} ended on {day}", "mend what it hides, or say anew why not")
    return Suppression(rule, reason, day, owner)
