"""What replaces or changes a thing can be made to happen only if nobody else did: PUT and PATCH know If-Match."""

from collections.abc import Iterator

from governance.contract import Contract, Operation
from governance.lint.rule import Severity, Violation, rule


@rule(
    "conditional-writes",
    42,
    severity=Severity.HINT,
    see="RFC 9110 section 13; Microsoft; Zalando 182",
    fix="say x-trivium-conditional",
)
def conditional_writes(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        if operation.method in ("put", "patch") and not _conditional(operation):
            yield Violation(operation.node, f"{operation.name} overwrites what others may have changed meanwhile")


def _conditional(operation: Operation) -> bool:
    takes = any(one.get("in") == "header" and str(one.get("name")).lower() == "if-match" for one in operation.parameters)
    return takes or operation.extension("conditional") in ("optional", "required", "none")
