"""Somebody owns a contract, and somebody is called when it breaks."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule("owner", 18, see="x-trivium-owner", fix="say x-trivium-owner with team and on_call")
def owner(contract: Contract) -> Iterator[Violation]:
    said = contract.info.raw("x-trivium-owner")
    for name in ("team", "on_call"):
        if not isinstance(said.get(name), str) or not said.get(name).strip():
            yield Violation(contract.info, f"the contract has no owner's {name}")
