"""Paths, parameters, bodies, answers and what is promised around them: every id by a document of a few words."""

import pytest

from tests.governance.changes.documents import OK, api, asks, found, ids, query, takes, tells

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
PATH = {"name": "id", "in": "path", "required": True, "schema": TEXT}
TWO = {"paths": {"/things": {"post": {"responses": OK}, "get": {"responses": OK}}}}
ONE = {"paths": {"/things": {"post": {"responses": OK}}}}
NONE: dict = {"paths": {}}
EVENT = {
    "post": {"requestBody": {"content": {"application/json": {"schema": {"type": "string", "maxLength": 3}}}}, "responses": OK}
}
LONGER = {"post": {"requestBody": {"content": {"application/json": {"schema": TEXT}}}, "responses": OK}}


def _header(**said):
    return api(responses={"200": {"description": "ok", "headers": {"X-A": {"schema": TEXT, **said}}}})


def _limits(quota, window=60):
    return {"x-trivium-limits": {"default": [{"policy": "burst", "quota": quota, "window": window}]}}


def _ending(day, **more):
    return api(deprecated=True, **({"x-sunset": day} if day else {}), **more)


CASES = [
    ("api-path-removed-without-deprecation", "error", api(), api(root=NONE)),
    ("api-removed-without-deprecation", "error", api(root=TWO), api(root=ONE)),
    ("api-path-removed-before-sunset", "error", _ending("2027-01-01"), api(root=NONE)),
    ("api-path-removed-after-sunset", "info", _ending("2026-01-01"), api(root=NONE)),
    ("api-removed-before-sunset", "error", _ending("2027-01-01", root={}), api(method="get")),
    ("api-sunset-date-too-small", "error", api(), _ending("2026-12-01")),
    ("sunset-deleted", "error", _ending("2027-12-01"), _ending(None)),
    ("api-sunset-date-changed-too-small", "error", _ending("2027-12-01"), _ending("2026-12-01")),
    ("endpoint-deprecated", "info", api(), _ending("2027-12-01")),
    ("endpoint-added", "info", api(root=ONE), api(root=TWO)),
    (
        "api-stability-decreased",
        "error",
        api(info={"x-trivium-lifecycle": {"stage": "published"}}),
        api(info={"x-trivium-lifecycle": {"stage": "draft"}}),
    ),
    ("api-operation-id-changed", "warning", api(), api(operationId="done")),
    ("new-required-request-parameter", "error", takes(), takes(query(required=True))),
    ("new-optional-request-parameter", "info", takes(), takes(query())),
    ("new-request-path-parameter", "error", takes(path="/things/{id}"), takes(PATH, path="/things/{id}")),
    ("request-parameter-became-required", "error", takes(query()), takes(query(required=True))),
    ("request-parameter-removed", "warning", takes(query()), takes()),
    ("request-parameter-removed-before-sunset", "error", takes(query(deprecated=True, **{"x-sunset": "2027-06-01"})), takes()),
    ("request-parameter-type-changed", "error", takes(query()), takes(query(schema=WHOLE))),
    ("request-parameter-style-changed", "error", takes(query()), takes(query(style="pipeDelimited"))),
    (
        "request-parameter-enum-value-removed",
        "error",
        takes(query(schema={"enum": ["a", "b"]})),
        takes(query(schema={"enum": ["a"]})),
    ),
    ("request-parameter-became-enum", "error", takes(query()), takes(query(schema={**TEXT, "enum": ["a"]}))),
    ("request-parameter-pattern-added", "error", takes(query()), takes(query(schema={**TEXT, "pattern": "x"}))),
    (
        "request-parameter-max-length-decreased",
        "error",
        takes(query(schema={**TEXT, "maxLength": 4})),
        takes(query(schema={**TEXT, "maxLength": 3})),
    ),
    (
        "request-parameter-min-increased",
        "error",
        takes(query(schema={**WHOLE, "minimum": 1})),
        takes(query(schema={**WHOLE, "minimum": 2})),
    ),
    ("request-parameter-max-set", "warning", takes(query(schema=WHOLE)), takes(query(schema={**WHOLE, "maximum": 2}))),
    ("request-parameter-default-value-added", "error", takes(query()), takes(query(schema={**TEXT, "default": "a"}))),
    ("request-parameter-default-value-removed", "error", takes(query(schema={**TEXT, "default": "a"})), takes(query())),
    (
        "request-parameter-default-value-changed",
        "error",
        takes(query(schema={**TEXT, "default": "a"})),
        takes(query(schema={**TEXT, "default": "b"})),
    ),
    (
        "new-required-request-header-property",
        "error",
        takes({"name": "X-A", "in": "header", "schema": {"type": "object", "properties": {}, "additionalProperties": False}}),
        takes(
            {
                "name": "x-a",
                "in": "header",
                "schema": {"type": "object", "properties": {"b": TEXT}, "required": ["b"], "additionalProperties": False},
            }
        ),
    ),
    ("request-body-added-required", "error", api(), asks(TEXT, required=True)),
    ("request-body-added-optional", "info", api(), asks(TEXT)),
    ("request-body-removed", "warning", asks(TEXT), api()),
    ("request-body-became-required", "error", asks(TEXT), asks(TEXT, required=True)),
    ("request-body-media-type-removed", "error", asks(TEXT), api(requestBody={"content": {"text/plain": {"schema": TEXT}}})),
    ("request-body-media-type-added", "info", api(requestBody={"content": {}}), asks(TEXT)),
    ("response-success-status-removed", "error", tells(TEXT, "201"), tells(TEXT, "200")),
    ("response-success-status-added", "warning", tells(TEXT), api(responses={**OK, "202": {"description": "later"}})),
    ("response-non-success-status-removed", "info", tells(TEXT, "404"), tells(TEXT)),
    ("response-non-success-status-added", "info", tells(TEXT), api(responses={**OK, "404": {"description": "no"}})),
    ("response-media-type-removed", "error", tells(TEXT), api()),
    ("response-media-type-added", "info", api(), tells(TEXT)),
    ("required-response-header-removed", "error", _header(required=True), api()),
    ("optional-response-header-removed", "warning", _header(), api()),
    ("response-header-became-optional", "error", _header(required=True), _header()),
    ("response-header-type-changed", "error", _header(), _header(schema=WHOLE)),
    ("response-header-added", "info", api(), _header()),
    ("webhook-removed", "error", api(root={"webhooks": {"made": EVENT}}), api()),
    ("webhook-added", "info", api(), api(root={"webhooks": {"made": EVENT}})),
    ("webhook-body-max-length-unset", "error", api(root={"webhooks": {"made": EVENT}}), api(root={"webhooks": {"made": LONGER}})),
    ("callback-removed", "error", api(callbacks={"done": {"{$request.body#/url}": EVENT}}), api()),
    (
        "webhook-body-max-length-unset",
        "error",
        api(callbacks={"done": {"{$url}": EVENT}}),
        api(callbacks={"done": {"{$url}": LONGER}}),
    ),
    ("request-body-all-of-removed", "warning", asks({"allOf": [TEXT, {"maxLength": 3}]}), asks({"allOf": [TEXT]})),
    ("new-optional-request-property", "info", asks({"type": "object"}), asks({"type": "object", "properties": {"a": {}}})),
    ("response-property-added", "info", tells({"type": "object"}), tells({"type": "object", "properties": {"a": {}}})),
    ("api-security-added", "error", api(security=[]), api(security=[{"oauth2": ["a:read"]}])),
    (
        "api-security-scope-added",
        "error",
        api(security=[{"oauth2": ["a:read"]}]),
        api(security=[{"oauth2": ["a:read", "a:more"]}]),
    ),
    ("api-security-scheme-changed", "error", api(security=[{"oauth2": ["a:read"]}]), api(security=[{"mtls": []}])),
    ("rate-limit-lowered", "error", api(root=_limits(100)), api(root=_limits(50))),
    ("rate-limit-lowered", "error", api(root=_limits(100)), api(root=_limits(100, 120))),
    ("timeout-lowered", "error", api(**{"x-trivium-timeout": 10}), api(**{"x-trivium-timeout": 5})),
    ("idempotency-removed", "error", api(**{"x-trivium-idempotency": "required"}), api()),
    ("idempotency-required", "error", api(), api(**{"x-trivium-idempotency": "required"})),
    ("pagination-style-changed", "error", takes(query("cursor")), takes(query("offset"))),
    ("api-audience-narrowed", "error", api(info={"x-trivium-audience": "partner"}), api(info={"x-trivium-audience": "internal"})),
    ("api-audience-widened", "info", api(info={"x-trivium-audience": "internal"}), api(info={"x-trivium-audience": "partner"})),
    (
        "classification-raised",
        "error",
        tells({"type": "object", "properties": {"a": TEXT}}),
        tells({"type": "object", "properties": {"a": {**TEXT, "x-trivium-classification": "tax"}}}),
    ),
    (
        "classification-lowered",
        "warning",
        tells({"type": "object", "properties": {"a": {**TEXT, "x-trivium-classification": "tax"}}}),
        tells({"type": "object", "properties": {"a": TEXT}}),
    ),
]


