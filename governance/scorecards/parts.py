"""The parts of a scorecard: rules kept, tests run, consumers moved on, objectives met, words for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from governance.consumers.declared import Application
from governance.contract import Contract
from governance.lint.engine import Finding
from governance.lint.rule import Severity
from governance.publishing.lock import key
from governance.scorecards.part import Part, share
from governance.walk import everything

COST = {Severity.ERROR: 10, Severity.WARNING: 2}


def of_lint(findings: Sequence[Finding]) -> Part:
    """100, less 10 for an error and 2 for a warning."""
    counted = {severity: sum(one.severity is severity for one in findings) for severity in COST}
    lost = sum(COST[severity] * count for severity, count in counted.items())
    return Part("lint", 30, max(0, 100 - lost), f"{counted[Severity.ERROR]} errors, {counted[Severity.WARNING]} warnings")


def of_tests(ran: Mapping[str, Any] | None, digest: str) -> Part:
    """`ran`: what `make contract-tests` wrote of this API. A run on another text of the contract proves little of this one."""
    if not ran or not ran.get("cases"):
        return Part("tests", 25, 0, "the contract tests were not run: make contract-tests")
    cases, failures = int(ran["cases"]), int(ran.get("failures") or 0)
    matrix = ran.get("matrix") or {}
    missing = [name for name in ("authorization", "limits") if not matrix.get(name)]
    score = 100 - 25 * len(missing) if not failures else min(40, share(cases - failures, cases) // 2)
    said = f"{cases} cases, {failures} failures" + "".join(f", no {name} matrix" for name in missing)
    if ran.get("digest") != digest:
        return Part("tests", 25, score // 2, f"{said}, of an earlier text of the contract")
    return Part("tests", 25, score, said)


def of_consumers(contract: Contract, estate: Iterable[Contract], applications: Sequence[Application]) -> Part:
    """How many of those who use the API, in any version, use its newest major and no other."""
    majors = sorted({_major(one) for one in estate if one.api == contract.api} | {_major(contract)})
    keys = [key(contract.api, str(major)) for major in majors]
    users = [one for one in applications if any(one.uses_api(used) for used in keys)]
    behind = sorted(one.name for one in users if any(one.uses_api(used) for used in keys[:-1]))
    if not users:
        return Part("consumers", 15, None, "nobody is known to use it")
    said = f"still on an old version: {', '.join(behind[:5])}" if behind else f"all {len(users)} on v{majors[-1]}"
    return Part("consumers", 15, share(len(users) - len(behind), len(users)), said)


def of_documentation(contract: Contract) -> Part:
    """Descriptions of operations, parameters and properties, and an example for what is sent or answered."""
    described = [bool(one.node.get("description")) for one in contract.operations]
    for operation in contract.operations:
        said = (one for one in operation.parameters if one.get("in") in ("path", "query"))
        described += [bool(one.get("description") or one.at("schema").get("description")) for one in said]
    described += [bool(found.node.get("description")) for found in contract.schemas if _named(found.node.pointer)]
    exampled = [_has_example(contract, operation.node.pointer) for operation in contract.operations]
    words, examples = share(sum(described), len(described)), share(sum(exampled), len(exampled))
    return Part(
        "documentation", 20, (3 * words + examples) // 4, f"{words} % described, {examples} % of operations with examples"
    )


def _has_example(contract: Contract, pointer: str) -> bool:
    """Of its own, or in a schema that its body or an answer refers to."""
    operation = next(one for one in contract.operations if one.node.pointer == pointer)
    if any({"example", "examples"} & _names(node.value) for node in everything(operation.node)):
        return True
    bodies = [operation.body, *operation.successes.values()]
    schemas = [content.at("schema") for body in bodies if body is not None for _, content in body.at("content").items()]
    return any(
        {"example", "examples"} & _names(found.value)
        for schema in schemas
        for found in (schema, *(child.followed() for _, child in schema.at("properties").items()))
    )


def _names(value: Any) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


def _named(pointer: str) -> bool:
    """A schema with a name of its own."""
    return pointer.startswith("/components/schemas/") and pointer.count("/") == 3


def _major(contract: Contract) -> int:
    said = contract.version.partition(".")[0]
    return int(said) if said.isascii() and said.isdigit() else 0
