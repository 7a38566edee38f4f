"""What a contract says of one value: every schema that may describe it, through references, choices and combinations alike.

Of `oneOf` and its kin all branches count, whichever the value fits: who protects a field cannot wait for the caller's proof.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.schemas import Document

EXTENSION = "x-trivium-classification"
CLASSES = ("public", "internal", "confidential", "payment", "tax")
PUBLIC = "public"
STRUCTURES = frozenset({"object", "array", "null"})
_OBJECT = frozenset({"properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "required"})
_ARRAY = frozenset({"items", "prefixItems", "contains", "unevaluatedItems"})

Schema = Mapping[str, Any]
Key = frozenset[int]  # the identities of the schemas in a set; they live as long as their document


class BadClassification(ValueError):
    """A class nobody knows."""


class SchemaSet:
    """The schemas that may describe one value."""

    def __init__(self, document: Document, schemas: Iterable[Any]) -> None:
        self._document = document
        self.schemas = tuple(_expanded(document, schemas))
        self.key: Key = frozenset(map(id, self.schemas))

    @property
    def says_anything(self) -> bool:
        """Whether it tells values apart at all: `{}` and `true` do not."""
        return self.takes_objects or self.takes_arrays or self.takes_scalars or bool(self.types)

    @property
    def classes(self) -> frozenset[str]:
        """The classes of the value itself. Raises BadClassification."""
        found = {schema[EXTENSION] for schema in self.schemas if EXTENSION in schema}
        unknown = sorted(str(name) for name in found if name not in CLASSES)
        if unknown:
            raise BadClassification(f"{EXTENSION} is one of {', '.join(CLASSES)}; not {', '.join(unknown)}")
        return frozenset(found) - {PUBLIC}

    @property
    def types(self) -> frozenset[str]:
        said = (schema["type"] for schema in self.schemas if "type" in schema)
        return frozenset(name for names in said for name in ([names] if isinstance(names, str) else names))

    @property
    def takes_objects(self) -> bool:
        return "object" in self.types or any(_OBJECT & schema.keys() for schema in self.schemas)

    @property
    def takes_arrays(self) -> bool:
        return "array" in self.types or any(_ARRAY & schema.keys() for schema in self.schemas)

    @property
    def takes_scalars(self) -> bool:
        """Whether a text, number or boolean is promised here in so many words."""
        return bool(self.types - STRUCTURES) or any(schema.keys() & {"enum", "const"} for schema in self.schemas)

    @property
    def required(self) -> frozenset[str]:
        return frozenset(name for schema in self.schemas for name in schema.get("required", ()))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for schema in self.schemas for name in _mapping(schema, "properties"))

    @property
    def patterns(self) -> frozenset[str]:
        return frozenset(pattern for schema in self.schemas for pattern in _mapping(schema, "patternProperties"))

    @property
    def prefix(self) -> int:
        """How many items have a schema by their place."""
        return max((len(schema.get("prefixItems", ())) for schema in self.schemas), default=0)

    def member(self, name: str | None, matching: frozenset[str]) -> "SchemaSet":
        """What describes the member of this name; None: of a name that is nowhere said. `matching`: the patterns it fits."""
        return SchemaSet(self._document, (inner for schema in self.schemas for inner in _members(schema, name, matching)))

    def item(self, position: int) -> "SchemaSet":
        return SchemaSet(self._document, (inner for schema in self.schemas for inner in _items(schema, position)))


def matches(pattern: str, name: str) -> bool:
    """Whether the name fits; one that cannot be told counts as fitting."""
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return True


def _expanded(document: Document, schemas: Iterable[Any]) -> Iterator[Schema]:
    waiting, seen = list(schemas), set[int]()
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        if isinstance(schema.get("$ref"), str):
            waiting.append(document.at(schema["$ref"]))
        waiting += [schema.get(branch) for branch in ("if", "then", "else")]
        waiting += [inner for kind in ("allOf", "anyOf", "oneOf") for inner in schema.get(kind, ())]
        waiting += _mapping(schema, "dependentSchemas").values()


def _members(schema: Schema, name: str | None, matching: frozenset[str]) -> Iterator[Any]:
    own, patterns = _mapping(schema, "properties"), _mapping(schema, "patternProperties")
    fitting = [patterns[pattern] for pattern in patterns if pattern in matching]
    if name is not None and name in own:
        yield own[name]
    yield from fitting
    if name not in own and not fitting:
        yield from (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))


def _items(schema: Schema, position: int) -> Iterator[Any]:
    by_place = schema.get("prefixItems", ())
    if position < len(by_place):
        yield by_place[position]
    else:
        yield from (schema.get("items"), schema.get("unevaluatedItems"))
    yield schema.get("contains")


def _mapping(schema: Schema, name: str) -> Mapping[str, Any]:
    found = schema.get(name)
    return found if isinstance(found, dict) else {}
