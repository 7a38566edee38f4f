"""Every id of what callers send and get, each by a document of a few words."""

import pytest

from tests.governance.changes.documents import asks, ids, tells, thing, view

TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def _s(**said):
    return {"type": "string", **said}


BOUNDS = [
    ("max-length", {"type": "string"}, "maxLength", 5, 3),
    ("min-length", {"type": "string"}, "minLength", 3, 5),
    ("max", {"type": "integer"}, "maximum", 5, 3),
    ("min", {"type": "integer"}, "minimum", 3, 5),
    ("max", {"type": "integer"}, "exclusiveMaximum", 5, 3),
    ("min", {"type": "integer"}, "exclusiveMinimum", 3, 5),
    ("max-items", {"type": "array"}, "maxItems", 5, 3),
    ("min-items", {"type": "array"}, "minItems", 3, 5),
    ("max-properties", {"type": "object"}, "maxProperties", 5, 3),
    ("min-properties", {"type": "object"}, "minProperties", 3, 5),
]
UP, DOWN = "increased", "decreased"


@pytest.mark.parametrize(("bound", "schema", "keyword", "loose", "tight"), BOUNDS)
def test_what_callers_send_keeps_its_bounds(bound, schema, keyword, loose, tight):
    wide, narrow = {**schema, keyword: loose}, {**schema, keyword: tight}
    verb = UP if bound.startswith("min") else DOWN

    assert ids(asks(thing(a=wide)), asks(thing(a=narrow))) == {(f"request-property-{bound}-{verb}", "error")}
    assert ids(asks(wide), asks(narrow)) == {(f"request-body-{bound}-{verb}", "error")}
    assert ids(asks(thing(a=schema)), asks(thing(a=wide))) == {(f"request-property-{bound}-set", "warning")}
    assert ids(asks(thing(a=narrow)), asks(thing(a=wide))) == set()


@pytest.mark.parametrize(("bound", "schema", "keyword", "loose", "tight"), BOUNDS)
def test_what_callers_get_keeps_its_bounds(bound, schema, keyword, loose, tight):
    wide, narrow = {**schema, keyword: loose}, {**schema, keyword: tight}
    verb = DOWN if bound.startswith("min") else UP

    assert ids(tells(view(a=narrow)), tells(view(a=wide))) == {(f"response-property-{bound}-{verb}", "error")}
    assert ids(tells(narrow), tells(wide)) == {(f"response-body-{bound}-{verb}", "error")}
    assert ids(tells(view(a=wide)), tells(view(a=schema))) == {(f"response-property-{bound}-unset", "error")}
    assert ids(tells(view(a=wide)), tells(view(a=narrow))) == set()


