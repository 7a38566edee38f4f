"""What is called straight and what goes through FastAPI cannot be told apart, whatever schemathesis asks of any operation.

Both ways end in the same stand-in for each endpoint, which takes what the endpoint takes and answers what its contract promises:
the smallest answer, one with every member, a refusal, or a status and headers of its own.
"""

import functools
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, get_type_hints

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter, ValidationError
from schemathesis.python.asgi import shutdown_lifespans
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.compose import declared
from gateway.contracts import understood
from gateway.direct import Direct, compiled
from gateway.dispatch import Dispatch, InProcess, Target
from gateway.door import Door
from gateway.observe import AccessLog, Metrics
from gateway.policies.trace import Observation, trace
from gateway.policies.validation import validate_request
from kernel.problem import Conflict
from tests.contract_tests.contract_files import documents, open_view, resolved, sample
from tests.contract_tests.fuzzing import contract, run
from tests.gateway.conftest import Answer, ask

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")]
CORRELATION = "differential-0001"
SMALLEST, FULL, REFUSED, SPECIAL = range(4)
Endpoint = Callable[..., Awaitable[Any]]


class Stage:
    """How the next call is to end, and what each endpoint was handed, in the two ways' turns."""

    def __init__(self) -> None:
        self.ending = SMALLEST
        self.handed: list[str] = []

    def stand_in(self, endpoint: Endpoint, promised: Any, document: Mapping[str, Any]) -> Endpoint:
        """Takes what the endpoint takes."""
        answers = _answers(get_type_hints(endpoint)["return"], promised, document)
        responding = [
            name
            for name, hint in get_type_hints(endpoint).items()
            if name != "return" and inspect.isclass(hint) and issubclass(hint, Response)
        ]

        @functools.wraps(endpoint)
        async def stood_in(**arguments: Any) -> Any:
            told = [arguments.pop(name) for name in responding]
            self.handed.append(repr(sorted(arguments.items(), key=lambda item: item[0])))
            if self.ending == REFUSED:
                raise Conflict("not now", field="any", retry_after=3)
            if self.ending == SPECIAL and told:
                told[0].status_code = 203
                told[0].headers["Location"] = "/elsewhere"
                told[0].headers.append("Link", "</next>")
            return answers[FULL if self.ending == FULL else SMALLEST]

        return stood_in


def _answers(kind: Any, promised: Any, document: Mapping[str, Any]) -> tuple[Any, Any]:
    """The smallest answer that the contract promises and the endpoint may give, and one with everything in it."""
    if inspect.isclass(kind) and issubclass(kind, Response):
        empty = Response(status_code=204)
        return empty, empty
    adapter = TypeAdapter[Any](kind)
    smallest = adapter.validate_python(sample(promised, document))
    try:
        return smallest, adapter.validate_python(_full(promised, document))
    except (ValidationError, KeyError):  # rules over several members, and objects that are open
        return smallest, smallest


def _full(schema: Any, document: Mapping[str, Any], depth: int = 0) -> Any:
    """Every member, and two items in every list."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        return _full(next(part for part in schema["anyOf"] if part.get("type") != "null"), document, depth)
    if schema.get("type") == "array" and depth < 6:
        return [_full(schema["items"], document, depth + 1)] * 2
    if schema.get("type") == "object" and depth < 6:
        return {name: _full(member, document, depth + 1) for name, member in schema.get("properties", {}).items()}
    return sample(schema, document)


def _promised(said: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    good = next(resolved(what, document) for status, what in said["responses"].items() if str(status).startswith("2"))
    return good.get("content", {}).get("application/json", {}).get("schema")


class Differential:
    """Asks both ways the same, one after the other, and keeps what differs."""

    def __init__(self, place: str) -> None:
        self._document = documents()[place]
        self._stage = Stage()
        info = self._document["info"]
        self._operations, faults = understood(self._document, place)
        assert faults == []
        straight, plain = self._app(info), self._app(info)
        self._doors = self._door(info, Direct(straight)), self._door(info, InProcess(plain))
        routes = [route for route in straight.routes if isinstance(route, APIRoute)]
        self.straight = {route.path for route in routes if compiled(route) is not None}
        self._turns: Counter[tuple[str, str]] = Counter()
        self.asked: Counter[int] = Counter()
        self.differences: list[str] = []

    def _app(self, info: Mapping[str, Any]) -> FastAPI:
        api = next(api for api in declared() if api.id == info["x-trivium-api"])
        for route in api.app.routes:
            if isinstance(route, APIRoute) and route.path in self._document["paths"]:
                method = min(route.methods or ())
                said = self._document["paths"][route.path][method.lower()]
                route.endpoint = self._stage.stand_in(route.endpoint, _promised(said, self._document), self._document)
                route.dependant.call = route.endpoint
        return api.app

    def _door(self, info: Mapping[str, Any], target: Target) -> Door:
        observation = Observation(Metrics(CollectorRegistry()), AccessLog(lambda _: None, cap=0))
        return Door(
            self._operations, policies=[trace(observation), validate_request], dispatch=Dispatch({info["x-trivium-api"]: target})
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._compare(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _compare(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, target = await _whole(receive), scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += f"?{scope['query_string'].decode('latin-1')}"
        place = scope["method"], scope["path"].rpartition("/")[0]
        self._turns[place] += 1
        self._stage.ending = self._turns[place] % 4
        listed = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        headers = [*(pair for pair in listed if pair[0] != "x-correlation-id"), ("x-correlation-id", CORRELATION)]
        told = [await self._told(door, scope["method"], target, headers, body) for door in self._doors]
        self.asked[told[0][0].status] += 1
        if told[0][1:] != told[1][1:]:
            self.differences.append(f"{scope['method']} {target} {body!r}: {told[0][1:]} is not {told[1][1:]}"[:4000])
        await send({"type": "http.response.start", "status": told[1][0].status, "headers": _raw(told[1][0])})
        await send({"type": "http.response.body", "body": told[1][0].body})

    async def _told(self, door: Door, method: str, target: str, headers: Any, body: bytes) -> tuple[Answer, Any, Any, Any, Any]:
        """The answer; then all of it that must be the same, and what the endpoint was handed."""
        self._stage.handed.clear()
        answer = await ask(door, method, target, headers, [body] if body else [])
        own = answer.headers["x-request-id"]
        kept = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        return answer, answer.status, kept, answer.body.replace(own.encode(), b"-"), list(self._stage.handed)


async def _whole(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    more = True
    while more:
        message: Message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _raw(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    shutdown_lifespans()


@pytest.mark.parametrize("place", list(documents()))
def test_both_ways_answer_the_same(place: str) -> None:
    both = Differential(place)
    schema = contract(open_view(documents()[place]), {})
    schema.config.phases.stateful.enabled = False  # links lead nowhere here
    schema.app = both

    run(schema)

    assert both.differences == []
    assert both.straight  # or nothing was compared
    assert {200, 409} & both.asked.keys()
    assert sum(both.asked.values()) > 20
