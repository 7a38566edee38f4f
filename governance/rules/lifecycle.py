"""A contract says how far it is in its life, and one that ends says when."""

from collections.abc import Iterator
from datetime import date

from governance.changes.lifecycle import STAGES, is_deprecated, sunset_of
from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule(
    "lifecycle",
    17,
    see="Zalando 187-191; RFC 8594",
    fix=f"say x-trivium-lifecycle with a stage: {', '.join(STAGES)}, and its sunset",
)
def lifecycle(contract: Contract) -> Iterator[Violation]:
    said = contract.info.raw("x-trivium-lifecycle")
    if contract.stage not in STAGES:
        yield Violation(contract.info, f"the stage is {contract.stage or 'not said'}")
        return
    for name in ("deprecated", "sunset"):
        if name in said and _day(said.get(name)) is None:
            yield Violation(said.raw(name), f"{said.get(name)} is not a day (YYYY-MM-DD)")
    if contract.stage in ("deprecated", "retired") and "sunset" not in said:
        yield Violation(said, f"it is {contract.stage} and has no sunset")
    for operation in contract.operations:
        if is_deprecated(operation) and sunset_of(operation) is None and contract.stage not in ("deprecated", "retired"):
            yield Violation(operation.node, f"{operation.name} is deprecated and has no x-trivium-sunset")


def _day(said: object) -> date | None:
    try:
        return date.fromisoformat(str(said)[:10])
    except ValueError:
        return None