ASKED = [
    ("new-required-request-property", "error", thing(a=TEXT), thing(a=TEXT, b_=TEXT)),
    ("request-property-became-required", "error", thing(a=TEXT), thing(a_=TEXT)),
    ("request-property-removed", "error", thing(a=TEXT, b=TEXT), thing(a=TEXT)),
    ("request-property-removed", "warning", view(a=TEXT, b=TEXT), view(a=TEXT)),
    ("request-property-constrained", "warning", {"type": "object"}, {"type": "object", "properties": {"a": TEXT}}),
    ("request-property-became-not-nullable", "error", thing(a={"type": ["string", "null"]}), thing(a=TEXT)),
    ("request-body-became-not-nullable", "error", {"type": ["object", "null"]}, {"type": "object"}),
    ("request-property-type-changed", "error", thing(a=TEXT), thing(a=WHOLE)),
    ("request-property-type-changed", "error", thing(a=TEXT), thing(a=_s(format="date"))),
    ("request-body-type-changed", "error", TEXT, WHOLE),
    ("request-property-list-of-types-narrowed", "error", thing(a={"type": ["string", "integer"]}), thing(a=TEXT)),
    ("request-body-list-of-types-narrowed", "error", {"type": ["string", "integer"]}, TEXT),
    ("request-property-enum-value-removed", "error", thing(a=_s(enum=["x", "y"])), thing(a=_s(enum=["x"]))),
    ("request-body-enum-value-removed", "error", _s(enum=["x", "y"]), _s(enum=["x"])),
    ("request-property-became-enum", "error", thing(a=TEXT), thing(a=_s(enum=["x"]))),
    ("request-body-became-enum", "error", TEXT, _s(enum=["x"])),
    ("request-property-const-added", "error", thing(a=TEXT), thing(a=_s(const="x"))),
    ("request-property-const-changed", "error", thing(a=_s(const="x")), thing(a=_s(const="y"))),
    ("request-property-pattern-added", "error", thing(a=TEXT), thing(a=_s(pattern="^x"))),
    ("request-property-pattern-changed", "warning", thing(a=_s(pattern="^x")), thing(a=_s(pattern="^y"))),
    ("request-body-one-of-removed", "error", {"oneOf": [TEXT, WHOLE, {"type": "array"}]}, {"oneOf": [TEXT, WHOLE]}),
    ("request-body-any-of-removed", "error", {"anyOf": [TEXT, WHOLE, {"type": "array"}]}, {"anyOf": [TEXT, WHOLE]}),
    (
        "request-property-one-of-removed",
        "error",
        thing(a={"oneOf": [TEXT, WHOLE, NUMBER]}),
        thing(a={"oneOf": [TEXT, {"type": "array"}]}),
    ),
    (
        "request-property-any-of-removed",
        "error",
        thing(a={"anyOf": [TEXT, WHOLE, {"type": "array"}]}),
        thing(a={"anyOf": [TEXT, WHOLE]}),
    ),
    ("request-body-all-of-added", "error", {"allOf": [TEXT]}, {"allOf": [TEXT, {"maxLength": 3}]}),
    ("request-property-all-of-added", "error", thing(a={"allOf": [TEXT]}), thing(a={"allOf": [TEXT, {"pattern": "x"}]})),
    (
        "request-property-undecided",
        "error",
        thing(a={"type": "object"}),
        thing(a={"type": "object", "propertyNames": {"maxLength": 3}}),
    ),
    (
        "request-property-unique-items-changed",
        "error",
        thing(a={"type": "array"}),
        thing(a={"type": "array", "uniqueItems": True}),
    ),
    ("request-property-multiple-of-changed", "error", thing(a={**WHOLE, "multipleOf": 2}), thing(a={**WHOLE, "multipleOf": 3})),
]


@pytest.mark.parametrize(("id", "severity", "old", "new"), ASKED)
def test_what_callers_send_may_only_widen(id, severity, old, new):
    assert (id, severity) in ids(asks(old), asks(new))


TOLD = [
    ("response-required-property-removed", "error", view(a=TEXT, b_=TEXT), view(a=TEXT)),
    ("response-property-became-optional", "error", view(a_=TEXT), view(a=TEXT)),
    ("response-optional-property-removed", "warning", view(a=TEXT, b=TEXT), view(a=TEXT)),
    ("response-property-added-to-closed-object", "error", thing(a=TEXT), thing(a=TEXT, b=TEXT)),
    ("response-property-became-nullable", "error", view(a=TEXT), view(a={"type": ["string", "null"]})),
    ("response-body-became-nullable", "error", {"type": "object"}, {"type": ["object", "null"]}),
    ("response-property-type-changed", "error", view(a=TEXT), view(a=WHOLE)),
    ("response-body-type-changed", "error", TEXT, WHOLE),
    ("response-property-type-generalized", "error", view(a=WHOLE), view(a=NUMBER)),
    ("response-body-type-generalized", "error", WHOLE, NUMBER),
    ("response-property-list-of-types-widened", "error", view(a=TEXT), view(a={"type": ["string", "integer"]})),
    ("response-property-enum-value-added", "error", view(a=_s(enum=["x"])), view(a=_s(enum=["x", "y"]))),
    (
        "response-property-enum-value-added",
        "warning",
        view(a=_s(enum=["x"], **{"x-extensible-enum": True})),
        view(a=_s(enum=["x", "y"])),
    ),
    ("response-property-enum-removed", "error", view(a=_s(enum=["x"])), view(a=TEXT)),
    ("response-property-const-removed", "error", view(a=_s(const="x")), view(a=TEXT)),
    ("response-property-const-changed", "error", view(a=_s(const="x")), view(a=_s(const="y"))),
    ("response-property-pattern-removed", "error", view(a=_s(pattern="^x")), view(a=TEXT)),
    ("response-property-pattern-changed", "warning", view(a=_s(pattern="^x")), view(a=_s(pattern="^y"))),
    ("response-body-one-of-added", "error", {"oneOf": [TEXT, WHOLE]}, {"oneOf": [TEXT, WHOLE, {"type": "array"}]}),
    (
        "response-property-one-of-added",
        "error",
        view(a={"oneOf": [TEXT, WHOLE]}),
        view(a={"oneOf": [TEXT, WHOLE, {"type": "array"}]}),
    ),
    ("response-body-any-of-added", "error", {"anyOf": [TEXT, WHOLE]}, {"anyOf": [TEXT, WHOLE, {"type": "array"}]}),
    ("response-property-undecided", "error", view(a={"type": "array", "contains": TEXT}), view(a={"type": "array"})),
    (
        "response-property-additional-properties-changed",
        "error",
        view(a={"type": "object", "additionalProperties": TEXT}),
        view(a={"type": "object"}),
    ),
]


