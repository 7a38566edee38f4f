"""How an API stands: who answers for it, how far it is in its life, and what was proved of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from governance.changes.promises import CLASSES
from governance.contract import Contract
from governance.lint.configuration import Configuration
from governance.lint.rule import Severity
from governance.lint.suppression import suppressions
from governance.node import Unresolved
from governance.publishing.digest import digest
from governance.publishing.evidence import Evidence
from governance.rules import RULES

_COST = {Severity.ERROR: 10, Severity.WARNING: 2}
NOT_SAID = "not said"


@dataclass(frozen=True)
class Standing:
    """`lint`: 0 to 100, an error costs 10 and a warning 2. `tests`: cases and failures of the evidence for just this promise."""

    layer: str
    domain: str
    owner: str
    lifecycle: str
    audience: str
    slo: str
    classification: str
    lint: int
    errors: int
    warnings: int
    tests: str
    digest: str
    published: str  # the version whose evidence is for this very promise; "": none


def standing(contract: Contract, releases: Sequence[Evidence], configuration: Configuration, today: date) -> Standing:
    info, named = contract.info, digest(contract.source.root)
    errors, warnings = _found(contract, configuration, today)
    proof = next((one for one in reversed(releases) if one.digest == named), None)
    owner = info.get("x-trivium-owner")
    return Standing(
        layer=contract.layer or NOT_SAID,
        domain=str(info.get("x-trivium-domain") or contract.api.rpartition("/")[2]),
        owner=str(owner.get("team", NOT_SAID)) if isinstance(owner, dict) else str(owner or NOT_SAID),
        lifecycle=contract.stage or NOT_SAID,
        audience=contract.audience or NOT_SAID,
        slo=_slo(info.get("x-trivium-slo")),
        classification=_highest(contract),
        lint=max(0, 100 - errors * _COST[Severity.ERROR] - warnings * _COST[Severity.WARNING]),
        errors=errors,
        warnings=warnings,
        tests="" if proof is None else f"{proof.tests.get('cases', 0)} cases, {proof.tests.get('failures', 0)} failures",
        digest=named,
        published="" if proof is None else proof.version,
    )


def _slo(said: object) -> str:
    if isinstance(said, dict) and said:
        return ", ".join(f"{name} {value}".replace("_", " ") for name, value in sorted(said.items()))
    return str(said) if said else NOT_SAID


def _highest(contract: Contract) -> str:
    """The most sensitive class of anything in it."""
    said = {contract.info.get("x-trivium-classification"), contract.root.get("x-trivium-classification")}
    said |= {found.node.get("x-trivium-classification") for found in contract.schemas if isinstance(found.node.value, dict)}
    return next((name for name in reversed(list(CLASSES)) if name in said), NOT_SAID)


def _found(contract: Contract, configuration: Configuration, today: date) -> tuple[int, int]:
    excused, wrong = suppressions(contract, today)
    counted = {Severity.ERROR: len(wrong), Severity.WARNING: 0}
    for rule in RULES:
        severity = configuration.severity(rule, contract)
        if severity not in counted:
            continue
        try:
            found = {one.node.pointer for one in rule.check(contract) if not any(s.covers(rule.id, one.node) for s in excused)}
        except Unresolved:
            found = {""}
        counted[severity] += len(found)
    return counted[Severity.ERROR], counted[Severity.WARNING]
