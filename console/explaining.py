"""The reference: an API, one of its operations with a request that can be tried, one of its schemas field by field."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request

from console.desk import Desk
from console.room import listed_in
from governance.catalog import reference
from governance.catalog.catalog import Catalog, Listed
from governance.catalog.downloads import DOWNLOADS
from governance.catalog.examples import example
from governance.catalog.snippets import snippets
from governance.contract import Operation
from governance.node import Node, Unresolved
from kernel.problem import NotFound


def api_page(catalog: Catalog, request: Request) -> Mapping[str, Any]:
    listed = listed_in(catalog, request)
    calls = [edge for edge in catalog.map.edges if edge.source == listed.key]
    callers = [edge for edge in catalog.map.edges if edge.to == listed.key]
    return {
        "listed": listed, "info": listed.contract.info, "downloads": DOWNLOADS, "calls": calls, "callers": callers,
        "changes": catalog.changes_of(listed)[:3], "fields_used": _fields_used(listed),
    }  # fmt: skip


def operation_page(desk: Desk) -> Callable[[Catalog, Request], Mapping[str, Any]]:
    def make(catalog: Catalog, request: Request) -> Mapping[str, Any]:
        listed = listed_in(catalog, request)
        operation = listed.operations.get(request.path_params["operation"])
        if operation is None:
            raise NotFound(f"{listed.key} has no such operation for you")
        return {"listed": listed, "operation": operation, **_explained(operation, desk, everything=catalog.reader.everything)}

    return make


def schema_page(catalog: Catalog, request: Request) -> Mapping[str, Any]:
    listed, name = listed_in(catalog, request), request.path_params["schema"]
    if name not in listed.schemas:
        raise NotFound(f"{listed.key} has no schema {name} for you")
    node = listed.schemas[name]
    return {
        "listed": listed, "name": name, "schema": node, "fields": _fields(node), "rules": reference.rules(node),
        "example": _example(node), "values": node.get("enum") if isinstance(node.get("enum"), list) else [],
    }  # fmt: skip


def _explained(operation: Operation, desk: Desk, *, everything: bool) -> Mapping[str, Any]:
    made = reference.request(operation)
    in_force = desk.limits(operation.method.upper(), operation.path) if everything else {}
    calls = operation.node.get("x-trivium-calls") or []
    return {
        "request": made, "parameters": reference.parameters(operation), "bodies": reference.bodies(operation),
        "answers": reference.answers(operation), "limits": in_force or reference.limits(operation),
        "snippets": snippets(made, desk.url), "idempotent": operation.node.get("x-trivium-idempotency") == "required",
        "timeout": operation.node.get("x-trivium-timeout"), "calls": [_split(str(call)) for call in calls],
        "audience": str(operation.extension("audience", "")), "example_keys": _keyed(made),
    }  # fmt: skip


def _split(call: str) -> tuple[str, str]:
    api, _, operation = call.partition("#")
    return api, operation


def _keyed(made: reference.Request) -> dict[str, str]:
    """The headers that a reader may change before trying: all but the body's type."""
    return {name: value for name, value in made.headers.items() if name != "Content-Type"}


def _fields(node: Node) -> list[dict[str, Any]]:
    said = _followed(node)
    required = said.get("required") or []
    return [
        {
            "name": name, "required": name in required, "rules": reference.rules(inner), "schema": _schema_of(inner),
            "about": str(inner.get("description") or _followed(inner).get("description") or ""),
            "classification": str(_followed(inner).get("x-trivium-classification") or ""),
        }
        for name, inner in said.raw("properties").items()
    ]  # fmt: skip


def _schema_of(node: Node) -> str:
    """The name of the schema that it, its elements or its only alternative refer to."""
    choices = [choice for choice in node.raw("anyOf").elements() if choice.get("type") != "null"]
    for one in (node, node.raw("items"), *choices, *(choice.raw("items") for choice in choices)):
        if one.reference and "/schemas/" in one.reference:
            return one.reference.rpartition("/")[2]
    return ""


def _fields_used(listed: Listed) -> list[tuple[str, str, str, str]]:
    """Who uses what: application, team, operation, fields."""
    return [
        (one.name, one.team, use.operation, ", ".join(sorted(use.fields)) or "any")
        for one in listed.consumers
        for use in one.uses.get(listed.key, ())
    ]


def _example(node: Node) -> str:
    try:
        return json.dumps(example(node), indent=2, ensure_ascii=False)
    except Unresolved:
        return ""


def _followed(node: Node) -> Node:
    try:
        return node.followed()
    except Unresolved:
        return node
