"""A schema leaves its OpenAPI document with everything it refers to: `$ref`s into the components become `$defs` of its own."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote

_COMPONENTS = "#/components/schemas/"
_DEFS = "#/$defs/"

T = TypeVar("T")
Wire = Mapping[str, Any]


class Unresolvable(ValueError):
    """A `$ref` leads out of the document, nowhere, or round in a circle."""


class Document:
    """One parsed OpenAPI document, which nobody changes any more. What a reference leads to is found out once.

    `sound`: every schema that its operations judge by is known to be usable.
    """

    def __init__(self, root: Wire, *, sound: bool = False) -> None:
        self.root, self.sound = root, sound
        self._led: dict[str, Any] = {}
        self._alone: dict[str, Wire] = {}
        self._components: dict[str, tuple[Any, tuple[str, ...]]] = {}  # as a $def, and what it mentions
        self._made: dict[tuple[str, Callable[[Document, Wire], Any]], Any] = {}
        self._mentioned: dict[str, bool] = {}

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

    def made(self, value: Any, make: Callable[["Document", Wire], T]) -> T:
        """What `make` makes of the object that `value` is or refers to: once for all that refer to the same."""
        if not isinstance(value, dict) or "$ref" not in value:
            return make(self, self.follow(value))
        key = str(value["$ref"]), make
        if key not in self._made:
            self._made[key] = make(self, self.follow(value))
        found: T = self._made[key]
        return found

    def mentions(self, name: str) -> bool:
        """Whether any object below the paths or the components has such a member."""
        if name not in self._mentioned:
            self._mentioned[name] = _mentions([self.root.get("paths"), self.root.get("components")], name)
        return self._mentioned[name]

    def standalone(self, schema: Any) -> Wire:
        """The schema with every component it can reach under `$defs`; boolean schemas become their object form."""
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if isinstance(schema, dict) and schema.keys() == {"$ref"}:
            reference = str(schema["$ref"])
            if reference not in self._alone:
                self._alone[reference] = self._with_components(schema)
            return self._alone[reference]
        return self._with_components(schema)

    def at(self, reference: str) -> Any:
        """What one reference leads to, itself a reference perhaps."""
        if reference not in self._led:
            self._led[reference] = self._found(reference)
        return self._led[reference]

    def _with_components(self, schema: Any) -> Wire:
        defs: dict[str, Any] = {}
        waiting = list(_components(schema))
        while waiting:
            written = waiting.pop()
            if _name(written) not in defs:
                defs[_name(written)], mentioned = self._component(written)
                waiting += mentioned
        alone: Wire = _rewritten(schema)
        return {**alone, "$defs": defs} if defs else alone

    def _component(self, written: str) -> tuple[Any, tuple[str, ...]]:
        if written not in self._components:
            component = self.at(_COMPONENTS + written)
            self._components[written] = _rewritten(component), tuple(_components(component))
        return self._components[written]

    def _found(self, reference: str) -> Any:
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
    """Every object in it, itself first."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _mentions(waiting: list[Any], name: str) -> bool:
    """Over whole documents, and so without a generator between."""
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if name in value:
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False


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
