"""No classified value is left in what a caller without clearance gets, whatever the schema, whatever the answer's shape."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classification.plan import Planner
from gateway.classification.redaction import hides, redact
from gateway.classification.schema_sets import BadClassification
from gateway.schemas import Document

TAX = frozenset({"tax"})
SECRET = "SECRET"
CLASSIFIED = {"type": "string", "x-trivium-classification": "tax"}
PLAIN = {"type": "string"}


def _clean(schema: Any, value: Any, hidden: frozenset[str] = TAX, components: Mapping[str, Any] | None = None) -> Any:
    """What is left of the value; "nothing" where the whole of it is hidden."""
    planner = Planner(Document({"components": {"schemas": dict(components or {})}}))
    node = planner.plan(schema)
    planner.settle()
    if hides(node, value, hidden):
        return "nothing"
    redact(node, value, hidden)
    return value


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def test_an_optional_field_is_left_out_and_a_required_one_masked() -> None:
    number = {"type": "integer", "x-trivium-classification": "tax"}
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}], "x-trivium-classification": "tax"}
    schema = _object(("b", "c", "d"), a=CLASSIFIED, b=CLASSIFIED, c=number, d=nullable, e=PLAIN)
    value = {"a": SECRET, "b": SECRET, "c": 7, "d": SECRET, "e": "shown"}

    assert _clean(schema, value) == {"b": "[redacted]", "c": None, "d": None, "e": "shown"}


def test_a_class_the_caller_is_cleared_for_stays() -> None:
    schema = _object(a=CLASSIFIED, b={"type": "string", "x-trivium-classification": "payment"})

    assert _clean(schema, {"a": "1", "b": SECRET}, frozenset({"payment"})) == {"a": "1"}


SHAPES: dict[str, tuple[Any, Any, Any]] = {
    "array": (_object(a={"type": "array", "items": _object(t=CLASSIFIED, p=PLAIN)}), {"a": [{"t": SECRET, "p": "p"}]},
              {"a": [{"p": "p"}]}),
    "classified items": (_object(a={"type": "array", "items": CLASSIFIED}), {"a": [SECRET, SECRET]}, {"a": []}),
    "places in an array": (_object(a={"type": "array", "prefixItems": [CLASSIFIED, PLAIN], "items": PLAIN}),
                           {"a": [SECRET, "p", "q"]}, {"a": ["p", "q"]}),
    "allOf": ({"allOf": [_object(p=PLAIN), _object(t=CLASSIFIED)]}, {"p": "p", "t": SECRET}, {"p": "p"}),
    "oneOf": ({"oneOf": [_object(t=PLAIN), _object(t=CLASSIFIED)]}, {"t": SECRET}, {}),
    "anyOf": (_object(m={"anyOf": [_object(t=CLASSIFIED), {"type": "null"}]}), {"m": {"t": SECRET}}, {"m": {}}),
    "additionalProperties": ({"type": "object", "properties": {"p": PLAIN}, "additionalProperties": CLASSIFIED},
                             {"p": "p", "x": SECRET}, {"p": "p"}),
    "patternProperties": ({"type": "object", "patternProperties": {"^t_": CLASSIFIED, "^p_": PLAIN}},
                          {"t_1": SECRET, "p_1": "p"}, {"p_1": "p"}),
    "a reference with a class beside it": (_object(t={"$ref": "#/components/schemas/Text", "x-trivium-classification": "tax"}),
                                           {"t": SECRET}, {}),
    "a class behind a reference": (_object(t={"$ref": "#/components/schemas/TaxId"}), {"t": SECRET}, {}),
    "a class between references": (_object(t={"$ref": "#/components/schemas/Between"}), {"t": SECRET}, {}),
    "recursion": ({"$ref": "#/components/schemas/Tree"},
                  {"t": SECRET, "p": "p", "under": [{"t": SECRET, "under": [{"t": SECRET, "p": "q"}]}]},
                  {"p": "p", "under": [{"under": [{"p": "q"}]}]}),
    "if and then": (
        {"type": "object", "if": _object(p=PLAIN), "then": _object(t=CLASSIFIED)}, {"p": "p", "t": SECRET}, {"p": "p"}),
    "a member nobody promised": (
        _object(t=CLASSIFIED, o={"type": "object"}), {"o": {"deep": [{"t": SECRET}]}, "new": {"t": SECRET}},
                                 {"o": {"deep": [{}]}, "new": {}}),
    "an array for an object": (_object(o=_object(t=CLASSIFIED), p=PLAIN), {"o": [{"t": SECRET}, SECRET], "p": "p"}, {"p": "p"}),
    "a text for an object": (_object(o=_object(t=CLASSIFIED), p=PLAIN), {"o": SECRET, "p": "p"}, {"p": "p"}),
    "an object for an array": (_object(a={"type": "array", "items": CLASSIFIED}), {"a": {"x": SECRET}}, {}),
    "anything goes": (_object(t=CLASSIFIED, any={}), {"any": {"t": SECRET, "p": [1, {"t": SECRET}]}}, {"any": {"p": [1, {}]}}),
    "a root array": ({"type": "array", "items": _object(t=CLASSIFIED)}, [{"t": SECRET}, {}], [{}, {}]),
    "a whole object": (_object(o={**_object(p=PLAIN), "x-trivium-classification": "tax"}), {"o": {"p": SECRET}}, {}),
    "a classified root": ({**_object(p=PLAIN), "x-trivium-classification": "tax"}, {"p": SECRET}, "nothing"),
    "a text for a root": (_object(t=CLASSIFIED), SECRET, "nothing"),
}  # fmt: skip
COMPONENTS = {
    "Text": PLAIN,
    "TaxId": CLASSIFIED,
    "Between": {"$ref": "#/components/schemas/Text", "x-trivium-classification": "tax"},
    "Tree": _object(t=CLASSIFIED, p=PLAIN, under={"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_classified_value_is_found_wherever_the_contract_puts_it(name: str) -> None:
    schema, value, left = SHAPES[name]

    assert _clean(schema, json.loads(json.dumps(value)), components=COMPONENTS) == left


def test_a_public_field_is_no_secret_and_an_unknown_class_is_no_class() -> None:
    assert _clean(_object(p={"type": "string", "x-trivium-classification": "public"}), {"p": "p"}) == {"p": "p"}
    with pytest.raises(BadClassification, match="secret"):
        _clean(_object(p={"x-trivium-classification": "secret"}), {})


def test_more_patterns_than_can_be_told_apart_protect_together() -> None:
    patterns = {f"^{letter}": CLASSIFIED if letter == "g" else PLAIN for letter in "abcdefg"}

    assert _clean({"type": "object", "patternProperties": patterns}, {"g1": SECRET, "a1": "p"}).get("g1") is None


NAMES = st.sampled_from(["name", "note", "vat", "iban", "lines", "x", "t_1"])
Pair = tuple[dict[str, Any], Any]  # a schema, and a value in which what it classifies reads SECRET


def _secret(value: Any) -> Any:
    match value:
        case dict():
            return {name: _secret(inner) for name, inner in value.items()}
        case list():
            return [_secret(inner) for inner in value]
    return SECRET


@st.composite
def described(draw: st.DrawFn, depth: int = 3) -> Pair:
    kinds = ["text", "object", "array", "map", "choice", "both", "reference"] if depth else ["text"]
    kind = draw(st.sampled_from(kinds))
    schema, value = _KINDS[kind](draw, depth - 1)
    if draw(st.integers(0, 4)) == 0:
        return {**schema, "x-trivium-classification": "tax"}, _secret(value)
    return schema, value


def _text(draw: st.DrawFn, depth: int) -> Pair:
    return {"type": "string"}, "plain"


def _members(draw: st.DrawFn, depth: int) -> Pair:
    members = draw(st.dictionaries(NAMES, described(depth=depth), max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(members)), unique=True)) if members else []
    value = {name: draw(st.sampled_from([inner, [inner], {"inner": inner}])) for name, (_, inner) in members.items()}
    more = draw(st.dictionaries(st.sampled_from(["extra", "also"]), st.just("plain"), max_size=1))
    return {"type": "object", "properties": {n: s for n, (s, _) in members.items()}, "required": required}, {**value, **more}


def _list(draw: st.DrawFn, depth: int) -> Pair:
    schema, value = draw(described(depth=depth))
    return {"type": "array", "items": schema}, draw(st.sampled_from([[value], [value, value], {"wrapped": value}]))


def _map(draw: st.DrawFn, depth: int) -> Pair:
    schema, value = draw(described(depth=depth))
    kind = draw(st.sampled_from(["additionalProperties", "patternProperties", "unevaluatedProperties"]))
    return {"type": "object", kind: {"^k": schema} if kind == "patternProperties" else schema}, {"k1": value}


def _choice(draw: st.DrawFn, depth: int) -> Pair:
    one, other = draw(described(depth=depth)), draw(described(depth=depth))
    return {draw(st.sampled_from(["anyOf", "oneOf"])): [one[0], other[0]]}, draw(st.sampled_from([one[1], other[1]]))


def _both(draw: st.DrawFn, depth: int) -> Pair:
    one, other = _members(draw, depth), draw(described(depth=depth))
    return {"allOf": [one[0], other[0]]}, one[1]


def _reference(draw: st.DrawFn, depth: int) -> Pair:
    schema, value = draw(described(depth=depth))
    return {"$ref": "#/components/schemas/Inner", "$later": schema}, value


_KINDS = {
    "text": _text, "object": _members, "array": _list, "map": _map, "choice": _choice, "both": _both, "reference": _reference,
}  # fmt: skip


def _placed(schema: Any, components: dict[str, Any]) -> Any:
    """Moves what stands beside a reference to where it leads."""
    if isinstance(schema, list):
        return [_placed(inner, components) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    placed = {name: _placed(inner, components) for name, inner in schema.items() if name != "$later"}
    if "$later" in schema:
        name = f"Inner{len(components)}"
        components[name] = {}
        components[name] = _placed(schema["$later"], components)
        placed["$ref"] = f"#/components/schemas/{name}"
    return placed


@settings(max_examples=250, deadline=None)
@given(described())
def test_no_classified_value_is_ever_left(pair: Pair) -> None:
    components: dict[str, Any] = {}
    schema = _placed(pair[0], components)
    value = json.loads(json.dumps(pair[1]))

    assert SECRET not in json.dumps(_clean(schema, value, components=components))


@settings(max_examples=100, deadline=None)
@given(described())
def test_who_is_cleared_gets_every_word(pair: Pair) -> None:
    components: dict[str, Any] = {}
    schema = _placed(pair[0], components)
    value = json.loads(json.dumps(pair[1]))

    assert _clean(schema, value, frozenset(), components) == pair[1]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(NAMES, described(depth=2), min_size=1, max_size=4), st.integers(0, 3))
def test_what_is_classified_by_name_is_found_in_an_answer_nobody_promised(members: dict[str, Pair], depth: int) -> None:
    components: dict[str, Any] = {}
    planner = Planner(Document({"components": {"schemas": components}}))
    schema = _placed(_object(**{name: schema for name, (schema, _) in members.items()}), components)
    planner.plan(schema)
    planner.settle()
    value: Any = {name: inner for name, (_, inner) in members.items()}
    for _ in range(depth):
        value = {"data": [value]}
    whole = hides(planner.elsewhere, value, TAX)
    redact(planner.elsewhere, value, TAX)

    assert whole or SECRET not in json.dumps(value)
