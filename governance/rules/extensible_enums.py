"""A list of values that callers get may grow, and says so."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Severity, Violation, rule


@rule("extensible-enums", 34, severity=Severity.WARNING, see="Zalando 112", fix="say x-extensible-enum: true")
def extensible_enums(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        if found.answered and not found.requested and "enum" in found.node and "x-extensible-enum" not in found.node:
            yield Violation(found.node.raw("enum"), "callers are not told that other values may come")
