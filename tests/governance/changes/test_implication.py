"""What is called implied is so for every document that anybody can think of; what follows plainly is seen to follow."""

import copy
import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from governance.changes.implication import Proof
from governance.changes.reason import Change
from governance.node import Alone, Node
from governance.source import Source

NAMES = ("a", "b", "ab")
SCALARS = st.sampled_from([None, True, False, 0, 1, 2, 5, -1, 1.5, 2.0, "", "a", "ab", "abc", "b", "2020-01-01"])
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3), max_leaves=6
)
SMALL = st.integers(0, 3)
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
    | st.lists(st.sampled_from(["string", "integer", "number", "object", "null"]), min_size=1, max_size=3, unique=True),
    "enum": st.lists(SCALARS, min_size=1, max_size=3),
    "const": SCALARS,
    "minLength": SMALL, "maxLength": SMALL, "minItems": SMALL, "maxItems": SMALL, "minProperties": SMALL, "maxProperties": SMALL,
    "minimum": SMALL, "maximum": SMALL, "exclusiveMinimum": SMALL, "exclusiveMaximum": SMALL,
    "multipleOf": st.sampled_from([1, 2, 0.5]),
    "pattern": st.sampled_from(["^a", "b$"]),
    "format": st.sampled_from(["date"]),
    "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
    "uniqueItems": st.booleans(),
    "dependentRequired": st.just({"a": ["b"]}),
}  # fmt: skip
LEAVES = st.booleans() | st.fixed_dictionaries({}, optional=KEYWORDS).map(lambda found: dict(list(found.items())[:3]))


def _around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    named = st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
    deep: dict[str, st.SearchStrategy[Any]] = {
        "properties": named, "additionalProperties": inner, "items": inner, "allOf": some, "anyOf": some, "oneOf": some,
        "not": inner, "prefixItems": some, "contains": inner, "propertyNames": inner, "if": inner, "then": inner,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=1),
    }  # fmt: skip
    return st.fixed_dictionaries(
        {}, optional={**deep, "type": KEYWORDS["type"], "required": KEYWORDS["required"], "maxItems": SMALL}
    ).map(lambda found: dict(list(found.items())[:3]))


