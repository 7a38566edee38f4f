"""A JSON value without what a caller may not see: left out where it may be absent, masked where the contract requires it."""

from typing import Any

from gateway.classification.plan import Classes, Node

MASK = "[redacted]"


def redact(node: Node, value: Any, hidden: Classes) -> bool:
    """Changes the value in place; answers whether anything was hidden. Whether the whole is hidden, `hides` tells."""
    waiting: list[tuple[Node, Any]] = [(node, value)]
    changed = False
    while waiting:
        node, value = waiting.pop()
        if isinstance(value, dict):
            changed |= _members(node, value, hidden, waiting)
        elif isinstance(value, list):
            changed |= _items(node, value, hidden, waiting)
    return changed


def hides(node: Node, value: Any, hidden: Classes) -> bool:
    """Whether the value is hidden as a whole: by its own class, or because it is not what was promised and may hold anything."""
    if not node.classes.isdisjoint(hidden):
        return True
    return not node.below.isdisjoint(hidden) and not node.fits(value)


def _members(node: Node, value: dict[str, Any], hidden: Classes, waiting: list[tuple[Node, Any]]) -> bool:
    changed = False
    for name, inner in list(value.items()):
        member = node.member(name)
        if hides(member, inner, hidden):
            changed = True
            if name in node.required:
                value[name] = MASK if member.text and not member.nullable else None
            else:
                del value[name]
        elif not member.below.isdisjoint(hidden):
            waiting.append((member, inner))
    return changed


def _items(node: Node, value: list[Any], hidden: Classes, waiting: list[tuple[Node, Any]]) -> bool:
    kept = [(node.item(place), inner) for place, inner in enumerate(value)]
    kept = [(item, inner) for item, inner in kept if not hides(item, inner, hidden)]
    changed = len(kept) != len(value)
    value[:] = [inner for _, inner in kept]
    waiting += [(item, inner) for item, inner in kept if not item.below.isdisjoint(hidden)]
    return changed
