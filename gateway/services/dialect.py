"""Schemas of OpenAPI 3.0 said in the words of 3.1, which are those of JSON Schema 2020-12."""

from typing import Any

_VALUES = frozenset({"example", "examples", "default", "enum", "const"})  # not schemas, whatever they look like
_NAMED = frozenset({"properties", "schemas", "patternProperties"})  # of names that people chose
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def modern(value: Any) -> Any:
    """A copy of any part of a 3.0 document. Beside a `$ref` 3.0 reads nothing, but `nullable` there is meant often enough."""
    match value:
        case list():
            return [modern(inner) for inner in value]
        case dict():
            return _schema({name: _member(name, inner) for name, inner in value.items()})
        case _:
            return value


def _member(name: Any, value: Any) -> Any:
    if name in _NAMED and isinstance(value, dict):
        return {inner: modern(schema) for inner, schema in value.items()}
    return value if name in _VALUES else modern(value)


def _schema(said: dict[str, Any]) -> dict[str, Any]:
    for name, bound in _BOUNDS.items():
        if isinstance(said.get(name), bool) and said.pop(name) and bound in said:
            said[name] = said.pop(bound)
    if said.get("nullable") is not True:
        return said
    if isinstance(said.get("type"), str):
        said["type"] = [said["type"], "null"]
        if isinstance(said.get("enum"), list) and None not in said["enum"]:
            said["enum"] = [*said["enum"], None]
        return said
    if "$ref" in said or "allOf" in said or "oneOf" in said or "anyOf" in said:
        return {"anyOf": [said, {"type": "null"}]}
    return said
