"""A rule: a function over a contract under an id that never changes, and what it says when it finds something."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from governance.contract import Contract
from governance.node import Node


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"
    OFF = "off"


@dataclass(frozen=True)
class Violation:
    """What is wrong at a place, and what to do about it."""

    node: Node
    what: str
    fix: str = ""


Check = Callable[[Contract], Iterable[Violation]]


@dataclass(frozen=True)
class Rule:
    """`see`: where the idea is written down. `fix`: what to do where a violation does not say more."""

    id: str
    number: int
    check: Check
    severity: Severity
    see: str
    fix: str

    @property
    def about(self) -> str:
        """The claim of the module that the rule is written in."""
        return (sys.modules[self.check.__module__].__doc__ or "").partition("\n")[0]


def rule(id: str, number: int, *, severity: Severity = Severity.ERROR, see: str = "", fix: str = "") -> Callable[[Check], Rule]:
    """Makes a rule of the function below."""
    return lambda check: Rule(id, number, check, severity, see, fix)
