"""An example is one: it fits its schema."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from governance.contract import Contract
from governance.lint.rule import Violation, rule
from governance.node import Node
from governance.standalone import standalone


@rule(
    "examples-fit",
    8,
    see="Spectral oas3-valid-media-example, oas3-valid-schema-example",
    fix="show a value that would be accepted",
)
def examples_fit(contract: Contract) -> Iterator[Violation]:
    compiled: dict[Node, Any] = {}
    for node in contract.objects:
        if "schema" in node and ("example" in node or "examples" in node):
            yield from _checked(node.at("schema"), _examples(node), compiled)
    for found in contract.schemas:
        yield from _checked(found.node, _examples(found.node), compiled)


def _examples(node: Node) -> list[tuple[Node, Any]]:
    shown = [(node.raw("example"), node.get("example"))] if "example" in node else []
    listed = node.raw("examples")
    if isinstance(listed.value, dict):
        named = ((said.raw("value"), said.followed()) for _, said in listed.items())
        return shown + [(place, example.get("value")) for place, example in named if "value" in example]
    return shown + [(example, example.value) for example in listed.elements()]


def _checked(schema: Node, examples: list[tuple[Node, Any]], compiled: dict[Node, Any]) -> Iterator[Violation]:
    for place, value in examples:
        if schema not in compiled:
            compiled[schema] = _validator(schema)
        error = next(iter(compiled[schema].iter_errors(value)), None) if compiled[schema] else None
        if error is not None:
            yield Violation(place, f"the example does not fit: {error.message}")


def _validator(schema: Node) -> Any:
    """None for a schema that cannot be compiled: another rule is about those."""
    try:
        return jsonschema_rs.Draft202012Validator(standalone(schema), validate_formats=True)
    except ValueError:
        return None
