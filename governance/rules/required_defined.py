"""What is required is described: each required name is one of the properties, here or in a part of the whole."""

from collections.abc import Iterator

from governance.changes.facts import conjuncts
from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule(
    "required-defined",
    10,
    see="Redocly no-required-schema-properties-undefined",
    fix="describe the property, or do not require it",
)
def required_defined(contract: Contract) -> Iterator[Violation]:
    parts = _parts(contract)
    for found in contract.schemas:
        required = found.node.get("required")
        if not isinstance(required, list) or found.node.pointer in parts:
            continue  # a part of an allOf may require what another part describes: the whole is looked at
        known = {name for conjunct in conjuncts([found.node]) for name, _ in conjunct.raw("properties").items()}
        for name in required:
            if name not in known:
                yield Violation(found.node.raw("required"), f"{name} is required and not described")


def _parts(contract: Contract) -> set[str]:
    words = ("allOf", "anyOf", "oneOf")
    return {part.followed().pointer for found in contract.schemas for word in words for part in found.node.raw(word).elements()}
