"""A schema that stands by itself, in JSON Schema 2020-12: what it refers to, in whatever file, comes along under `$defs`."""

from typing import Any

from governance.node import Node
from governance.source import escaped

DIALECT_30 = "3.0"


def standalone(node: Node) -> dict[str, Any]:
    """Raises Unresolved. OpenAPI 3.0's `nullable` and boolean exclusive bounds are put in the words of 2020-12."""
    defs: dict[str, Any] = {}
    names: dict[Node, str] = {}
    waiting: list[Node] = []

    def refer(target: Node) -> str:
        if target not in names:
            names[target] = f"s{len(names)}"
            waiting.append(target)
        return f"#/$defs/{escaped(names[target])}"

    written = _written(node, refer)
    while waiting:
        target = waiting.pop()
        defs[names[target]] = _written(target, refer)
    if isinstance(written, bool):
        written = {} if written else {"not": {}}
    return {**written, "$defs": defs} if defs else written


def _written(node: Node, refer: Any) -> Any:
    value = node.value
    if isinstance(value, list):
        return [_written(item, refer) for item in node.elements()]
    if not isinstance(value, dict):
        return value
    old = str(node.source.root.get("openapi", "")).startswith(DIALECT_30)
    if node.reference is not None:
        reference = {"$ref": refer(node.followed())}
        return reference if old else {**reference, **_members(node, refer, skip={"$ref"})}
    return _members(node, refer) if not old else _modern(_members(node, refer))


def _members(node: Node, refer: Any, skip: set[str] | None = None) -> dict[str, Any]:
    found = {}
    for name, said in node.items():
        if skip and name in skip:
            continue
        literal = name in ("enum", "const", "default", "example", "examples", "required", "discriminator") or name.startswith(
            "x-"
        )
        found[name] = said.value if literal and not node.pointer.endswith("/properties") else _written(said, refer)
    return found


def _modern(schema: dict[str, Any]) -> dict[str, Any]:
    found = dict(schema)
    if found.pop("nullable", False) is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
        if isinstance(found.get("enum"), list) and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]
    for plain, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        said = found.get(exclusive)
        if isinstance(said, bool):
            del found[exclusive]
            if said and plain in found:
                found[exclusive] = found.pop(plain)
    return found
