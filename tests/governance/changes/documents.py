"""Tiny contracts to compare: one operation, of which a test says only what it is about."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from governance.changes.diff import diff
from governance.changes.finding import Finding
from governance.contract import Contract

TODAY = date(2026, 11, 21)
Said = Mapping[str, Any]
OK: Said = {"200": {"description": "ok"}}


def api(*, method: str = "post", path: str = "/things", info: Said = {}, root: Said = {}, **operation: Any) -> dict[str, Any]:  # noqa: B006
    said = {"operationId": "do", "responses": OK, **operation}
    return {
        "openapi": "3.1.0", "info": {"title": "T", "version": "1.0.0", **info}, "paths": {path: {method: said}}, **root
    }  # fmt: skip


def asks(schema: Any, **body: Any) -> dict[str, Any]:
    return api(requestBody={"content": {"application/json": {"schema": schema}}, **body})


def tells(schema: Any, status: str = "200") -> dict[str, Any]:
    return api(responses={status: {"description": "ok", "content": {"application/json": {"schema": schema}}}})


def takes(*parameters: Said, path: str = "/things") -> dict[str, Any]:
    return api(parameters=list(parameters), path=path)


def query(name: str = "q", schema: Any = None, **said: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string"} if schema is None else schema, **said}


def thing(**properties: Any) -> dict[str, Any]:
    """A closed object; a property whose name ends in _ is required."""
    required = [name.rstrip("_") for name in properties if name.endswith("_")]
    named = {name.rstrip("_"): schema for name, schema in properties.items()}
    return {"type": "object", "properties": named, "required": required, "additionalProperties": False}


def view(**properties: Any) -> dict[str, Any]:
    """An open object, likewise."""
    return {name: said for name, said in thing(**properties).items() if name != "additionalProperties"}


def found(old: Said, new: Said) -> list[Finding]:
    before, after = (Contract.parse(json.dumps(document), name) for document, name in ((old, "old"), (new, "new")))
    return diff(before, after, today=TODAY)


def ids(old: Said, new: Said) -> set[tuple[str, str]]:
    """What is found, but for the version's number, which these documents leave as it is."""
    return {(one.id, one.severity.value) for one in found(old, new) if "version-not-bumped" not in one.id}
