"""Every integer that a caller sends has a smallest and a largest value, or a format that says so."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_LOW, _HIGH = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")


@rule(
    "bounded-integers", 30, see="OWASP API4:2023 integer-limit, integer-format", fix="say minimum and maximum, or format: int32"
)
def bounded_integers(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        node = found.node
        bounded = any(name in node for name in _LOW) and any(name in node for name in _HIGH)
        if (
            node.get("type") == "integer"
            and found.requested
            and not bounded
            and not {"format", "enum", "const"} & set(node.value)
        ):
            yield Violation(node, "the integer may be of any size")
