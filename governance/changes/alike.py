"""Two schemas that say the same need no proof; what only explains does not count, nor does an order without a meaning."""

from typing import Any

from governance.changes.facts import ANNOTATIONS
from governance.node import Node
from governance.schemas import OF_NAMED

UNORDERED = frozenset({"required", "enum", "type", "anyOf", "oneOf", "allOf"})
_LITERAL = frozenset({"enum", "const"})
_KEPT = frozenset({"discriminator", "nullable"})  # they explain nothing: they say what is meant


class Alike:
    """Remembers which pairs of referred-to schemas are alike, so that a document is walked once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Node, Node], bool] = {}

    def __call__(self, one: Node, other: Node) -> bool:
        """Whether both mean the same, references followed. Raises Unresolved."""
        if one.reference is None and other.reference is None:
            return self._values(one, other)
        if _is_bare(one) and _is_bare(other):
            return self._pair(one.followed(), other.followed())
        return one.reference == other.reference and self._values(one, other) and self._pair(one.followed(), other.followed())

    def _pair(self, one: Node, other: Node) -> bool:
        pair = (one, other)
        if pair not in self._known:
            self._known[pair] = True  # of itself a recursive schema may assume it
            self._known[pair] = self(one, other)
        return self._known[pair]

    def _values(self, one: Node, other: Node) -> bool:
        a, b = one.value, other.value
        if not isinstance(a, dict) or not isinstance(b, dict):
            return _literally(a, b) if not (isinstance(a, list) and isinstance(b, list)) else self._lists(one, other)
        if "$ref" not in a and "$ref" not in b and not a and not b:
            return True
        names = _telling(one)
        return names == _telling(other) and all(self._member(one.raw(name), other.raw(name), name) for name in names)

    def _member(self, one: Node, other: Node, name: str) -> bool:
        if name in _LITERAL or name == "discriminator":
            return _unordered(one.value, other.value) if name == "enum" else _literally(one.value, other.value)
        if name in OF_NAMED and isinstance(one.value, dict) and isinstance(other.value, dict):
            names = one.value.keys()
            return names == other.value.keys() and all(self(one.raw(inner), other.raw(inner)) for inner in names)
        if name in UNORDERED and isinstance(one.value, list) and all(isinstance(item, str) for item in one.value):
            return _unordered(one.value, other.value)
        return self(one, other)

    def _lists(self, one: Node, other: Node) -> bool:
        pairs = list(zip(one.elements(), other.elements(), strict=False))
        return len(one.value) == len(other.value) and all(self(a, b) for a, b in pairs)


def bare(node: Node) -> Node:
    """What a node that says nothing but where to look refers to; else itself."""
    return node.followed() if node.reference is not None and _is_bare(node) else node


def _is_bare(node: Node) -> bool:
    return node.reference is None or not (_telling(node) - {"$ref"})


def _telling(node: Node) -> set[str]:
    return {name for name in node.value if (name not in ANNOTATIONS or name in _KEPT) and not str(name).startswith("x-")}


def _literally(a: Any, b: Any) -> bool:
    """JSON has one kind of number, and true is none."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return bool(a == b)


def _unordered(a: Any, b: Any) -> bool:
    if not isinstance(a, list) or not isinstance(b, list):
        return _literally(a, b)
    return (
        len(a) == len(b) and all(any(_literally(x, y) for y in b) for x in a) and all(any(_literally(x, y) for x in a) for y in b)
    )
