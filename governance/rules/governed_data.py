"""A contract says how much may be asked of it, and of what class the data in it are."""

from collections.abc import Iterator

from governance.changes.promises import CLASSES
from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule(
    "governed-data",
    44,
    see="x-trivium-limits, x-trivium-classification",
    fix="give limits with a default, and the highest class in info",
)
def governed_data(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        limits = operation.extension("limits")
        if not isinstance(limits, dict) or not limits.get("default"):
            yield Violation(operation.node, f"{operation.name} has no limits")
    if contract.info.get("x-trivium-classification") not in CLASSES:
        yield Violation(contract.info, f"the data have no class: {', '.join(CLASSES)}")
    for found in contract.schemas:
        said = found.node.get("x-trivium-classification") if isinstance(found.node.value, dict) else None
        if said is not None and said not in CLASSES:
            yield Violation(found.node.raw("x-trivium-classification"), f"{said} is no class: {', '.join(CLASSES)}")
