"""The metadata catalog: the schema of every record, as JSON Schema and as OpenAPI, from the one declaration in schema.py."""

from collections.abc import Iterable
from typing import Any

from sandbox.netsuite.catalog import TYPES
from sandbox.netsuite.present import links
from sandbox.netsuite.schema import Field, Fields, RecordType

TEXT = {"type": "string"}
LINKS = {"type": "array", "items": {"type": "object", "properties": {"rel": TEXT, "href": TEXT}}}


def catalog(root: str) -> dict[str, Any]:
    here = f"{root}/record/v1/metadata-catalog"
    items = [{"name": name, "links": links({"canonical": f"{here}/{name}"})} for name in TYPES]
    return {"items": items, "links": links({"self": here})}


def json_schema(kind: RecordType) -> dict[str, Any]:
    properties: dict[str, Any] = {"id": TEXT, "refName": TEXT, "links": LINKS, **_properties(kind.fields)}
    for name, fields in kind.sublists.items():
        items = {"type": "array", "items": {"type": "object", "properties": _properties(fields)}}
        properties[name] = {"type": "object", "properties": {"links": LINKS, "items": items, "totalResults": {"type": "integer"}}}
    return {"$schema": "http://json-schema.org/draft-06/hyper-schema#", "type": "object", "properties": properties}


def openapi(kinds: Iterable[RecordType], root: str) -> dict[str, Any]:
    chosen = list(kinds)
    schemas = {kind.name: {key: one for key, one in json_schema(kind).items() if key != "$schema"} for kind in chosen}
    paths: dict[str, Any] = {}
    for kind in chosen:
        paths[f"/{kind.name}"] = {"get": _operation("Get list of records.", "200"), "post": _operation("Insert record.", "204")}
        paths[f"/{kind.name}/{{id}}"] = {
            "get": _operation("Get record.", "200"),
            "put": _operation("Insert or update record.", "204"),
            "patch": _operation("Update record.", "204"),
            "delete": _operation("Remove record.", "204"),
        }
    about = {"info": {"title": "NetSuite REST Record API", "version": "v1"}, "servers": [{"url": f"{root}/record/v1"}]}
    return {"openapi": "3.0.1", **about, "paths": paths, "components": {"schemas": schemas}}


def _operation(summary: str, status: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {status: {"description": "Done."}, "default": {"description": "Error response."}}}


def _properties(fields: Fields) -> dict[str, Any]:
    return {name: _property(known) for name, known in fields.items()}


def _property(known: Field) -> dict[str, Any]:
    title: dict[str, Any] = {"title": known.name, "x-ns-filterable": known.kind not in ("refs", "subrecord")}
    if known.computed:
        title["readOnly"] = True
    match known.kind:
        case "date" | "datetime":
            return {**title, "type": "string", "format": "date" if known.kind == "date" else "date-time"}
        case "ref":
            return {**title, "type": "object", "properties": dict.fromkeys(("id", "refName", "externalId"), TEXT)}
        case "refs":
            return {**title, "type": "object", "properties": {"items": {"type": "array", "items": {"type": "object"}}}}
        case "enum":
            return {**title, "type": "object", "properties": {"id": {**TEXT, "enum": list(known.choices)}, "refName": TEXT}}
        case "subrecord":
            return {**title, "type": "object", "properties": _properties(known.fields)}
    return {**title, "type": known.kind}
