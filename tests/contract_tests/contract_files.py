"""The contracts as the tests read them: from the YAML alone, never from the code that declares them."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema_rs
import yaml

ROOT = Path(__file__).parent.parent.parent / "contracts" / "openapi"
METHODS = ("get", "put", "post", "patch", "delete")
# Values of every shape our contracts ask for; the first that its schema accepts is the sample.
CANDIDATES = (
    "sample", "sample-key-0001", "SAMPLE", "US", "EUR", "12.30", "2026-06-15", "2026-06-15T12:00:00Z", "sample@example.com",
    "0" * 24, "1", "2xx", "api",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Promise:
    """One operation of one contract, with the document it stands in."""

    api: str  # "process/orders"
    method: str
    path: str
    said: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{self.api}: {self.said['operationId']}"

    @property
    def scopes(self) -> list[str]:
        return [scope for required in self.said["security"] for scopes in required.values() for scope in scopes]

    @property
    def keyed(self) -> bool:
        return self.said.get("x-trivium-idempotency") == "required"

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.said

    @property
    def body_schema(self) -> Mapping[str, Any]:
        schema: Mapping[str, Any] = self.said["requestBody"]["content"]["application/json"]["schema"]
        return schema

    def parameters(self, where: str) -> list[Mapping[str, Any]]:
        return [parameter for parameter in self.said.get("parameters", ()) if parameter["in"] == where]

    @cached_property
    def target(self) -> str:
        """Path and query of a request that keeps to the contract."""
        path = self.path
        for parameter in self.parameters("path"):
            value = str(sample(parameter["schema"], self.document))
            path = path.replace(f"{{{parameter['name']}}}", quote(value, safe=""))
        needed = [parameter for parameter in self.parameters("query") if parameter.get("required")]
        query = {parameter["name"]: sample(parameter["schema"], self.document) for parameter in needed}
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    def headers(self) -> dict[str, str]:
        """What a request needs beside its token."""
        key = {"Idempotency-Key": "sample-key-0001"} if self.keyed else {}
        return {**key, **({"Content-Type": "application/json"} if self.takes_body else {})}

    @cached_property
    def body(self) -> Any:
        return sample(self.body_schema, self.document) if self.takes_body else None

    @cached_property
    def largest_target(self) -> str:
        """The target with every query parameter at its longest."""
        path = self.target.partition("?")[0]
        query = {said["name"]: largest(said["schema"], self.document) for said in self.parameters("query")}
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    def answer(self, status: int) -> Mapping[str, Any] | None:
        """What the contract says of this status; None when it does not speak of it."""
        found = self.said["responses"].get(str(status))
        return None if found is None else resolved(found, self.document)


@cache
def documents() -> dict[str, dict[str, Any]]:
    """By place: "process/orders/v1"."""
    return {
        str(file.relative_to(ROOT).with_suffix("")): yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
        for file in sorted(ROOT.rglob("*.yaml"))
    }


@cache
def promises() -> list[Promise]:
    return [
        Promise(document["info"]["x-trivium-api"], method.upper(), path, said, document)
        for document in documents().values()
        for path, methods in document["paths"].items()
        for method, said in methods.items()
        if method in METHODS
    ]


@cache
def scopes() -> list[str]:
    return sorted({scope for promise in promises() for scope in promise.scopes})


def bearer_view(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same contract with a plain bearer scheme: schemathesis does not try oauth2 operations without their token."""
    return _secured(document, [{"token": []}])


def open_view(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same contract for an application that leaves it to its gateway who may call."""
    return _secured(document, [])


def _secured(document: Mapping[str, Any], security: list[Any]) -> dict[str, Any]:
    view: dict[str, Any] = deepcopy(dict(document))
    view["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for methods in view["paths"].values():
        for said in methods.values():
            said["security"] = security
    return view


def resolved(value: Any, document: Mapping[str, Any]) -> Any:
    """What a `$ref` into the document's components stands for."""
    while isinstance(value, dict) and "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def validator(schema: Mapping[str, Any], document: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """JSON Schema 2020-12, which OpenAPI 3.1 uses, with formats checked."""
    whole = {"allOf": [schema], "components": {"schemas": document["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def sample(schema: Any, document: Mapping[str, Any]) -> Any:
    """The smallest value that the schema accepts: required members only, the shortest arrays."""
    schema = resolved(schema, document)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return sample(next(part for part in schema[key] if part.get("type") != "null"), document)
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", ())), None))
    match schema.get("type"):
        case "object":
            return {name: sample(schema["properties"][name], document) for name in schema.get("required", ())}
        case "array":
            return [sample(schema["items"], document)] * schema.get("minItems", 0)
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            fits = validator(schema, document).is_valid
            return next(value for value in (*schema.get("examples", ()), *CANDIDATES) if fits(value))


def largest(schema: Any, document: Mapping[str, Any]) -> Any:
    """About the longest value that the schema accepts: every member, full arrays, texts as long as they may be."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        return largest(next(part for part in schema["anyOf"] if part.get("type") != "null"), document)
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: largest(member, document) for name, member in schema["properties"].items()}
        case "array":
            return [largest(schema["items"], document)] * schema["maxItems"]
        case "integer":
            return schema["maximum"]
        case "string" if "maxLength" in schema:
            fits = validator(schema, document).is_valid
            most = schema["maxLength"]
            longest = ("a" * most, "1" * 18 + "." + "1" * 12, f"{'a' * (most - 5)}@a.de")
            return next((value for value in longest if fits(value)), None) or sample(schema, document)
        case _:
            return sample(schema, document)


def objects(schema: Any, document: Mapping[str, Any], at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where in the sample of a schema there are closed objects: the paths to them."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        schema = resolved(next(part for part in schema["anyOf"] if part.get("type") != "null"), document)
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is False:
            yield at
        for name in schema.get("required", ()):
            yield from objects(schema["properties"][name], document, (*at, name))
    elif schema.get("type") == "array" and schema.get("minItems"):
        yield from objects(schema["items"], document, (*at, 0))


def matching(method: str, path: str) -> Promise | None:
    """The promise that a request is about; the one with the most plain segments when several fit."""
    found = [promise for promise in promises() if promise.method == method and _pattern(promise.path).fullmatch(path)]
    return min(found, key=lambda promise: promise.path.count("{"), default=None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template))
