"""A reason becomes a finding: which id and weight it has is read from a table, the first row that fits."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from governance.changes import bounds
from governance.changes.finding import Finding, Severity, dotted
from governance.changes.reason import Change, Reason
from governance.node import Node

_IN_ALL_OF = re.compile(r"/allOf/\d+")
_BOUNDS = {"minimum": "min", "maximum": "max", "exclusiveMinimum": "min", "exclusiveMaximum": "max"}


@dataclass(frozen=True)
class Subject:
    """What is compared. `part` begins the ids of what is within it (request-property), `whole` those of itself (request-body).

    `asked`: callers send it, so it may only widen; otherwise they get it, and it may only narrow. `who` breaks if not; `called`
    is what people call the whole.
    """

    operation: str
    part: str
    whole: str
    asked: bool
    who: str = "callers"
    called: str = "the whole"


@dataclass(frozen=True)
class Row:
    """`keywords`: those it is about, none for all. `change`: the one it is about, None for all. `when`: and only then."""

    keywords: frozenset[str]
    change: Change | None
    id: str
    severity: Severity
    sentence: str
    when: Callable[[Reason], bool] = lambda _: True

    def fits(self, reason: Reason) -> bool:
        about = not self.keywords or reason.keyword in self.keywords
        return about and self.change in (None, reason.change) and self.when(reason)


def findings(reasons: Iterable[Reason], subject: Subject, table: Sequence[Row], old: Node, new: Node) -> Iterator[Finding]:
    """One finding a reason, each once. `old` and `new` stand for a side that says nothing."""
    found = list(reasons)
    missing = {(reason.path, reason.name) for reason in found if reason.keyword == "required"}
    for reason in found:
        if reason.change is Change.UNCONSTRAINED and (reason.path, reason.name) in missing:
            continue  # that it is gone is said once
        row = next(row for row in table if row.fits(reason))
        yield _finding(reason, row, subject, old, new)


def _finding(reason: Reason, row: Row, subject: Subject, old: Node, new: Node) -> Finding:
    words = {
        "of": subject.part if reason.path else subject.whole, "part": subject.part, "what": dotted(reason.path) or subject.called,
        "who": subject.who, "values": _listed(reason), "keyword": _kebab(reason.keyword),
        "bound": _BOUNDS.get(reason.keyword) or _kebab(reason.keyword), "verb": _verb(reason, narrowed=subject.asked),
        "required_part": subject.part.replace("-property", "-required-property"),
        "optional_part": subject.part.replace("-property", "-optional-property"),
    }  # fmt: skip
    places = (reason.given or old, reason.wanted) if subject.asked else (reason.wanted, reason.given or new)
    sentence = row.sentence.format(**words)
    path = reason.path if subject.part.endswith("property") else ()
    return Finding(
        row.id.format(**words), row.severity, subject.operation, sentence, *places, reason.change is Change.UNDECIDED, path
    )


def _verb(reason: Reason, *, narrowed: bool) -> str:
    if reason.keyword == "multipleOf":
        return "changed"
    return "increased" if (reason.keyword in bounds.FROM_BELOW) == narrowed else "decreased"


def _listed(reason: Reason) -> str:
    shown = [repr(value) for value in reason.values[:3]]
    return ", ".join(shown) + (" and others" if len(reason.values) > len(shown) else "")


def _kebab(keyword: str) -> str:
    return re.sub(r"([A-Z])", r"-\1", keyword).lower().strip("$")


# What rows are about, and what they ask of a reason.

ANY: frozenset[str] = frozenset()


def on(*keywords: str) -> frozenset[str]:
    return frozenset(keywords)


def is_new(reason: Reason) -> bool:
    """The side that should imply says nothing of it."""
    return reason.given is None


def about_null(reason: Reason) -> bool:
    """Null is possible on the one side and not on the other."""
    return _nullable(reason.given) and not _nullable(reason.wanted)


def about_types(reason: Reason) -> bool:
    """One of the sides lists several types."""
    return any(node is not None and isinstance(node.value, list) for node in (reason.given, reason.wanted))


def generalized(reason: Reason) -> bool:
    return reason.given is not None and (reason.wanted.value, reason.given.value) == ("integer", "number")


def extensible(reason: Reason) -> bool:
    """The old contract told callers to expect other values."""
    owner = reason.wanted.source.at(reason.wanted.pointer.rpartition("/")[0])
    return isinstance(owner, dict) and ("x-extensible-enum" in owner or owner.get("x-trivium-extensible-enum") is True)


def within_all_of(reason: Reason) -> bool:
    return reason.given is None and _IN_ALL_OF.search(reason.wanted.pointer) is not None


def _nullable(said: Node | None) -> bool:
    return said is not None and (said.value == "null" or (isinstance(said.value, list) and "null" in said.value))
