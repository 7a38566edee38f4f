"""The schemas a client needs: each with a name of its own, requests as closed as they are promised, answers open to more."""

from typing import Any

from governance.clients.failure import NoClient
from governance.clients.names import pascal, unique
from governance.contract import Contract
from governance.node import Node

_LITERAL = frozenset({"enum", "const", "default", "example", "examples", "required"})
# What generated modules import under these names.
_RESERVED = frozenset(
    {
        "Annotated", "Any", "AnyUrl", "AwareDatetime", "BaseModel", "ConfigDict", "Decimal", "Enum", "Field", "IntEnum",
        "Literal", "RootModel", "StrEnum", "UUID",
    }
)  # fmt: skip
PREFIX = "#/components/schemas/"


class Schemas:
    """Gathers what is named, and everything that refers to, as one document of components."""

    def __init__(self, contract: Contract) -> None:
        self._dialect = contract.dialect
        self._closed = {found.node for found in contract.schemas if found.requested and not found.answered}
        self._names: dict[Node, str] = {}
        self._taken = {pascal(name): Node(None, contract.source, contract.root.library) for name in _RESERVED}
        self._waiting: list[Node] = []

    def name(self, node: Node, wanted: str) -> str:
        """Under which this schema is known; `wanted` where it stands inside an operation and has none."""
        target = node.followed()
        if target not in self._names:
            component = target.pointer.startswith("/components/schemas/") and target.pointer.count("/") == 3
            name = unique(pascal(target.key if component or target is not node else wanted), self._taken)
            self._names[target] = name
            self._taken[name] = target
            self._waiting.append(target)
        return self._names[target]

    def document(self) -> dict[str, Any]:
        """All of them, for a generator of models."""
        found: dict[str, Any] = {}
        while self._waiting:
            target = self._waiting.pop()
            found[self._names[target]] = self._written(target)
        return {
            "openapi": self._dialect,
            "info": {"title": "models", "version": "1"},
            "paths": {},
            "components": {"schemas": dict(sorted(found.items()))},
        }

    def _written(self, node: Node) -> Any:
        if isinstance(node.value, list):
            return [self._written(item) for item in node.elements()]
        if not isinstance(node.value, dict):
            return node.value
        if node.reference is not None:
            return {"$ref": f"{PREFIX}{self.name(node, node.target().key)}"}
        if node.key == "mapping" and "propertyName" in node.source.at(node.pointer.rpartition("/")[0]):
            return {value: self._mapped(node, str(target)) for value, target in node.value.items()}
        return self._open(node, {name: self._member(node, name, child) for name, child in node.items()})

    def _member(self, node: Node, name: str, child: Node) -> Any:
        literal = (name in _LITERAL or name.startswith("x-")) and not node.pointer.endswith("/properties")
        return child.value if literal else self._written(child)

    def _mapped(self, node: Node, target: str) -> str:
        reference = target if "/" in target or "#" in target else f"{PREFIX}{target}"
        return f"{PREFIX}{self.name(node.other({'$ref': reference}), target)}"

    def _open(self, node: Node, schema: dict[str, Any]) -> dict[str, Any]:
        """Answers may say more than is known: of their properties, and of enums that are declared extensible."""
        if schema.get("additionalProperties") is False and node not in self._closed:
            del schema["additionalProperties"]
        if schema.pop("x-extensible-enum", False) is True and schema.get("type") == "string" and "enum" in schema:
            said = {name: schema.pop(name) for name in ("type", "enum")}
            schema["anyOf"] = [said, {"type": "string"}]
        return _nullable(schema)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """One plain type or null, written as a list of types: a field of its own type rather than a class for it."""
    options = schema.get("anyOf")
    match options:
        case [dict(only), {"type": "null"}] | [{"type": "null"}, dict(only)]:
            plain = only.get("type") in ("string", "integer", "number", "boolean") and "enum" not in only
            if plain and not only.keys() & schema.keys():
                return {**{k: v for k, v in schema.items() if k != "anyOf"}, **only, "type": [only["type"], "null"]}
    return schema


def plain(node: Node) -> Node:
    """The schema behind references and behind `or null`. Raises NoClient for what is no single type."""
    found = node.followed()
    options = [one for one in found.raw("anyOf").elements() if one.get("type") != "null"]
    if len(options) == 1:
        return plain(options[0])
    if options or "oneOf" in found or "allOf" in found:
        raise NoClient(f"{found.source.name}{found.pointer}: a parameter must be of one type")
    return found
