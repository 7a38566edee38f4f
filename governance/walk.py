"""Every object of a document, in the order of reading; whole examples and defaults are data and are not entered."""

from collections.abc import Iterator

from governance.node import Node

DATA = frozenset({"example", "examples", "default", "const", "enum"})


def everything(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node.value, dict):
            yield node
            named = node.key == "properties"
            waiting += [child for name, child in node.items() if named or name not in DATA or _holds_references(name, child)]
        elif isinstance(node.value, list):
            waiting += node.elements()


def _holds_references(name: str, child: Node) -> bool:
    """`examples` of a media type are named Example Objects or references; those of a schema are values."""
    return name == "examples" and isinstance(child.value, dict)
