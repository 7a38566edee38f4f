"""Every string that a caller sends has an end: a longest length, a list of values, a format or a pattern."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_ENDS = ("maxLength", "enum", "const", "format", "pattern")


@rule("bounded-strings", 28, see="OWASP API4:2023 string-limit, string-restricted", fix="say maxLength")
def bounded_strings(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        types = found.node.get("type")
        is_text = types == "string" or (isinstance(types, list) and "string" in types)
        if is_text and found.requested and not any(end in found.node for end in _ENDS):
            yield Violation(found.node, "the string may be of any length")
