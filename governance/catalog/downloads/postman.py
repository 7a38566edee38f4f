"""A Postman collection, format 2.1: a folder for each tag, a request for each operation, the token a variable."""

import json
from typing import Any

from governance.catalog.reference import parameters, request
from governance.contract import Contract, Operation

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def collection(contract: Contract, base: str) -> bytes:
    folders: dict[str, list[Any]] = {}
    for operation in contract.operations:
        folders.setdefault(next(iter(operation.tags), contract.api), []).append(_item(operation))
    info = {"name": f"{contract.info.get('title', contract.api)} {contract.version}", "schema": SCHEMA}
    said = {
        "info": {**info, "description": str(contract.info.get("description", ""))},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": "baseUrl", "value": base}, {"key": "token", "value": ""}],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }
    return json.dumps(said, indent=1, ensure_ascii=False).encode()


def _item(operation: Operation) -> dict[str, Any]:
    made = request(operation)
    wanted: dict[str, Any] = {
        "method": made.method,
        "header": [{"key": name, "value": value} for name, value in made.headers.items()],
        "url": _url(operation),
        "description": str(operation.node.get("description", "")),
    }
    if made.body:
        wanted["body"] = {"mode": "raw", "raw": made.body, "options": {"raw": {"language": "json"}}}
    if not made.token:
        wanted["auth"] = {"type": "noauth"}
    return {"name": operation.id, "request": wanted}


def _url(operation: Operation) -> dict[str, Any]:
    segments = [f":{part[1:-1]}" if part.startswith("{") else part for part in operation.path.strip("/").split("/")]
    said = parameters(operation)
    query = [
        {"key": one.name, "value": one.example, "disabled": not one.required, "description": one.about}
        for one in said if one.place == "query"
    ]  # fmt: skip
    variables = [{"key": one.name, "value": one.example, "description": one.about} for one in said if one.place == "path"]
    raw = "{{baseUrl}}/" + "/".join(segments)
    return {"raw": raw, "host": ["{{baseUrl}}"], "path": segments, "query": query, "variable": variables}
