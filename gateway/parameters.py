"""Parameters arrive as text and are judged as what their schema says: `"10"` is an integer only where one is expected."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Schema = Mapping[str, Any]
Value = str | int | bool | Decimal | list[Any]

_COMBINING = frozenset({"$ref", "anyOf", "oneOf", "allOf"})
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,18})?")
_BOOLEAN = {"true": True, "false": False}


def types(schema: Schema, defs: Mapping[str, Schema] | None = None, depth: int = 0) -> frozenset[str]:
    """The JSON types a schema speaks of, through references and combinations."""
    defs = schema.get("$defs", {}) if defs is None else defs
    said = schema.get("type", ())
    found = {said} if isinstance(said, str) else set(said)
    if depth < 8 and not _COMBINING.isdisjoint(schema):
        reference = str(schema.get("$ref", "")).removeprefix("#/$defs/")
        inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ()), defs.get(reference, {})]
        for part in inner:
            if isinstance(part, Mapping):
                found |= types(part, defs, depth + 1)
    return frozenset(found)


def value(text: str, wanted: frozenset[str]) -> Value:
    """The text as the first of boolean, integer, number that is wanted and fits; otherwise the text."""
    if "boolean" in wanted and text in _BOOLEAN:
        return _BOOLEAN[text]
    if "integer" in wanted and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in wanted and _NUMBER.fullmatch(text):
        return Decimal(text)
    return text


def values(texts: Sequence[str], items: frozenset[str]) -> list[Value]:
    return [value(text, items) for text in texts]


def item_types(schema: Schema) -> frozenset[str]:
    """What an array's items may be, also where the array is one of several choices."""
    defs = schema.get("$defs", {})
    for part in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if isinstance(part, Mapping) and isinstance(part.get("items"), Mapping):
            return types(part["items"], defs)
    return frozenset()
