"""A boolean is true or false; what may be neither is an enum with three names."""

from collections.abc import Iterator

from governance.changes.facts import Facts
from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule("no-nullable-booleans", 33, see="Zalando 122", fix="leave it out when it is not known, or name three values")
def no_nullable_booleans(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        for name, schema in found.node.raw("properties").items():
            if Facts.of([schema]).types == {"boolean", "null"}:
                yield Violation(schema, f"{name} is true, false or null")
