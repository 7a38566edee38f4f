"""One document of many files: what a contract refers to in other files comes along as components of its own."""

from typing import Any

from governance.contract import Contract
from governance.node import Node
from governance.source import escaped

# Where a reference stands tells what kind of thing it refers to; a schema in all other places.
_KINDS = {
    "parameters": "parameters", "responses": "responses", "headers": "headers", "requestBody": "requestBodies", "links": "links",
    "examples": "examples", "callbacks": "callbacks", "securitySchemes": "securitySchemes", "paths": "pathItems",
    "webhooks": "pathItems", "messages": "messages", "channels": "channels",
}  # fmt: skip


def bundle(contract: Contract) -> dict[str, Any]:
    """The whole document, with references within itself only. Raises Unresolved.

    What comes from elsewhere is named after the file and the place it was in; two things of one name are told apart by a number.
    """
    return _Bundle(contract).whole()


class _Bundle:
    def __init__(self, contract: Contract) -> None:
        self._root = contract.root
        self._names: dict[Node, tuple[str, str]] = {}
        self._taken = {(kind, name) for kind, held in contract.root.at("components").items() for name, _ in held.items()}
        self._waiting: list[Node] = []

    def whole(self) -> dict[str, Any]:
        written: dict[str, Any] = self._written(self._root)
        while self._waiting:
            target = self._waiting.pop()
            kind, name = self._names[target]
            written.setdefault("components", {}).setdefault(kind, {})[name] = self._written(target)
        return written

    def _written(self, node: Node) -> Any:
        value = node.value
        if isinstance(value, list):
            return [self._written(item) for item in node.elements()]
        if not isinstance(value, dict):
            return value
        return {name: self._referred(node) if name == "$ref" else self._written(said) for name, said in node.items()}

    def _referred(self, node: Node) -> Any:
        reference = node.reference
        if reference is None:
            return node.get("$ref")
        target = node.target()
        if target.source is self._root.source:
            return f"#{target.pointer}"
        if target not in self._names:
            self._names[target] = self._name(node, target)
            self._waiting.append(target)
        kind, name = self._names[target]
        return f"#/components/{kind}/{escaped(name)}"

    def _name(self, node: Node, target: Node) -> tuple[str, str]:
        holder = node.pointer.split("/")
        kind = next((_KINDS[part] for part in (holder[-1], holder[-2] if len(holder) > 1 else "") if part in _KINDS), "schemas")
        wanted = target.key or target.source.name.rpartition("/")[2].partition(".")[0]
        name, number = wanted, 2
        while (kind, name) in self._taken:
            name, number = f"{wanted}{number}", number + 1
        self._taken.add((kind, name))
        return kind, name
