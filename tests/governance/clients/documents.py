"""A small contract that has everything a client carries: keys, pages, lists, enums, inline schemas, words that try to escape."""

import json

from governance.contract import Contract


def shop(**info):
    """`info`: what its info says beside or instead of the usual."""
    thing = {
        "type": "object", "required": ["id"], "additionalProperties": False,
        "properties": {
            "id": {"type": "string"}, "colour": {"$ref": "#/components/schemas/colour"},
            "note": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]},
            "mood": {"type": "string", "enum": ["calm"], "x-extensible-enum": True},
        },
    }  # fmt: skip
    new = {"type": "object", "required": ["colour"], "additionalProperties": False, "properties": {
        "colour": {"$ref": "#/components/schemas/colour"}}}  # fmt: skip
    page = {"type": "object", "properties": {
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}, "next": {"type": "string"}}}  # fmt: skip
    query = [
        {"name": "cursor", "in": "query", "schema": {"type": "string"}},
        {"name": "colour", "in": "query", "schema": {"$ref": "#/components/schemas/colour"}},
        {"name": "ids", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}, "explode": False},
        {"name": "since", "in": "query", "schema": {"type": "string", "format": "date"}},
    ]
    where = {"name": "thing-id", "in": "path", "required": True, "schema": {"type": "string"}}
    key = {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}}
    paths = {
        "/things": {
            "get": {"operationId": "list_things", "parameters": query, "responses": {"200": _json(page)}},
            "post": {
                "operationId": "makeThing", "description": 'Says """ and \\N{no} and \'\'\' and */', "parameters": [key],
                "requestBody": {"required": True, "content": {"application/json": {"schema": new}}},
                "responses": {"201": _json({"$ref": "#/components/schemas/Thing"})},
            },
        },
        "/things/{thing-id}": {
            "parameters": [where],
            "get": {"operationId": "get_thing", "responses": {"200": _json({"$ref": "#/components/schemas/Thing"})}},
            "delete": {"operationId": "delete", "responses": {"204": {"description": "gone"}}},
            "patch": {
                "operationId": "paint",
                "responses": {"200": _json({"type": "object", "properties": {"wet": {"type": "boolean"}}})},
                "requestBody": {"content": {"application/json": {"schema": new}}},
            },
        },
        "/things/{thing-id}/picture": {
            "parameters": [where],
            "get": {"operationId": "picture", "responses": {"200": {"description": "", "content": {"image/png": {}}}}},
        },
    }  # fmt: skip
    document = {
        "openapi": "3.1.0", "info": {"title": "Shop", "version": "1.2.0", "x-trivium-api": "process/shop", **info},
        "paths": paths, "components": {"schemas": {"Thing": thing, "colour": {"type": "string", "enum": ["red", "dark-red"]}}},
    }  # fmt: skip
    return Contract.parse(json.dumps(document), f"{document['info']['x-trivium-api']}/v1.yaml")


def _json(schema):
    return {"description": "ok", "content": {"application/json": {"schema": schema}}}
