"""The contract that an Api's code declares: FastAPI's document with the promises every operation shares written out."""

from copy import deepcopy
from typing import Any

from contracts.models.operation import ProblemBody
from kernel.api import SAFE, Api
from kernel.problem import MEDIA_TYPE, Problem

PROBLEM = {"$ref": "#/components/schemas/Problem"}
TEXT = {"type": "string", "minLength": 1, "maxLength": 2000}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Correlation-Id": {
        "description": "Name it when you ask about this call", "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    },
    "X-Request-Id": {
        "description": "Names this one request: ask for its receipt under it", "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    },
    "Contract-Digest": {"description": "Which promise was kept: the digest of the contract", "schema": TEXT},
    "RateLimit": {"description": 'What is left: "burst";r=50;t=30; absent while it cannot be known', "schema": TEXT},
    "RateLimit-Policy": {"description": 'What is granted: "burst";q=100;w=60', "required": True, "schema": TEXT},
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "What the token lacks (RFC 6750), and where to get one (RFC 9728)", "schema": TEXT},
    "ETag": {"description": "Names this state of it: for If-None-Match and If-Match", "schema": TEXT},
    "Cache-Status": {"description": "Whether it was kept from an earlier call (RFC 9211): trivium; hit; ttl=17", "schema": TEXT},
    "Age": {"description": "Seconds since it was fetched, where it was kept", "schema": {"type": "integer", "minimum": 0}},
    "Idempotency-Replayed": {"description": "true on the answer of an earlier call under the same key", "schema": TEXT},
    "Location": {"description": "Where to follow what was asked for", "required": True, "schema": TEXT},
    "Link": {"description": 'The following page, rel="next"; absent on the last one', "schema": TEXT},
}  # fmt: skip
NAMED = ("X-Correlation-Id", "X-Request-Id", "Contract-Digest")
RATE = ("RateLimit", "RateLimit-Policy")
REFUSAL_HEADERS = {401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",), 429: (*RATE, "Retry-After"), 503: ("Retry-After",)}
SUCCESS = {"200": "Done", "201": "Created", "202": "Accepted", "204": "Done; nothing to say"}
CLASSES = ("public", "internal", "confidential", "payment", "tax")
DROPPED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def document(api: Api) -> dict[str, Any]:
    """OpenAPI 3.1, complete: ready to be written as the contract, or compared with the one that is promised."""
    drawn = deepcopy(api.app.openapi())
    operations = {
        path: {method: _operation(method, said) for method, said in methods.items()} for path, methods in drawn["paths"].items()
    }
    schemas = {k: v for k, v in drawn.get("components", {}).get("schemas", {}).items() if k not in DROPPED_SCHEMAS}
    schemas["Problem"] = ProblemBody.model_json_schema()
    whole = {
        "openapi": "3.1.0",
        "info": {**_info(api), "x-trivium-classification": _highest_class(schemas)},
        "servers": [{"url": "/"}],
        "tags": [{"name": api.name, "description": api.description}],
        "paths": operations,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {name: said for name, said in _responses().items() if name in _used(operations)},
            "headers": {name: said for name, said in HEADERS.items() if name in _headers_used(operations)},
            "securitySchemes": {"oauth2": _security(api)},
        },
    }
    untitled: dict[str, Any] = _without_titles(whole)
    return untitled


def _info(api: Api) -> dict[str, Any]:
    return {
        "title": api.title,
        "version": api.version,
        "description": api.description,
        "contact": {"name": api.team},
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        "x-trivium-api": api.id,
        "x-trivium-layer": api.layer,
        "x-trivium-audience": api.audience,
        "x-trivium-owner": {"team": api.team, "on_call": api.team},
        "x-trivium-lifecycle": {"stage": "draft"},
    }


def _highest_class(schemas: Any) -> str:
    """Of all that is said of fields anywhere; what nothing is said of is for our own house."""
    found, waiting = {"internal"}, [schemas]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            said = node.get("x-trivium-classification")
            found |= {said} if isinstance(said, str) else set()
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return max(found, key=CLASSES.index)


def _security(api: Api) -> dict[str, Any]:
    return {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": dict(sorted(api.scopes.items()))}},
    }


def _operation(method: str, said: dict[str, Any]) -> dict[str, Any]:
    also, problems, headers, links = (said.pop(f"x-trivium-{name}") for name in ("also", "problems", "headers", "links"))
    success = {status: answer for status, answer in said["responses"].items() if int(status) < 400}
    first = next(iter(success.values()))
    for status, meaning in also.items():
        success[status] = {**first, "description": meaning}
    takes_body = "requestBody" in said
    refused = {*problems, 400, 413, *((415,) if takes_body else ())}
    for status, answer in success.items():
        if answer.get("description") == "Successful Response":
            answer["description"] = SUCCESS.get(status, "Done")
        answer["headers"] = _headers(*NAMED, *RATE, *_kept(method, said), *headers)
        if links:
            answer["links"] = {name: _link(name, parameter) for name, parameter in links.items()}
    if method.upper() in SAFE:
        said.pop("x-trivium-max-body", None)
    if method == "get":
        success["304"] = {"description": "It is what If-None-Match says", "headers": dict(first["headers"])}
    return {**said, "responses": {**success, **{str(status): _refusal(status) for status in sorted(refused)}}}


def _kept(method: str, said: dict[str, Any]) -> tuple[str, ...]:
    """The headers by which answers are recognised: read again, kept by the door, or given again."""
    read = ("ETag", *(("Cache-Status", "Age") if "x-trivium-cache" in said else ())) if method == "get" else ()
    return (*read, *(("Idempotency-Replayed",) if said["x-trivium-idempotency"] == "required" else ()))


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _link(operation: str, parameter: str) -> dict[str, Any]:
    """What was answered here can be asked for there, under its id."""
    return {"operationId": operation, "parameters": {parameter: "$response.body#/id"}}


def _headers_used(operations: dict[str, Any]) -> set[str]:
    answers = [answer for methods in operations.values() for said in methods.values() for answer in said["responses"].values()]
    refusals = {name for names in REFUSAL_HEADERS.values() for name in names}
    return refusals | {name for answer in answers for name in answer.get("headers", ())}


def _refusal(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/Problem{status}"}


def _used(operations: dict[str, Any]) -> set[str]:
    answers = (answer for methods in operations.values() for said in methods.values() for answer in said["responses"].values())
    return {answer["$ref"].rpartition("/")[2] for answer in answers if "$ref" in answer}


def _responses() -> dict[str, Any]:
    """One shared response per status a Problem can have; the first class in the tree gives its words."""
    titles: dict[int, str] = {}
    for kind in Problem.known.values():
        titles.setdefault(kind.status, kind.title)
    return {f"Problem{status}": _problem(status, title) for status, title in sorted(titles.items())}


def _problem(status: int, title: str) -> dict[str, Any]:
    headers = _headers(*NAMED, *REFUSAL_HEADERS.get(status, ()))
    return {"description": title, "headers": headers, "content": {MEDIA_TYPE: {"schema": PROBLEM}}}


def _without_titles(node: Any) -> Any:
    """Generated titles repeat the name of what they stand on; a property that is called title stays."""
    if isinstance(node, list):
        return [_without_titles(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema_like = "type" in node or "anyOf" in node or "$ref" in node or "enum" in node or "properties" in node
    return {k: _without_titles(v) for k, v in node.items() if not (k == "title" and schema_like and isinstance(v, str))}
