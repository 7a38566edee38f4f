"""Where in an answer classified values are: a graph compiled once from the contract's schemas, and walked by answers.

What the contract does not describe - an undeclared status, a member nobody promised, an array for an object - is judged by the
names that are classified anywhere in the operation; where a whole value may be made of classified ones, all of it is.
"""

from dataclasses import dataclass, field
from typing import Any

from gateway.classification.schema_sets import Key, SchemaSet, matches
from gateway.schemas import Document

NONE: frozenset[str] = frozenset()
Classes = frozenset[str]


@dataclass(slots=True, eq=False)
class Node:
    """One value. `classes`: its own; `below`: those of whatever it may hold. `takes_…`: which kinds of value are promised."""

    classes: Classes = NONE
    below: Classes = NONE
    nullable: bool = False
    text: bool = True
    takes_objects: bool = True
    takes_arrays: bool = True
    takes_scalars: bool = True
    required: frozenset[str] = NONE
    named: dict[str, "Node"] = field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    unnamed: dict[Classes, "Node"] = field(default_factory=dict)  # by the patterns fitted by a name that is nowhere said
    items: tuple["Node", ...] = ()  # by place; the last one for all that follow

    def member(self, name: str) -> "Node":
        found = self.named.get(name)
        if found is not None:
            return found
        fitting = frozenset(pattern for pattern in self.patterns if matches(pattern, name))
        return self.unnamed[fitting if fitting in self.unnamed else frozenset(self.patterns)]

    def item(self, position: int) -> "Node":
        return self.items[min(position, len(self.items) - 1)]

    def fits(self, value: Any) -> bool:
        """Whether a value of this kind is promised here; null holds nothing."""
        match value:
            case dict():
                return self.takes_objects
            case list():
                return self.takes_arrays
            case None:
                return True
        return self.takes_scalars

    def settle(self) -> bool:
        """Takes over what its members and items hold; answers whether that was news."""
        around = (*self.named.values(), *self.unnamed.values(), *self.items)
        found = self.below.union(*(node.classes | node.below for node in around))
        news, self.below = found != self.below, found
        return news


class Planner:
    """Compiles the schemas of one operation's answers into nodes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes: dict[Key, Node] = {}
        self.elsewhere = Node()  # whatever the contract does not describe
        self._beside(self.elsewhere)

    def plan(self, schema: Any) -> Node:
        """The node of a whole body, ready once `settle` was called. Raises BadClassification, Unresolvable."""
        return self._node(SchemaSet(self._document, [schema]))

    def settle(self) -> frozenset[str]:
        """Once every body has its node: what each may hold, and what is classified anywhere by name; answers the classes."""
        _settle([*self._nodes.values()])
        by_name: dict[str, list[Node]] = {}
        for node in self._nodes.values():
            for name, member in node.named.items():
                by_name.setdefault(name, []).append(member)
            for inner in (*node.unnamed.values(), *node.items):
                self.elsewhere.classes |= inner.classes
        for name, nodes in by_name.items():
            if any(node.classes or node.below for node in nodes):
                self.elsewhere.named[name] = self._beside(_as_one(nodes))
        whole = [*self._nodes.values(), self.elsewhere, *self.elsewhere.named.values()]
        _settle(whole)
        return NONE.union(*(node.classes for node in whole))

    def _node(self, said: SchemaSet) -> Node:
        if not said.says_anything:
            return self._beside(Node(said.classes)) if said.classes else self.elsewhere
        found = self._nodes.get(said.key)
        if found is None:
            found = self._nodes[said.key] = _described(said)  # before its members: they may hold it again
            self._grow(found, said)
        return found

    def _grow(self, node: Node, said: SchemaSet) -> None:
        node.patterns = tuple(sorted(said.patterns))
        for name in said.names:
            fitting = frozenset(pattern for pattern in node.patterns if matches(pattern, name))
            node.named[name] = self._node(said.member(name, fitting))
        for fitting in _combinations(node.patterns):
            node.unnamed[fitting] = self._node(said.member(None, fitting))
        node.items = tuple(self._node(said.item(place)) for place in range(said.prefix + 1))

    def _beside(self, node: Node) -> Node:
        """Makes it a node in which nothing is described: what it holds is judged by name."""
        node.named, node.unnamed, node.items = self.elsewhere.named, {NONE: self.elsewhere}, (self.elsewhere,)
        return node


def _settle(nodes: list[Node]) -> None:
    news = True
    while news:
        news = sum(node.settle() for node in nodes) > 0


def _described(said: SchemaSet) -> Node:
    return Node(
        classes=said.classes, nullable="null" in said.types, text="string" in said.types or not said.types,
        takes_objects=said.takes_objects, takes_arrays=said.takes_arrays, takes_scalars=said.takes_scalars,
        required=said.required,
    )  # fmt: skip


def _as_one(nodes: list[Node]) -> Node:
    """Of the same name in several places: whatever protects one of them protects it wherever it turns up."""
    return Node(
        classes=NONE.union(*(node.classes for node in nodes)),
        takes_objects=all(node.takes_objects for node in nodes),
        takes_arrays=all(node.takes_arrays for node in nodes),
        takes_scalars=all(node.takes_scalars for node in nodes),
    )


def _combinations(patterns: tuple[str, ...]) -> list[Classes]:
    """Every set of patterns that a name could fit; of more than six only none and all, which then stands for some."""
    if len(patterns) > 6:
        return [NONE, frozenset(patterns)]
    found: list[Classes] = [NONE]
    for pattern in patterns:
        found += [one | {pattern} for one in found]
    return found
