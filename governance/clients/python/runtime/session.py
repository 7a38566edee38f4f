"""Calls are made here: one key and one correlation id a call, however often it is sent; answers checked, problems raised."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from .problems import BadAnswer, Unreachable, problem
from .tokens import TokenSource
from .waiting import Retries, may_repeat, retry_after

T = TypeVar("T")
JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"
NEXT = ("next", "next_cursor")


@dataclass(frozen=True)
class Endpoint(Generic[T]):
    """One operation. `raw`: its answer is taken as the bytes that come."""

    method: str
    path: str
    answer: TypeAdapter[T]
    keyed: bool = False
    raw: bool = False
    media: str = JSON


@dataclass(frozen=True)
class Given:
    """What a caller hands over; values that are None stay away."""

    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: BaseModel | bytes | None = None
    idempotency_key: str | None = None
    correlation_id: str | None = None


@dataclass(frozen=True)
class Session:
    """One connection to the estate. `sleep`, `now`, `dice`: time and chance, which tests own."""

    http: httpx.AsyncClient
    tokens: TokenSource | None = None
    retries: Retries = field(default_factory=Retries)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic
    dice: Callable[[], float] = random.random

    async def call(self, endpoint: Endpoint[T], given: Given) -> T:
        """Raises Problem, Unreachable, BadAnswer and TokenRefused."""
        return _read(endpoint, await self._insist(endpoint, self._request(endpoint, given)))

    async def pages(self, endpoint: Endpoint[T], given: Given) -> AsyncIterator[T]:
        """Every page, by the Link to the next or by its cursor."""
        request, seen = self._request(endpoint, given), set[str]()
        while True:
            response = await self._insist(endpoint, request)
            yield _read(endpoint, response)
            url = _next(response)
            if url is None:
                return
            if url in seen or not _same_origin(httpx.URL(url), response.request.url):
                raise BadAnswer(f"the next page of {endpoint.path} is one that was read, or elsewhere: {url}")
            seen.add(url)
            request = self.http.build_request(endpoint.method, url, headers=request.headers)

    def _request(self, endpoint: Endpoint[Any], given: Given) -> httpx.Request:
        path = endpoint.path
        for name, value in given.path.items():
            path = path.replace(f"{{{name}}}", _segment(name, value))
        headers = {name: _text(value) for name, value in given.headers.items() if value is not None}
        headers |= {"Accept": "*/*" if endpoint.raw else f"{JSON}, application/problem+json"}
        headers["X-Correlation-Id"] = given.correlation_id or uuid4().hex
        if endpoint.keyed:
            headers["Idempotency-Key"] = given.idempotency_key or str(uuid4())
        content = _content(endpoint, given.body)
        if content is not None:
            headers["Content-Type"] = endpoint.media
        query = {name: _query(value) for name, value in given.query.items() if value is not None}
        return self.http.build_request(endpoint.method, path, params=query, content=content, headers=headers)

    async def _insist(self, endpoint: Endpoint[Any], request: httpx.Request) -> httpx.Response:
        ends, attempt = self.now() + self.retries.within, 0
        while True:
            attempt += 1
            response, failure = await self._proven(request)
            if response is not None and response.is_success:
                return response
            status = response.status_code if response is not None else None
            told = retry_after(response.headers.get("Retry-After")) if response is not None else None
            pause = self.retries.pause(attempt, told, self.dice())
            if not may_repeat(status, endpoint.method, endpoint.keyed, told) or pause is None or self.now() + pause > ends:
                break
            await self.sleep(pause)
        if response is not None:
            raise problem(response)
        raise Unreachable(f"{request.method} {request.url.path} was not answered: {failure}") from failure

    async def _proven(self, request: httpx.Request) -> tuple[httpx.Response | None, Exception | None]:
        """Sent with a token; a refused token is replaced once, for nothing was done."""
        for again in (True, False):
            token = await self.tokens.token(self.http) if self.tokens else ""
            if token:
                request.headers["Authorization"] = f"Bearer {token}"
            try:
                response = await self.http.send(request)
            except httpx.TransportError as error:
                return None, error
            if not (again and response.status_code == 401 and self.tokens and self.tokens.refused(token)):
                break
        return response, None


def _content(endpoint: Endpoint[Any], body: BaseModel | bytes | None) -> bytes | None:
    if not isinstance(body, BaseModel):
        return body
    whole = endpoint.media == MERGE_PATCH  # where null says: take it away
    return body.model_dump_json(by_alias=True, exclude_none=not whole, exclude_unset=whole).encode()


def _read(endpoint: Endpoint[T], response: httpx.Response) -> T:
    try:
        if endpoint.raw or not response.content:
            return endpoint.answer.validate_python(response.content if endpoint.raw else None)
        return endpoint.answer.validate_json(response.content)
    except ValidationError as error:
        where = "; ".join(f"{'/'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
        raise BadAnswer(
            f"{endpoint.method} {endpoint.path} answered something else than its contract promises: {where}"
        ) from None


def _next(response: httpx.Response) -> str | None:
    linked = response.links.get("next", {}).get("url")
    if linked:
        return str(response.request.url.join(linked))
    body = response.json() if response.content else None
    cursor = next((body[name] for name in NEXT if body.get(name)), None) if isinstance(body, dict) else None
    return str(response.request.url.copy_set_param("cursor", cursor)) if isinstance(cursor, str) else None


def _same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _segment(name: str, value: Any) -> str:
    """A value never becomes another path. Raises ValueError for one that would."""
    text = _text(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{name} cannot be {text!r}")
    return quote(text, safe="")


def _query(value: Any) -> str | list[str]:
    return [_text(item) for item in value] if isinstance(value, Sequence) and not isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case list() | tuple():
            return ",".join(_text(item) for item in value)
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
