"""One thing that was found, whoever found it."""

from collections.abc import Iterable
from dataclasses import dataclass

from governance.changes.finding import Finding as Change
from governance.contract import Contract
from governance.lint.engine import Finding as Lint
from governance.node import Node


@dataclass(frozen=True)
class Entry:
    """`level`: error, warning or info. `fix`: what to do about it. `was`: the place in the old contract, as file:line."""

    id: str
    level: str
    message: str
    file: str
    line: int
    pointer: str
    operation: str = ""
    fix: str = ""
    was: str = ""
    old_pointer: str = ""


def of_lint(findings: Iterable[Lint]) -> list[Entry]:
    levels = {"hint": "info"}
    return [
        Entry(one.rule, levels.get(one.severity, one.severity), one.what, one.file, one.line, one.pointer, fix=one.fix)
        for one in findings
    ]


def of_changes(findings: Iterable[Change]) -> list[Entry]:
    return [_of_change(one) for one in findings]


def removed_contract(contract: Contract) -> Entry:
    """A whole contract that is not there any more."""
    said = f"{contract.api} {contract.version} is gone with all its operations"
    return Entry("contract-removed", "error", said, contract.name, 1, "", was=f"{contract.name}:1")


def _of_change(one: Change) -> Entry:
    here = one.new or one.old
    file, line, pointer = (here.source.name, here.line, here.pointer) if here else ("", 1, "")
    return Entry(
        one.id, one.severity, one.sentence, file, line, pointer, one.operation, was=_place(one.old),
        old_pointer=one.old.pointer if one.old else "",
    )  # fmt: skip


def _place(node: Node | None) -> str:
    return f"{node.source.name}:{node.line}" if node is not None else ""
