"""A JSON Schema is a conjunction: this is what a list of schemas, taken together, says about a document.

`$ref` and `allOf` only contribute more conjuncts, so they vanish here. OpenAPI 3.0's `nullable` and boolean exclusive bounds
become what 3.1 says instead. Nothing is approximated: a keyword that is not understood is kept as an `odd` one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from governance.node import Node

TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
ANNOTATIONS = frozenset(
    {
        "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "externalDocs", "xml",
        "discriminator", "$comment", "$id", "$anchor", "$schema", "$defs", "definitions", "nullable", "contentMediaType",
        "contentEncoding", "contentSchema",
    }
)  # fmt: skip
DISJUNCTIONS = ("anyOf", "oneOf")
MOST_CONJUNCTS = 256


class TooManyConjuncts(Exception):
    """The schema spreads over more parts than anybody can compare."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What all of `nodes` say together. `keywords`: of each keyword its occurrences. `settled`: alternatives left out of them."""

    nodes: tuple[Node, ...]
    conjuncts: tuple[Node, ...]
    keywords: Mapping[str, tuple[Node, ...]]
    settled: frozenset[Node]

    @classmethod
    def of(cls, nodes: Sequence[Node], settled: frozenset[Node] = frozenset()) -> "Facts":
        keywords: dict[str, list[Node]] = {}
        found = tuple(conjuncts(nodes))
        for conjunct in found:
            for name, said in keywords_of(conjunct):
                if said not in settled:
                    keywords.setdefault(name, []).append(said)
        return cls(tuple(nodes), found, {name: tuple(said) for name, said in keywords.items()}, settled)

    def chosen(self, alternatives: Node, branch: Node) -> "Facts":
        """These facts and one of the alternatives they leave open."""
        return Facts.of((*self.nodes, branch), self.settled | {alternatives})

    @cached_property
    def impossible(self) -> bool:
        return any(conjunct.value is False for conjunct in self.conjuncts) or not self.types

    def has(self, keyword: str) -> bool:
        return keyword in self.keywords

    def all(self, keyword: str) -> tuple[Node, ...]:
        return self.keywords.get(keyword, ())

    @cached_property
    def types(self) -> frozenset[str]:
        """The types a document may have; "number" always beside "integer" where any number is possible."""
        return _types(self, frozenset())

    @property
    def required(self) -> frozenset[str]:
        return frozenset(name for said in self.all("required") for name in _texts(said.value))

    def properties(self) -> set[str]:
        return {name for said in self.all("properties") for name, _ in said.items()}


def _types(facts: Facts, seen: frozenset[Node]) -> frozenset[str]:
    found = TYPES
    for said in facts.all("type"):
        found &= widened(said)
    for said in (*facts.all("enum"), *facts.all("const")):
        found &= frozenset().union(*(types_of(value) for value in values(said)))
    for said in (said for keyword in DISJUNCTIONS for said in facts.all(keyword) if said not in seen):
        branches = [_types(Facts.of([branch]), seen | {said}) for branch in said.elements()]
        found &= frozenset().union(*branches)
    return found


def conjuncts(nodes: Sequence[Node]) -> Iterator[Node]:
    """The schemas themselves, what they refer to, and all that their `allOf`s say; each place once."""
    waiting, seen = list(nodes), set[Node]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if len(seen) > MOST_CONJUNCTS:
            raise TooManyConjuncts
        if node.reference is not None:
            waiting.append(node.followed())
            if node.source.root.get("openapi", "3.1").startswith("3.0"):
                continue  # 3.0: whatever stands beside $ref is ignored
        yield node
        waiting += node.raw("allOf").elements()


def keywords_of(node: Node) -> Iterator[tuple[str, Node]]:
    """What one conjunct says itself, in the words of 3.1."""
    if not isinstance(node.value, dict):
        return
    for name, said in node.items():
        if name in ("$ref", "allOf") or name in ANNOTATIONS or name.startswith("x-"):
            continue
        match name:
            case "minimum" | "maximum" if node.get(exclusive := f"exclusive{name.capitalize()}") is True:
                yield exclusive, said.other(said.value, exclusive)
            case "exclusiveMinimum" | "exclusiveMaximum" if isinstance(said.value, bool):
                continue
            case "type" if node.get("nullable") is True and isinstance(said.value, str):
                yield "type", said.other([said.value, "null"])
            case "enum" if node.get("nullable") is True and isinstance(said.value, list) and None not in said.value:
                yield "enum", said.other([*said.value, None])
            case _:
                yield name, said


def widened(said: Node) -> frozenset[str]:
    named = frozenset([said.value] if isinstance(said.value, str) else _texts(said.value))
    return named | {"integer"} if "number" in named else named


def values(said: Node) -> list[Any]:
    """Of `enum` its values, of `const` its one."""
    return said.value if isinstance(said.value, list) and said.key == "enum" else [said.value]


def types_of(value: Any) -> frozenset[str]:
    match value:
        case None:
            return frozenset({"null"})
        case bool():
            return frozenset({"boolean"})
        case int():
            return frozenset({"integer", "number"})
        case float():
            return frozenset({"integer", "number"}) if value.is_integer() else frozenset({"number"})
        case str():
            return frozenset({"string"})
        case list():
            return frozenset({"array"})
        case _:
            return frozenset({"object"})


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
