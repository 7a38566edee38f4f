"""A schema leaves its OpenAPI document with everything it refers to: `$ref`s into the components become `$defs` of its own."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

_COMPONENTS = "#/components/schemas/"
_DEFS = "#/$defs/"

Wire = Mapping[str, Any]


class Unresolvable(ValueError):
    """A `$ref` leads out of the document, nowhere, or round in a circle."""


class Document:
    """One parsed OpenAPI document."""

    def __init__(self, root: Wire) -> None:
        self.root = root

    def follow(self, value: Any) -> Wire:
        """The object that `value` is or refers to."""
        seen: set[str] = set()
        while isinstance(value, dict) and "$ref" in value:
            reference = str(value["$ref"])
            if reference in seen:
                raise Unresolvable(f"{reference} refers to itself")
            seen.add(reference)
            value = self.at(reference)
        return value if isinstance(value, dict) else {}

    def standalone(self, schema: Any) -> Wire:
        """The schema with every component it can reach under `$defs`; boolean schemas become their object form."""
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        defs: dict[str, Any] = {}
        waiting = list(_components(schema))
        while waiting:
            written = waiting.pop()
            if _name(written) not in defs:
                component = self.at(_COMPONENTS + written)
                defs[_name(written)] = _rewritten(component)
                waiting += _components(component)
        alone = _rewritten(schema)
        return {**alone, "$defs": defs} if defs else alone

    def at(self, reference: str) -> Any:
        """What one reference leads to, itself a reference perhaps."""
        if not reference.startswith("#/"):
            raise Unresolvable(f"{reference} refers outside its own document")
        value: Any = self.root
        for part in reference[2:].split("/"):
            name = _name(part)
            if not isinstance(value, dict) or name not in value:
                raise Unresolvable(f"{reference} refers to nothing")
            value = value[name]
        return value


def _name(token: str) -> str:
    """RFC 6901 section 6: percent-decoded first, then ~1 and ~0."""
    return unquote(token).replace("~1", "/").replace("~0", "~")


def _components(schema: Any) -> Iterator[str]:
    """The names, as written in references, of the components a schema mentions."""
    for node in _nodes(schema):
        reference = node.get("$ref")
        if not isinstance(reference, str):
            continue
        if not reference.startswith(_COMPONENTS):
            raise Unresolvable(f"{reference} is not a component schema of this document")
        yield reference[len(_COMPONENTS) :].partition("/")[0]


def _nodes(value: Any) -> Iterator[Wire]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _rewritten(value: Any) -> Any:
    match value:
        case dict():
            return {name: _reference(inner) if name == "$ref" else _rewritten(inner) for name, inner in value.items()}
        case list():
            return [_rewritten(inner) for inner in value]
        case _:
            return value


def _reference(value: Any) -> Any:
    return value.replace(_COMPONENTS, _DEFS, 1) if isinstance(value, str) else _rewritten(value)
