"""A foreign document becomes operations like our own; what cannot be is a note or a refusal, never silence."""

import json
from typing import Any

import pytest
import yaml

from gateway.contracts import BadContract
from gateway.pipeline import Operation
from gateway.services.overlay import Governed, governed
from kernel.sections.services import Service


def document(paths: Any, **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "Pets", "version": "7.2.0"}, "paths": paths, **more}


def service(**said: Any) -> Service:
    usual = {"name": "pets", "contract": "pets.yaml", "prefix": "/pets/v1", "upstreams": ["http://pets.internal"]}
    return Service.model_validate({**usual, **said})


def read(said: Any, files: dict[str, Any] | None = None, **settings: Any) -> Governed:
    texts = {"pets.yaml": yaml.safe_dump(said), **{name: json.dumps(each) for name, each in (files or {}).items()}}

    def text(name: str) -> str:
        if name not in texts:
            raise FileNotFoundError(f"there is no {name}")
        return texts[name]

    return governed(service(**settings), text)


def only(said: Any, **settings: Any) -> Operation:
    (operation,) = read(document({"/pets": {"get": {"operationId": "list_pets", **said}}}), **settings).operations
    return operation


def test_paths_are_below_the_prefix_and_named_after_the_service() -> None:
    found = read(document({"/pets/{id}": {"get": {"operationId": "get_pet", "parameters": [_path("id")]}}}))
    (operation,) = found.operations

    assert (operation.api, operation.id) == ("services/pets", "services.pets.v7.get_pet")
    assert (operation.method, operation.path) == ("GET", "/pets/v1/pets/{id}")
    assert found.notes == ()


def test_reading_and_writing_need_scopes_of_their_own() -> None:
    found = read(
        document({"/pets": {"get": {"operationId": "list"}, "post": {"operationId": "add"}, "delete": {"operationId": "clear"}}})
    )

    assert [operation.scopes for operation in found.operations] == [{"pets:read"}, {"pets:write"}, {"pets:write"}]


def test_the_settings_may_name_other_scopes() -> None:
    rules = {"read": "animals:see", "write": "animals:change", "operations": {"search": "animals:see"}}
    paths = {"/pets": {"get": {"operationId": "list"}, "post": {"operationId": "search"}, "put": {"operationId": "set"}}}
    found = read(document(paths), scopes=rules)

    scopes = {operation.said["operationId"]: operation.scopes for operation in found.operations}
    assert scopes == {"list": {"animals:see"}, "search": {"animals:see"}, "set": {"animals:change"}}


OAUTH = {"securitySchemes": {"o": {"type": "oauth2", "flows": {}}, "key": {"type": "apiKey", "name": "k", "in": "header"}}}


@pytest.mark.parametrize(
    ("security", "scopes"),
    [
        ([{"o": ["pets:see"]}], {"pets:see"}), ([{"key": []}], {"pets:read"}), ([], {"pets:read"}), ([{}], {"pets:read"}),
        ([{"o": ["a"]}, {"key": []}], {"pets:read"}), ([{"o": ["a"], "key": []}], {"pets:read"}), ([{"o": []}], {"pets:read"}),
    ],
)  # fmt: skip
def test_scopes_of_the_document_count_where_they_can_be_enforced(security: Any, scopes: set[str]) -> None:
    paths = {"/pets": {"get": {"operationId": "list", "security": security}}}
    (operation,) = read(document(paths, components=OAUTH)).operations

    assert operation.scopes == scopes
    assert not operation.public


def test_nothing_is_public_but_what_the_settings_say() -> None:
    assert only({"security": []}, public=["list_pets"]).public
    assert not only({"security": []}).public


@pytest.mark.parametrize("setting", ["public", "omit", "websockets"])
def test_settings_that_name_no_operation_are_refused(setting: str) -> None:
    with pytest.raises(BadContract, match="service pets: the settings name nowhere"):
        only({}, **{setting: ["nowhere"]})


def test_what_is_omitted_is_not_offered() -> None:
    paths = {"/pets": {"get": {"operationId": "list"}, "delete": {"operationId": "clear"}}}

    assert [operation.method for operation in read(document(paths), omit=["clear"]).operations] == ["GET"]


def test_an_operation_without_a_name_gets_one() -> None:
    found = read(document({"/pets/{id}": {"parameters": [_path("id")], "get": {}, "put": {"operationId": "a b"}}}))

    assert [operation.said["operationId"] for operation in found.operations] == ["get_pets_id", "put_pets_id"]
    assert found.notes == (
        "GET /pets/{id} is called get_pets_id here: it has no operationId",
        "PUT /pets/{id} is called put_pets_id here: its operationId cannot be used",
    )