@pytest.mark.parametrize(("id", "severity", "old", "new"), TOLD)
def test_what_callers_get_may_only_narrow(id, severity, old, new):
    assert (id, severity) in ids(tells(old), tells(new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (asks(thing(a=TEXT)), asks(thing(a=TEXT, b=TEXT))),
        (asks(thing(a_=TEXT)), asks(thing(a=TEXT))),
        (asks(thing(a=_s(enum=["x"]))), asks(thing(a=_s(enum=["x", "y"])))),
        (asks(thing(a=WHOLE)), asks(thing(a=NUMBER))),
        (asks({"oneOf": [TEXT, WHOLE]}), asks({"oneOf": [TEXT, WHOLE, {"type": "array"}]})),
        (tells(view(a=TEXT)), tells(view(a=TEXT, b=TEXT))),
        (tells(view(a=TEXT)), tells(view(a_=TEXT))),
        (tells(view(a=_s(enum=["x", "y"]))), tells(view(a=_s(enum=["x"])))),
        (tells(view(a=NUMBER)), tells(view(a=WHOLE))),
        (tells({"anyOf": [TEXT, WHOLE, NUMBER]}), tells({"anyOf": [TEXT, WHOLE]})),
        (asks({"$ref": "#/components/schemas/T"}) | {"components": {"schemas": {"T": thing(a=TEXT)}}}, asks(thing(a=TEXT))),
        (asks(view(a=_s(readOnly=True))), asks(view(a=WHOLE | {"readOnly": True}))),
    ],
)
def test_what_nobody_notices_is_no_breach(old, new):
    assert {severity for _, severity in ids(old, new)} <= {"info"}


def test_a_discriminated_union_is_compared_branch_by_branch():
    def pets(*names: str, length: int = 9) -> dict:
        branch = {name: view(kind_={"const": name}, name={"type": "string", "maxLength": length}) for name in names}
        return {"oneOf": list(branch.values()), "discriminator": {"propertyName": "kind"}}

    assert ids(asks(pets("cat", "dog")), asks(pets("dog", "cat", "bird"))) == set()
    assert any(severity == "error" for _, severity in ids(asks(pets("cat", "dog")), asks(pets("cat"))))
    assert ids(tells(pets("cat")), tells(pets("cat", "dog"))) != set()


def test_nullable_of_openapi_3_0_is_a_type_of_3_1():
    old = asks(thing(a=_s(nullable=True))) | {"openapi": "3.0.3"}
    new = asks(thing(a={"type": ["string", "null"]}))

    assert ids(old, new) == set()
    assert ids(old, asks(thing(a=TEXT))) == {("request-property-became-not-nullable", "error")}