SCHEMAS = st.recursive(LEAVES, _around, max_leaves=5)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two schemas of which the second is the first with something taken away, put in or changed: implied, or nearly."""
    one = draw(SCHEMAS)
    other = copy.deepcopy(one)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(_places(other))) if _places(other) else None
        if place is None:
            return one, draw(SCHEMAS)
        match draw(st.sampled_from(["drop", "put", "replace"])):
            case "drop" if place:
                place.pop(draw(st.sampled_from(sorted(place))))
            case "put":
                place.update(draw(LEAVES.filter(lambda found: isinstance(found, dict))))
            case _:
                place.clear()
                place.update(draw(SCHEMAS.filter(lambda found: isinstance(found, dict))))
    return (one, other) if draw(st.booleans()) else (other, one)


def _places(schema: Any) -> list[dict[str, Any]]:
    """The schemas within a schema, itself first."""
    if not isinstance(schema, dict):
        return []
    found = [schema]
    for keyword in ("additionalProperties", "items", "not", "contains", "if", "then", "propertyNames"):
        found += _places(schema.get(keyword))
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        found += [place for inner in schema.get(keyword, ()) for place in _places(inner)]
    for keyword in ("properties", "patternProperties"):
        found += [place for inner in schema.get(keyword, {}).values() for place in _places(inner)]
    return found


def _node(schema: Any, name: str = "schema") -> Node:
    source = Source(name, json.dumps(schema))
    return Node(source.root, source, Alone())


def _implied(one: Any, other: Any) -> bool:
    return not Proof().implies([_node(one, "one")], _node(other, "other"))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(pairs(), st.lists(DOCUMENTS, min_size=15, max_size=40))
def test_no_document_contradicts_what_is_called_implied(pair, documents):
    one, other = pair
    assume(_implied(one, other))
    first, second = (jsonschema_rs.Draft202012Validator(schema, validate_formats=True) for schema in (one, other))

    refuted = [document for document in documents if first.is_valid(document) and not second.is_valid(document)]

    assert refuted == [], (one, other)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS)
def test_every_schema_implies_itself_in_another_document(schema):
    assert _implied(schema, copy.deepcopy(schema))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "integer"}, {"type": "number"}),
        ({"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 5}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 0}),
        ({"enum": ["a", "b"]}, {"enum": ["b", "a", "c"]}),
        ({"enum": ["a", "abcd"], "maxLength": 2}, {"const": "a"}),
        ({"type": "boolean"}, {"enum": [True, False]}),
        ({"type": "string"}, {"type": ["string", "null"]}),
        (
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"a": {"type": "number"}}},
        ),
        ({"allOf": [{"type": "string"}, {"maxLength": 3}]}, {"type": "string", "maxLength": 4}),
        ({"type": "string", "maxLength": 3}, {"allOf": [{"type": "string"}, {"maxLength": 4}]}),
        ({"type": "integer"}, {"anyOf": [{"type": "string"}, {"type": "number"}]}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"type": ["string", "integer"]}),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, {"enum": [1, 2, 3]}),
        ({"type": "integer"}, {"oneOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"type": "array", "items": {"const": 1}}, {"type": "array", "items": {"type": "integer"}}),
        ({"type": "array", "maxItems": 1}, {"uniqueItems": True}),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"properties": {"a": {}, "b": {"type": "string"}}}),
        ({"type": "string"}, {"not": {"type": "integer"}}),
        ({"type": "string"}, {"minimum": 4}),
        (False, {"type": "string"}),
    ],
)
def test_what_follows_plainly_is_seen(one, other):
    assert _implied(one, other)


@pytest.mark.parametrize(
    ("one", "other", "keyword", "change"),
    [
        ({"type": "number"}, {"type": "integer"}, "type", Change.TIGHTENED),
        ({}, {"type": "integer"}, "type", Change.ADDED),
        ({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 3}, "maxLength", Change.TIGHTENED),
        ({"type": "string"}, {"type": "string", "maxLength": 3}, "maxLength", Change.ADDED),
        ({"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}, "pattern", Change.UNDECIDED),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "enum", Change.TIGHTENED),
        ({"type": "string"}, {"type": "string", "enum": ["a"]}, "enum", Change.ADDED),
        ({"type": "object"}, {"type": "object", "required": ["a"]}, "required", Change.ADDED),
        ({"type": "object"}, {"properties": {"a": {"type": "string"}}}, "properties", Change.UNCONSTRAINED),
        ({"type": "object"}, {"additionalProperties": False}, "additionalProperties", Change.CLOSED),
        ({"type": "object", "if": {}}, {"type": "object", "if": {"required": ["a"]}, "then": False}, "if", Change.UNDECIDED),
    ],
)
def test_what_does_not_follow_is_said_by_the_keyword_in_the_way(one, other, keyword, change):
    (reason,) = Proof().implies([_node(one)], _node(other))

    assert (reason.keyword, reason.change) == (keyword, change)


def test_recursive_schemas_are_compared_and_end():
    def tree(leaf: dict[str, Any]) -> dict[str, Any]:
        return {
            "$ref": "#/$defs/T",
            "$defs": {
                "T": {"type": "object", "properties": {"of": leaf, "parts": {"type": "array", "items": {"$ref": "#/$defs/T"}}}}
            },
        }

    assert _implied(tree({"type": "integer"}), tree({"type": "number"}))
    (reason,) = Proof().implies([_node(tree({"type": "number"}))], _node(tree({"type": "integer"})))
    assert reason.path == ("of",)


def test_a_schema_that_only_refers_to_itself_proves_nothing():
    loop = {"anyOf": [{"$ref": "#"}, {"type": "string"}]}

    assert not _implied({"type": "integer"}, loop)
