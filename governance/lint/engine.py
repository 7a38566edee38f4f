"""Rules are run over contracts: each finding has its rule, weight, place and remedy, in the order of the file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from governance.contract import Contract
from governance.lint.configuration import Configuration
from governance.lint.rule import Rule, Severity, Violation
from governance.lint.suppression import suppressions
from governance.node import Unresolved

SUPPRESSION = "suppression"  # the id under which a suppression itself is found wanting


@dataclass(frozen=True, order=True)
class Finding:
    """A violation as it is reported; ordered by file and line."""

    file: str
    line: int
    pointer: str
    rule: str
    severity: Severity
    what: str
    fix: str


def lint(contracts: Iterable[Contract], rules: Sequence[Rule], configuration: Configuration, today: date) -> Iterator[Finding]:
    """What the rules find in each contract, in the order of its lines."""
    for contract in contracts:
        yield from sorted(_of_one(contract, rules, configuration, today))


def _of_one(contract: Contract, rules: Sequence[Rule], configuration: Configuration, today: date) -> set[Finding]:
    excused, wrong = suppressions(contract, today)
    found = {_finding(violation, SUPPRESSION, Severity.ERROR, "") for violation in wrong}
    for rule in rules:
        severity = configuration.severity(rule, contract)
        if severity is Severity.OFF:
            continue
        for violation in _violations(rule, contract):
            if not any(one.covers(rule.id, violation.node) for one in excused):
                found.add(_finding(violation, rule.id, severity, rule.fix))
    return found


def _violations(rule: Rule, contract: Contract) -> list[Violation]:
    try:
        return list(rule.check(contract))
    except Unresolved as error:
        return [Violation(contract.root, f"the rule cannot be checked: {error}", "mend the reference")]


def _finding(violation: Violation, rule: str, severity: Severity, fix: str) -> Finding:
    node = violation.node
    return Finding(node.source.name, node.line, node.pointer, rule, severity, violation.what, violation.fix or fix)
