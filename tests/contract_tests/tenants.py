"""What a partner can ask for, generated from the contracts: every operation, with ids of its own, of another, or of nobody."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.contract_tests.contract_files import Promise, promises, sample

OPEN = ("partner", "public")
CRM_RECORD = {"connection", "id"}
Ids = Mapping[str, str]  # by the name of the parameter that takes it; "process/orders operation_id" where APIs differ


@dataclass(frozen=True)
class Request:
    """One request of the matrix: `about` is what it names."""

    method: str
    target: str
    body: Any
    about: tuple[str, ...]


def tenancy(promise: Promise) -> Mapping[str, Any] | None:
    """How the operation is bound to accounts; None where it is closed to partners."""
    audience = promise.said.get("x-trivium-audience", promise.document["info"]["x-trivium-audience"])
    said: Mapping[str, Any] | None = promise.said.get("x-trivium-tenancy")
    return said if audience in OPEN else None


def closed() -> list[Promise]:
    return [promise for promise in promises() if tenancy(promise) is None]


def bound(*how: str) -> list[Promise]:
    return [promise for promise in promises() if (tenancy(promise) or {}).get("bound") in how]


def names_something(promise: Promise) -> bool:
    """Whether a request names one object, by its path or in its body; the others are lists."""
    return bool(promise.parameters("path")) or any(True for _ in _records(promise.body))


def request(promise: Promise, ids: Ids) -> Request:
    """The request that keeps to the contract and names these ids. Raises KeyError for a parameter of which nobody knows an id."""
    path, about = promise.path, []
    for parameter in promise.parameters("path"):
        id = _id(promise, parameter["name"], ids)
        path = path.replace(f"{{{parameter['name']}}}", quote(id, safe=""))
        about += [id] if parameter["name"] != "connection" else []
    body = deepcopy(promise.body)
    for name, record in _records(body):
        record["connection"], record["id"] = ids["connection"], ids["account_id" if name == "account" else "quote_id"]
        about.append(record["id"])
    needed = {p["name"]: sample(p["schema"], promise.document) for p in promise.parameters("query") if p.get("required")}
    return Request(promise.method, f"{path}?{urlencode(needed)}" if needed else path, body, tuple(about))


def questions(promise: Promise, ids: Ids) -> Iterator[tuple[str, str]]:
    """Each optional query parameter that takes an id, with the target that asks for it."""
    for parameter in promise.parameters("query"):
        name = parameter["name"]
        if name in ids and not parameter.get("required"):
            yield name, f"{promise.path}?{urlencode({name: _id(promise, name, ids)})}"


def told(body: str, ids: Ids) -> str:
    """A body without the ids that were asked for and those that name the call: what is left must not tell two answers apart."""
    for id in sorted(ids.values(), key=len, reverse=True):
        body = body.replace(id, "…")
    return re.sub(r'"(correlation_id|instance)": ?"[^"]*"', "", body)


def _id(promise: Promise, name: str, ids: Ids) -> str:
    return ids.get(f"{promise.api} {name}") or ids[name]


def _records(value: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The CRM records that a body names, each with the member that holds it."""
    if isinstance(value, dict):
        if set(value) == CRM_RECORD:
            yield name, value
        for member, inner in value.items():
            yield from _records(inner, member)
    elif isinstance(value, list):
        for inner in value:
            yield from _records(inner, name)
