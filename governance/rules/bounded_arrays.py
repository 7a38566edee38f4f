"""Every array that a caller sends has a most."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule("bounded-arrays", 29, see="OWASP API4:2023 array-limit", fix="say maxItems")
def bounded_arrays(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        if found.node.get("type") == "array" and found.requested and "maxItems" not in found.node:
            yield Violation(found.node, "the array may have any number of elements")