@pytest.mark.parametrize(("id", "severity", "old", "new"), CASES)
def test_a_change_has_its_id_and_weight(id, severity, old, new):
    assert (id, severity) in ids(old, new)


@pytest.mark.parametrize(("old", "new"), [(old, new) for _, _, old, new in CASES])
def test_a_document_is_compatible_with_itself(old, new):
    assert (found(old, old), found(new, new)) == ([], [])


def test_the_name_of_a_path_parameter_is_nobody_s_business():
    old, new = takes(PATH, path="/things/{id}"), takes({**PATH, "name": "thing_id"}, path="/things/{thing_id}")

    assert ids(old, new) == set()


@pytest.mark.parametrize(
    ("was", "becomes", "new", "said"),
    [
        ("1.2.0", "1.2.1", asks(TEXT, required=True), {"api-major-version-not-bumped"}),
        ("1.2.0", "2.0.0", asks(TEXT, required=True), set()),
        ("1.2.0", "1.2.0", asks(TEXT), {"api-version-not-bumped"}),
        ("1.2.0", "1.3.0", asks(TEXT), set()),
    ],
)
def test_the_version_says_how_much_changed(was, becomes, new, said):
    old = api(info={"version": was})
    new = {**new, "info": {"title": "T", "version": becomes}}

    assert {one.id for one in found(old, new) if "version-not-bumped" in one.id} == said


def test_a_finding_tells_who_breaks_how_and_where():
    old, new = asks({"type": "object", "properties": {"a": TEXT}}), asks({"type": "object", "properties": {"a": WHOLE}})

    (first, *_) = found(old, new)

    assert first.sentence == "callers who send a as before are refused"
    assert (first.operation, first.old.key, first.new.key) == ("POST /things", "type", "type")
    assert first.new.pointer == "/paths/~1things/post/requestBody/content/application~1json/schema/properties/a/type"
