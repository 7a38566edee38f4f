"""An endpoint of our own is called straight: what it takes and answers is compiled from its signature at start.

Of a FastAPI call more than half is spent on finding the endpoint again and on working out its parameters; both are known here.
What is not that plain goes through the application: endpoints with dependencies, HEAD, calls that are traced, and every request
that does not validate, so that there is one wording of refusals.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from time import perf_counter
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs

from fastapi import FastAPI, params
from fastapi.routing import APIRoute
from opentelemetry import trace
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.responses import Response

from gateway import bodies
from gateway.deadline import Deadline
from gateway.dispatch import InProcess, late
from gateway.pipeline import Call, Forward, Operation
from kernel.context import caller

_JSON = (b"content-type", b"application/json")
_ABSENT: Any = object()
_SCALARS = frozenset({str, int, bool, date, datetime, Decimal, NoneType})
Text = Callable[[Call, Mapping[str, list[str]]], Any]  # the raw value of a parameter, or _ABSENT


class Direct:
    """An application made by `kernel.api`; the caller is in `kernel.context`.

    `traced`: spans are exported. A call that is sampled then goes through the application, whose instrumentation has its span.
    """

    def __init__(self, app: FastAPI, *, traced: bool = False) -> None:
        self._whole, self._traced = InProcess(app), traced
        routes = [route for route in app.routes if isinstance(route, APIRoute)]
        self._routes = {(method, route.path): route for route in routes for method in route.methods or ()}

    def forward(self, operation: Operation) -> Forward:
        whole = self._whole.forward(operation)
        route = self._routes.get((operation.method, operation.path))
        endpoint = compiled(route) if route is not None else None
        return whole if endpoint is None else _calling(operation, endpoint, whole, traced=self._traced)


def _calling(operation: Operation, endpoint: "Endpoint", whole: Forward, *, traced: bool) -> Forward:
    method, seconds, function, answer = operation.method, operation.timeout, endpoint.function, endpoint.answer

    async def dispatch(call: Call) -> None:
        arguments = None
        if call.scope["method"] == method and not (traced and trace.get_current_span().is_recording()):
            arguments = await endpoint.arguments(call)
        if arguments is None:
            await whole(call)
            return
        response = arguments.get(endpoint.response)
        token = caller.set(call.caller)
        started = perf_counter()
        try:
            with Deadline(seconds) as deadline:
                result = await function(**arguments)
        except TimeoutError:
            if deadline.passed:
                raise late(operation) from None
            raise
        finally:
            call.dispatched = perf_counter() - started
            caller.reset(token)
        await answer(call, result, response)

    return dispatch


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: where its text is, what it must be, and what it is when it is not given."""

    name: str
    text: Text
    parse: Callable[[Any], Any]
    default: Any


@dataclass(frozen=True)
class Endpoint:
    """One compiled endpoint. `response`: the argument through which it sets status and headers, "" if it takes none."""

    function: Callable[..., Awaitable[Any]]
    parameters: Sequence[Parameter]
    queried: bool
    body: tuple[str, Callable[[bytes], Any]] | None
    response: str
    status: int
    dump: Callable[[Any], bytes]

    async def arguments(self, call: Call) -> dict[str, Any] | None:
        """By name; None when one is missing or not what it must be."""
        body = b"" if self.body is None else await bodies.read(call)
        try:
            return self._arguments(call, body)
        except ValidationError:
            return None

    def _arguments(self, call: Call, body: bytes) -> dict[str, Any] | None:
        raw = call.scope["query_string"] if self.queried else b""
        query = parse_qs(raw.decode("ascii"), keep_blank_values=True) if raw else {}
        found: dict[str, Any] = {}
        for parameter in self.parameters:
            text = parameter.text(call, query)
            if text is not _ABSENT:
                found[parameter.name] = parameter.parse(text)
            elif parameter.default is not _ABSENT:
                found[parameter.name] = parameter.default
            else:
                return None
        if self.body is not None:
            name, parse = self.body
            found[name] = parse(body)
        if self.response:
            found[self.response] = response = Response()
            response.status_code = None  # type: ignore[assignment]  # as FastAPI has it: nothing said yet
        return found

    async def answer(self, call: Call, result: Any, response: Response | None) -> None:
        """The result on the wire, with what the endpoint said about status and headers."""
        if isinstance(result, Response):
            await result(call.scope, call.receive, call.send)
            return
        content = self.dump(result)
        status, headers = self.status, [_JSON, (b"content-length", str(len(content)).encode())]
        if response is not None:
            status = response.status_code or status
            headers += [header for header in response.raw_headers if header[0] != b"content-length"]
        await call.send({"type": "http.response.start", "status": status, "headers": headers})
        await call.send({"type": "http.response.body", "body": content})


