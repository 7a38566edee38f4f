"""A port served by another process: a client made from the port and its contract, used exactly like the thing itself.

A method is the operation of its name. Its path and query parameters, its header `idempotency_key` and its body are found by
the contract; the answer is validated into the method's own return type, and a problem is raised as the class it was.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import httpx
from opentelemetry import propagate
from pydantic import BaseModel, TypeAdapter

from kernel.context import correlation_id
from kernel.http import path as fill
from kernel.http import send
from kernel.problem import Internal, NotFound, PlatformDown, Problem

P = TypeVar("P")
Headers = Callable[[frozenset[str]], Awaitable[Mapping[str, str]]]  # for an operation that asks for these scopes


class NotInContract(TypeError):
    """The port has a method that the contract does not promise, or cannot carry."""


@dataclass(frozen=True)
class _Endpoint:
    """One operation as a method calls it."""

    method: str
    template: str
    in_path: frozenset[str]
    in_query: frozenset[str]
    body: str | None
    keyed: bool
    answer: TypeAdapter[Any] | None
    optional: bool
    scopes: frozenset[str]


def remote(
    port: type[P],
    document: Mapping[str, Any],
    http: httpx.AsyncClient,
    headers: Headers,
    *,
    system: str,
    fixed: Mapping[str, str],
) -> P:
    """`headers`: proof of who calls, asked for per call; `fixed`: parameters that are the same in every call."""
    operations = {
        said["operationId"]: (method, template, said)
        for template, methods in document["paths"].items()
        for method, said in methods.items()
    }
    methods = {
        name: _method(_endpoint(port, name, operations, fixed), inspect.signature(function), http, headers, system, fixed)
        for name, function in vars(port).items()
        if not name.startswith("_") and callable(function)
    }
    return cast(P, SimpleNamespace(**methods))


def _endpoint(port: type[Any], name: str, operations: Mapping[str, Any], fixed: Mapping[str, str]) -> _Endpoint:
    if name not in operations:
        raise NotInContract(f"{port.__name__}.{name}: no contract promises an operation {name}")
    method, template, said = operations[name]
    hints = get_type_hints(getattr(port, name))
    returns = hints.pop("return")
    parameters = {p["name"]: p["in"] for p in said.get("parameters", ())}
    in_path = frozenset(n for n, where in parameters.items() if where == "path")
    in_query = frozenset(n for n, where in parameters.items() if where == "query")
    rest = set(hints) - in_path - in_query - {"idempotency_key"}
    if len(rest) > 1 or (rest and "requestBody" not in said) or not in_path <= {*hints, *fixed}:
        raise NotInContract(f"{port.__name__}.{name}: the contract has no place for {sorted(rest)} or asks for more")
    optional = get_origin(returns) in (Union, UnionType) and NoneType in get_args(returns)
    return _Endpoint(
        method.upper(), template, in_path, in_query, next(iter(rest), None), "idempotency_key" in hints,
        None if returns is NoneType else TypeAdapter(returns), optional, _scopes(said),
    )  # fmt: skip


def _scopes(said: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(scope for entry in said.get("security", ()) for scopes in entry.values() for scope in scopes)


def _method(
    at: _Endpoint, signature: inspect.Signature, http: httpx.AsyncClient, headers: Headers, system: str, fixed: Mapping[str, str]
) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(None, *args, **kwargs)
        given.apply_defaults()
        values = {**given.arguments, **fixed}
        url = fill(at.template, **{name: str(values[name]) for name in at.in_path})
        body = values[at.body] if at.body else None
        said = {"X-Correlation-Id": correlation_id.get() or "internal", **await headers(at.scopes)}
        propagate.inject(said)
        if at.keyed:
            said["Idempotency-Key"] = values["idempotency_key"]
        if body is not None:
            said["Content-Type"] = "application/json"
        content = body.model_dump_json(exclude_none=True) if isinstance(body, BaseModel) else None
        query = {n: _text(values[n]) for n in at.in_query if values.get(n) is not None}
        request = http.build_request(at.method, url, params=query, content=content, headers=said)
        response = await send(http, request, system=system)
        return _answer(at, response, system)

    return call


def _answer(at: _Endpoint, response: httpx.Response, system: str) -> Any:
    if response.is_success:
        return at.answer.validate_json(response.content) if at.answer and response.content else None
    problem = _problem(response, system)
    if at.optional and isinstance(problem, NotFound):
        return None
    raise problem


def _problem(response: httpx.Response, system: str) -> Problem:
    after = response.headers.get("Retry-After", "")
    try:
        return Problem.from_body(response.json(), int(after) if after.isdigit() else None)
    except (ValueError, AttributeError):
        kind = PlatformDown if response.status_code >= 500 else Internal
        return kind(f"{system} answered {response.status_code} without saying why", system=system)


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [str(item) for item in value]
    return str(getattr(value, "value", value))
