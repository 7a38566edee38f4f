"""Every operation says in a line and in a paragraph what it does, under one tag that the contract declares."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule(
    "operations-described",
    19,
    see="Spectral operation-description, operation-tag-defined",
    fix="write summary, description and one tag",
)
def operations_described(contract: Contract) -> Iterator[Violation]:
    declared = {tag.get("name") for tag in contract.root.raw("tags").elements()}
    for operation in contract.operations:
        for name in ("summary", "description"):
            if not str(operation.node.get(name) or "").strip():
                yield Violation(operation.node, f"{operation.name} has no {name}")
        if len(operation.tags) != 1:
            yield Violation(operation.node, f"{operation.name} has {len(operation.tags)} tags")
        elif operation.tags[0] not in declared:
            yield Violation(operation.node.raw("tags"), f"the tag {operation.tags[0]} is not declared")
