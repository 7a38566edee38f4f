"""Each rule finds what it is about in a contract that is spoilt in one place, and nothing in one that is not."""

from collections.abc import Callable
from typing import Any

import pytest

from governance.lint.rule import Severity
from governance.rules import RULES
from tests.governance.rules.documents import LIST, ONE, good, linted

Spoil = Callable[[dict[str, Any]], object]


def _get(document):
    return document["paths"][LIST]["get"]


def _post(document):
    return document["paths"][LIST]["post"]


def _schema(document, name):
    return document["components"]["schemas"][name]


def _field(document, name, schema, of="NewOrder"):
    _schema(document, of)["properties"][name] = schema


def _without(owner, *names):
    for name in names:
        del owner[name]


def _path(document, path, **item):
    document["paths"][path] = item or {"get": {**_get(document), "operationId": "other"}}


CASES: list[tuple[str, Spoil]] = [
    ("valid-document", lambda d: d["info"].pop("title")),
    ("valid-document", lambda d: _get(d).update(parameters=[{"name": "x"}])),
    ("references-resolve", lambda d: _field(d, "a", {"$ref": "#/components/schemas/Nothing"})),
    ("operation-id", lambda d: _post(d).update(operationId="list_orders")),
    ("operation-id", lambda d: _post(d).update(operationId="Add Order")),
    ("path-parameters", lambda d: d["paths"][ONE]["put"].update(parameters=[])),
    ("path-parameters", lambda d: _get(d)["parameters"].append({"name": "x", "in": "path", "required": True, "schema": {}})),
    ("distinct-paths", lambda d: _path(d, "/process/orders/v1/orders/{other_id}")),
    ("distinct-paths", lambda d: (_path(d, "/process/orders/v1/{a}/x"), _path(d, "/process/orders/v1/x/{b}"))),
    ("clean-paths", lambda d: _path(d, "/process/orders/v1/things/")),
    ("clean-paths", lambda d: _path(d, "/process/orders/v1/things?x=1")),
    ("used-components", lambda d: d["components"]["schemas"].update(Spare={"type": "string"})),
    ("examples-fit", lambda d: _field(d, "note", {"type": "string", "maxLength": 3, "examples": ["abcd"]})),
    ("examples-fit", lambda d: _post(d)["requestBody"]["content"]["application/json"].update(example={"note": 5})),
    ("enum-values", lambda d: _field(d, "a", {"type": "string", "enum": ["a", 5]})),
    ("enum-values", lambda d: _field(d, "a", {"type": "string", "enum": ["a", "a"]})),
    ("required-defined", lambda d: _schema(d, "NewOrder")["required"].append("nothing")),
    ("servers", lambda d: d.update(servers=[{"url": "http://api.acme.test"}])),
    ("servers", lambda d: d.update(servers=[{"url": "https://api.example.com"}])),
    ("info-complete", lambda d: d["info"].pop("license")),
    ("info-complete", lambda d: d["info"].update(description=" ")),
    ("semantic-version", lambda d: d["info"].update(version="1.2")),
    ("semantic-version", lambda d: d["info"].update(version="2.0.0")),
    ("api-id", lambda d: d["info"].update({"x-trivium-api": "Orders"})),
    ("audience", lambda d: d["info"].update({"x-trivium-audience": "everybody"})),
    ("layer", lambda d: d["info"].update({"x-trivium-layer": "basement"})),
    ("layer", lambda d: d["info"].update({"x-trivium-calls": ["experience/sales_desk"]})),
    ("lifecycle", lambda d: d["info"].update({"x-trivium-lifecycle": {"stage": "deprecated"}})),
    ("lifecycle", lambda d: d["info"].update({"x-trivium-lifecycle": {"stage": "draft", "sunset": "soon"}})),
    ("lifecycle", lambda d: _get(d).update(deprecated=True)),
    ("owner", lambda d: d["info"].update({"x-trivium-owner": {"team": "a"}})),
    ("operations-described", lambda d: _get(d).pop("summary")),
    ("operations-described", lambda d: _get(d).update(tags=["unheard-of"])),
    ("kebab-case-paths", lambda d: _path(d, "/process/orders/v1/bigThings")),
    ("plural-resources", lambda d: _path(d, "/process/orders/v1/thing/{order_id}")),
    ("no-verbs-in-paths", lambda d: _path(d, "/process/orders/v1/validate")),
    ("snake-case-properties", lambda d: _field(d, "aName", {"type": "string", "maxLength": 3})),
    (
        "snake-case-parameters",
        lambda d: _get(d)["parameters"].append({"name": "aName", "in": "query", "schema": {"type": "boolean"}}),
    ),
    ("date-names", lambda d: _field(d, "made", {"type": "string", "format": "date-time"})),
    ("date-names", lambda d: _field(d, "made_at", {"type": "string", "maxLength": 30})),
    ("nesting-depth", lambda d: _path(d, "/process/orders/v1/as/bs/cs/ds")),
    ("object-at-top", lambda d: _schema(d, "Orders").update(type="array")),
    ("bounded-strings", lambda d: _field(d, "a", {"type": "string"})),
    ("bounded-arrays", lambda d: _field(d, "a", {"type": "array", "items": {"type": "boolean"}})),
    ("bounded-integers", lambda d: _field(d, "a", {"type": "integer", "minimum": 0})),
    ("exact-money", lambda d: _field(d, "unit_price", {"type": "number"}, of="Order")),
    ("closed-requests", lambda d: _schema(d, "NewOrder").pop("additionalProperties")),
    ("no-nullable-booleans", lambda d: _field(d, "a", {"type": ["boolean", "null"]}, of="Order")),
    ("extensible-enums", lambda d: _field(d, "a", {"type": "string", "enum": ["x"]}, of="Order")),
    ("problem-json", lambda d: d["components"]["responses"]["Problem"].update(content={"text/plain": {}})),
    ("expected-errors", lambda d: _get(d)["responses"].pop("403")),
    ("expected-errors", lambda d: d["paths"][ONE]["put"]["responses"].pop("404")),
    ("expected-errors", lambda d: _post(d)["responses"].pop("422")),
    ("limits-announced", lambda d: _get(d)["responses"].pop("429")),
    ("limits-announced", lambda d: _get(d)["responses"]["200"].pop("headers")),
    ("upstream-errors", lambda d: _get(d)["responses"].pop("504")),
    ("idempotent-creates", lambda d: _post(d).pop("x-trivium-idempotency") and _post(d).update(parameters=[])),
    ("idempotent-creates", lambda d: _post(d).update(parameters=[])),
    ("paged-collections", lambda d: _get(d).update(parameters=[])),
    ("paged-collections", lambda d: _get(d)["parameters"][1]["schema"].pop("maximum")),
    ("no-body-on-get", lambda d: _get(d).update(requestBody=_post(d)["requestBody"])),
    ("conditional-writes", lambda d: d["paths"][ONE]["put"].pop("x-trivium-conditional")),
    ("secured-operations", lambda d: d.pop("security")),
    ("secured-operations", lambda d: _get(d).update(security=[{"oauth2": ["orders:unheard"]}])),
    ("secured-operations", lambda d: d["components"]["securitySchemes"].update(b={"type": "http", "scheme": "basic"})),
    ("secured-operations", lambda d: _get(d)["parameters"].append({"name": "api_key", "in": "query", "schema": {"enum": ["a"]}})),
    ("governed-data", lambda d: d.pop("x-trivium-limits")),
    ("governed-data", lambda d: d["info"].update({"x-trivium-classification": "secret"})),
]


@pytest.mark.parametrize(("rule", "spoil"), CASES, ids=[f"{rule}-{index}" for index, (rule, _) in enumerate(CASES)])
def test_a_contract_spoilt_in_one_place_is_found_there(rule, spoil):
    document = good()
    spoil(document)

    found = {finding.rule: finding for finding in linted(document)}

    assert rule in found, found
    assert found[rule].what
    assert found[rule].fix


def test_a_good_contract_breaks_no_rule():
    assert linted(good()) == []


def test_every_rule_is_seen_to_find_something():
    assert {rule for rule, _ in CASES} == {rule.id for rule in RULES}


def test_rules_are_forty_four_numbered_through_and_say_what_they_claim_and_where_it_is_written():
    assert [rule.number for rule in RULES] == list(range(1, 45))
    assert all(rule.about.endswith(".") and rule.see and rule.fix for rule in RULES)
    assert len({rule.id for rule in RULES}) == 44
    assert all(rule.severity is not Severity.OFF for rule in RULES)


def test_findings_carry_the_line_of_the_file():
    document = good()
    document["info"]["version"] = "1.2"

    (finding,) = linted(document)

    assert (finding.rule, finding.pointer, finding.file) == ("semantic-version", "/info", "contract.yaml")