def compiled(route: APIRoute) -> Endpoint | None:
    """The endpoint of a route; None where its signature says more than this can read."""
    hints = get_type_hints(route.endpoint, include_extras=True)
    signature = inspect.signature(route.endpoint).parameters
    answer = hints.pop("return", None)
    if (
        route.dependencies
        or not inspect.iscoroutinefunction(route.endpoint)
        or answer is None
        or hints.keys() != signature.keys()
    ):
        return None
    kinds = {name: _kind(name, hint, signature[name].default, route.path) for name, hint in hints.items()}
    by_kind = {kind: [name for name in kinds if kinds[name] == kind] for kind in kinds.values()}
    bodied, responding = by_kind.get("body", []), by_kind.get("response", [])
    if "" in by_kind or len(bodied) > 1 or len(responding) > 1:
        return None
    return Endpoint(
        function=route.endpoint,
        parameters=[
            _parameter(name, hints[name], kind, signature[name].default)
            for name, kind in kinds.items()
            if kind in ("path", "query", "header")
        ],
        queried="query" in by_kind,
        body=(bodied[0], TypeAdapter(hints[bodied[0]]).validate_json) if bodied else None,
        response=responding[0] if responding else "",
        status=route.status_code or 200,
        dump=_dump(answer, exclude_none=route.response_model_exclude_none),
    )


def _kind(name: str, hint: Any, default: Any, path: str) -> str:
    """Where FastAPI takes such a parameter from; "" where that is none of what is compiled here."""
    said = [part for part in get_args(hint)[1:] if isinstance(part, params.Param | params.Body | params.Depends)]
    if len(said) > 1 or isinstance(default, params.Param | params.Body | params.Depends):
        return ""
    match said:
        case [params.Path() | params.Query() | params.Header() as one] if one.default_factory is None:
            return str(one.in_.value)
        case [_]:
            return ""
    if f"{{{name}}}" in path:
        return "path"
    if isinstance(hint, type) and issubclass(hint, Response):
        return "response"
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return "body" if default is inspect.Parameter.empty else ""
    choices = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return "query" if all(_is_scalar(choice) for choice in choices) else ""


def _is_scalar(hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return all(isinstance(value, str) for value in get_args(hint))
    return hint in _SCALARS or (isinstance(hint, type) and issubclass(hint, Enum))


def _parameter(name: str, hint: Any, kind: str, default: Any) -> Parameter:
    said = next((part for part in get_args(hint)[1:] if isinstance(part, params.Param)), None)
    alias = (said and said.alias) or (name.replace("_", "-") if kind == "header" else name)
    absent = _ABSENT if default is inspect.Parameter.empty else default
    return Parameter(name, _text(kind, alias, many=_is_list(hint)), TypeAdapter(hint).validate_python, absent)


def _is_list(hint: Any) -> bool:
    return list in {get_origin(part) or part for part in (hint, get_args(hint)[0] if get_args(hint) else hint)}


def _text(kind: str, alias: str, *, many: bool) -> Text:
    header = alias.lower().encode("ascii")

    def in_path(call: Call, _: Mapping[str, list[str]]) -> Any:
        return call.path_params[alias]

    def in_query(_: Call, query: Mapping[str, list[str]]) -> Any:
        given = query.get(alias)
        return _ABSENT if given is None else given if many else given[-1]

    def in_header(call: Call, _: Mapping[str, list[str]]) -> Any:
        given = call.headers.get(header)
        return _ABSENT if given is None else given.decode("latin-1")

    return {"path": in_path, "query": in_query, "header": in_header}[kind]


def _dump(answer: Any, *, exclude_none: bool) -> Callable[[Any], bytes]:
    """The result as its declared type has it: an answer that breaks its promise is a mistake of ours, and raises."""
    adapter = TypeAdapter[Any](Any if isinstance(answer, type) and issubclass(answer, Response) else answer)
    validate, dump = adapter.validate_python, adapter.dump_json
    return lambda result: dump(validate(result), by_alias=True, exclude_none=exclude_none)
