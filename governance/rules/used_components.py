"""Every component is used: what nobody refers to misleads whoever reads it."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Severity, Violation, rule

_USED_OTHERWISE = frozenset({"securitySchemes"})


@rule("used-components", 7, severity=Severity.WARNING, see="Redocly no-unused-components", fix="remove it, or use it")
def used_components(contract: Contract) -> Iterator[Violation]:
    used = {node.followed().pointer for node in contract.objects if node.reference is not None}
    for kind, components in contract.root.at("components").items():
        for name, component in components.items():
            if kind not in _USED_OTHERWISE and component.pointer not in used and not _named(contract, component.pointer, used):
                yield Violation(component, f"nothing uses the {kind} component {name}")


def _named(contract: Contract, pointer: str, used: set[str]) -> bool:
    return any(one.startswith(f"{pointer}/") for one in used)