def test_a_path_parameter_that_nobody_describes_is_any_text() -> None:
    found = read(document({"/pets/{id}": {"get": {"operationId": "g", "parameters": [_path("other")]}}}))

    assert set(found.operations[0].path_parameters) == {"id"}
    assert found.notes == ("GET /pets/{id} the path parameter id passes unchecked: it is not described",)


def test_two_operations_of_one_name_are_told_apart() -> None:
    found = read(document({"/a": {"get": {"operationId": "same"}}, "/b": {"get": {"operationId": "same"}}}))

    assert [operation.said["operationId"] for operation in found.operations] == ["same", "get_b"]


def test_a_parameters_name_that_no_template_can_have_is_replaced() -> None:
    (operation,) = read(document({"/p/{pet-id}": {"get": {"operationId": "g", "parameters": [_path("pet-id")]}}})).operations

    assert operation.path == "/pets/v1/p/{p_pet_id}"
    assert set(operation.path_parameters) == {"p_pet_id"}


def test_a_slash_at_the_end_is_kept_for_the_upstream_only() -> None:
    found = read(document({"/pets/": {"get": {"operationId": "list"}}, "/pets": {"post": {"operationId": "add"}}}))
    slashes = {operation.path: [] for operation in found.operations}
    for operation in found.operations:
        slashes[operation.path].append(bool(operation.extensions.get("x-trivium-upstream-slash")))

    assert slashes == {"/pets/v1/pets": [True, False]}


@pytest.mark.parametrize("path", ["/pets/{id}.json", "/pets/{a}:cancel", "/pets//x", "/pets/../x", "/pe ts"])
def test_a_path_that_cannot_be_told_apart_is_left_out_and_said_so(path: str) -> None:
    found = read(document({path: {"get": {"operationId": "odd"}}, "/ok": {"get": {"operationId": "ok"}}}))

    assert [operation.said["operationId"] for operation in found.operations] == ["ok"]
    assert any(note.startswith(f"GET {path} is not offered") for note in found.notes)


def test_a_method_that_the_door_answers_itself_is_said_to_be_left_out() -> None:
    assert read(document({"/a": {"trace": {}, "get": {"operationId": "g"}}})).notes[0].startswith("TRACE /a is not offered")


ODD = {
    "its members are parameters": {"in": "query", "schema": {"type": "object"}, "style": "deepObject"},
    "spread over names": {"in": "query", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
    "a list in one text": {"in": "query", "schema": {"type": "array"}, "explode": False},
    "with bars": {"in": "query", "schema": {"type": "array"}, "style": "pipeDelimited"},
    "a document": {"in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
    "may be empty": {"in": "query", "schema": {"type": "boolean"}, "allowEmptyValue": True},
    "a matrix": {"in": "path", "schema": {"type": "string"}, "style": "matrix", "required": True},
    "a header of members": {"in": "header", "schema": {"type": "object"}},
    "a broken schema": {"in": "query", "schema": {"type": "string", "pattern": "("}},
    "a schema that is nowhere": {"in": "query", "schema": {"$ref": "#/components/schemas/None"}},
}


@pytest.mark.parametrize("name", ODD)
def test_a_parameter_that_cannot_be_taken_apart_passes_and_is_said_so(name: str) -> None:
    path = "/pets/{it}" if ODD[name]["in"] == "path" else "/pets"
    found = read(document({path: {"get": {"operationId": "list", "parameters": [{"name": "it", **ODD[name]}]}}}))
    (operation,) = found.operations
    schemas = {**operation.query_parameters, **operation.path_parameters, **operation.header_parameters}

    assert len(found.notes) == 1
    assert "it" in found.notes[0]
    assert schemas.get("it", {}) == {}
    assert (operation.extensions.get("x-trivium-query") == "open") == ("it" not in schemas)


def test_ordinary_parameters_are_checked() -> None:
    listed = [
        {"name": "limit", "in": "query", "schema": {"type": "integer"}, "required": True},
        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "X-Own", "in": "header", "schema": {"type": "string"}},
        {"name": "session", "in": "cookie", "schema": {"type": "string"}},
    ]
    operation = only({"parameters": listed})

    assert operation.query_parameters["limit"] == {"type": "integer"}
    assert operation.required_query == {"limit"}
    assert set(operation.header_parameters) == {"x-own"}


def test_bodies_of_several_json_forms_pass_unchecked_and_it_is_said() -> None:
    content = {"application/json": {"schema": {"type": "object"}}, "application/merge-patch+json": {"schema": {}}}
    found = read(document({"/p": {"patch": {"operationId": "change", "requestBody": {"content": content}}}}))

    assert found.operations[0].body_schema is None
    assert "its body passes unchecked" in found.notes[0]


def test_a_body_is_checked_as_the_document_says() -> None:
    components = {"schemas": {"Pet": {"type": "object", "required": ["name"]}}}
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}
    found = read(document({"/p": {"post": {"operationId": "add", "requestBody": body}}}, components=components))
    (operation,) = found.operations

    assert operation.body_required
    assert "Pet" in (operation.body_schema or {})["$defs"]


