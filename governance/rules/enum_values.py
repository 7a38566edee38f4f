"""The values of an enum have the type of the schema, and each is said once."""

from collections.abc import Iterator

from governance.changes.facts import types_of, widened
from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule("enum-values", 9, see="Spectral typed-enum, duplicated-entry-in-enum", fix="list values of the declared type, each once")
def enum_values(contract: Contract) -> Iterator[Violation]:
    for found in contract.schemas:
        listed = found.node.raw("enum")
        if not isinstance(listed.value, list):
            continue
        allowed = widened(found.node.raw("type")) | ({"null"} if found.node.get("nullable") else set())
        for index, value in enumerate(listed.value):
            if any(type(value) is type(other) and value == other for other in listed.value[:index]):
                yield Violation(listed.raw(index), f"{value!r} is said twice")
            elif "type" in found.node and not types_of(value) & allowed:
                yield Violation(listed.raw(index), f"{value!r} is not of the type {found.node.get('type')}")