def test_schemas_of_3_0_mean_what_they_meant() -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "nullable": True, "enum": ["a"]},
            "age": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            "owner": {"allOf": [{"type": "object"}], "nullable": True},
            "default": {"type": "string", "nullable": True},
        },
    }
    body = {"content": {"application/json": {"schema": schema}}}
    old = {**document({"/p": {"post": {"operationId": "add", "requestBody": body}}}), "openapi": "3.0.3"}
    properties = (read(old).operations[0].body_schema or {})["properties"]

    assert properties["name"] == {"type": ["string", "null"], "nullable": True, "enum": ["a", None]}
    assert properties["age"] == {"type": "integer", "exclusiveMinimum": 0}
    assert {"type": "null"} in properties["owner"]["anyOf"]
    assert properties["default"]["type"] == ["string", "null"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"swagger": "2.0", "info": {}, "paths": {}}, "Swagger 2.0"), ({"openapi": "3.1.0"}, "no info"), ([], "not an OpenAPI"),
        ({"hello": 1}, "no OpenAPI"),
    ],
)  # fmt: skip
def test_what_is_no_openapi_3_is_refused_in_words(said: Any, reason: str) -> None:
    with pytest.raises(BadContract, match=f"service pets: .*{reason}"):
        read(said)


def test_other_files_are_part_of_the_document() -> None:
    files = {
        "paths/pets.json": {"get": {"operationId": "list", "parameters": [{"$ref": "../parameters.json#/limit"}]}},
        "parameters.json": {"limit": {"name": "limit", "in": "query", "schema": {"$ref": "schemas/limit.json"}}},
        "schemas/limit.json": {"anyOf": [{"type": "integer"}, {"$ref": "#/more"}], "more": {"$ref": "limit.json"}},
    }
    (operation,) = read(document({"/pets": {"$ref": "paths/pets.json"}}), files).operations

    assert operation.query_parameters["limit"]["$ref"].startswith("#/$defs/")


@pytest.mark.parametrize(
    "reference", ["../secret.json", "/etc/passwd", "a/../../x.json", "https://x.example/a.json", "none.json"]
)
def test_no_reference_leads_anywhere_else(reference: str) -> None:
    with pytest.raises(BadContract, match="service pets: "):
        read(document({"/pets": {"$ref": reference}}))


def test_a_document_that_grows_without_end_is_refused() -> None:
    lines = ["openapi: 3.1.0", "info: {title: x, version: '1'}", "paths: {}", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    with pytest.raises(BadContract, match="repetition limit"):
        governed(service(), lambda _: "\n".join(lines))


@pytest.mark.parametrize(
    ("servers", "base"),
    [
        ([], ""), ([{"url": "https://x.example/api/v2/"}], "/api/v2"), ([{"url": "/api"}], "/api"),
        ([{"url": "https://{host}/{v}", "variables": {"host": {"default": "h"}, "v": {"default": "v9"}}}], "/v9"),
    ],
)  # fmt: skip
def test_where_its_paths_begin_is_the_servers_path(servers: Any, base: str) -> None:
    assert read(document({}, servers=servers)).base == base


def test_limits_lifecycle_and_audience_come_from_the_settings() -> None:
    limits = {"default": [{"policy": "burst", "quota": 7, "window": 60}]}
    lifecycle = {"stage": "deprecated", "sunset": "2030-01-01"}
    operation = only({}, limits=limits, audience="partner", lifecycle=lifecycle, timeout=3, max_body=10)

    assert operation.limits["default"][0].quota == 7
    assert (operation.audience, operation.timeout, operation.max_body) == ("partner", 3, 10)
    assert operation.lifecycle == lifecycle


def test_what_the_settings_say_outweighs_what_the_document_says() -> None:
    said = document({"/p": {"get": {"operationId": "g"}}}, **{"x-trivium-priority": "critical"})

    assert read(said).operations[0].extensions["x-trivium-priority"] == "critical"
    extensions = {"x-trivium-priority": "sheddable"}
    assert read(said, extensions=extensions).operations[0].extensions["x-trivium-priority"] == "sheddable"


def test_a_websocket_is_a_get() -> None:
    assert only({}, websockets=["list_pets"]).extensions["x-trivium-websocket"] is True
    with pytest.raises(BadContract, match="no GET"):
        read(document({"/p": {"post": {"operationId": "add"}}}), websockets=["add"])


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
