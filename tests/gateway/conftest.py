"""A door around one contract and one small application, asked as a server would ask it."""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn
import yaml
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.contracts import load
from gateway.dispatch import Dispatch, InProcess, Target
from gateway.door import Door
from gateway.limits.limiter import Limiter
from gateway.observe import AccessLog, Metrics
from gateway.pages import Check, pages
from gateway.pipeline import Call, Caller, Factory, Forward, Operation, Policy
from gateway.policies import Means, policies
from gateway.policies.trace import Observation
from gateway.proxies import Proxies
from gateway.server import options

CALLER = Caller("acme", "acme", frozenset({"orders:read", "orders:write"}))
CONTRACT = """
openapi: 3.1.0
info: {title: Orders, version: 1.2.0, x-trivium-api: process/orders, x-trivium-layer: process, x-trivium-audience: internal}
paths:
  /process/orders/v1/orders:
    get:
      operationId: list_orders
      security: [{oauth2: [orders:read]}]
      x-trivium-limits: {default: [{policy: burst, quota: 100, window: 60}]}
      parameters:
      - {in: query, name: limit, schema: {type: integer, minimum: 1, maximum: 50}}
      - {in: query, name: state, schema: {type: array, items: {enum: [held, running]}}}
    post:
      operationId: submit_order
      security: [{oauth2: [orders:write]}]
      x-trivium-limits: {default: [{policy: burst, quota: 3, window: 60}], gold: [{policy: burst, quota: 5, window: 60}]}
      x-trivium-idempotency: required
      x-trivium-timeout: 5
      x-trivium-max-body: 2000
      parameters: [{in: header, name: Idempotency-Key, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/NewOrder'}}}}
  /process/orders/v1/orders/{order_id}:
    get:
      operationId: get_order
      security: [{oauth2: [orders:read]}]
      x-trivium-limits: {default: [{policy: burst, quota: 100, window: 60}]}
      parameters: [{in: path, name: order_id, required: true, schema: {type: string, maxLength: 20}}]
  /process/orders/v1/hello:
    get:
      operationId: say_hello
      security: []
      x-trivium-limits: {default: [{policy: burst, quota: 2, window: 60}]}
      x-trivium-timeout: 0.05
components:
  schemas:
    NewOrder:
      type: object
      required: [quote]
      additionalProperties: false
      properties: {quote: {type: string, maxLength: 8}, lines: {type: array, items: {$ref: '#/components/schemas/Line'}}}
    Line: {type: object, required: [sku], properties: {sku: {type: string}, quantity: {type: integer}}}
  securitySchemes:
    oauth2: {type: oauth2, flows: {clientCredentials: {tokenUrl: /oauth/token, scopes: {'orders:read': r, 'orders:write': w}}}}
"""


class FakeClock:
    """Time stands still until the test lets it pass."""

    def __init__(self) -> None:
        self._now, self._monotonic = datetime(2026, 3, 1, 12, 0, tzinfo=UTC), 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def pass_seconds(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Echo:
    """The application behind the door: answers with what reached it, or with what it is told to do."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []
        self.instead: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if self.instead is not None:
            await self.instead(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        content = json.dumps({"path": scope["path"]}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


async def ask(
    app: ASGIApp,
    method: str,
    target: str,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    chunks: Sequence[bytes] = (),
) -> Answer:
    """One request, its body in the given chunks; a Content-Length is announced for a body in one chunk."""
    listed = list(headers.items() if isinstance(headers, Mapping) else headers)
    named = {name.lower() for name, _ in listed}
    if len(chunks) == 1 and not named & {"content-length", "transfer-encoding"}:
        listed.append(("content-length", str(len(chunks[0]))))
    raw_path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": raw_path, "raw_path": raw_path.encode("latin-1"), "query_string": query.encode("latin-1"),
        "root_path": "", "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in listed],
        "client": ("192.0.2.7", 1234), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    waiting: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks] or [
        {"type": "http.request", "body": b"", "more_body": True}
    ]
    waiting[-1]["more_body"] = False
    sent: list[Message] = []

    async def receive() -> Message:
        if not waiting:  # as long as the caller stays there is nothing more to tell
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    head = sent[0]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(head["status"], {name.decode(): value.decode() for name, value in head["headers"]}, body)


@dataclass
class House:
    """A door with its parts within reach."""

    app: ASGIApp
    echo: Echo
    registry: CollectorRegistry
    lines: list[Mapping[str, Any]]
    log: AccessLog
    caller: Caller = CALLER

    async def ask(self, method: str, target: str, headers: Any = (), *chunks: bytes) -> Answer:
        return await ask(self.app, method, target, headers, chunks)

    async def submit(self, body: Any, **headers: str) -> Answer:
        given = {"content-type": "application/json", "idempotency-key": "order-0001", **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask("POST", "/process/orders/v1/orders", given, content)

    def count(self, operation: str, status: str) -> float:
        labels = {"operation": operation, "method": "GET", "status": status}
        return self.registry.get_sample_value("trivium_requests_total", labels) or 0.0


@pytest.fixture(autouse=True)
def _log_of_its_own() -> None:
    """A house that another test opened may have left the log writing to where nothing listens any more."""
    structlog.reset_defaults()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def build(tmp_path: Path, clock: FakeClock) -> Callable[..., House]:
    """Builds the house; a contract, targets, limiter or authentication of the test's own may replace the usual ones."""

    def make(
        contract: str = CONTRACT,
        *,
        targets: Mapping[str, Target] | None = None,
        limiter: Limiter | None = None,
        authenticate: Factory | None = None,
        checks: Mapping[str, Check] | None = None,
        mounts: Mapping[str, ASGIApp] | None = None,
        means: Mapping[str, Any] | None = None,
        proxies: Proxies | None = None,
        beside: Sequence[Operation] = (),
        target: Target | None = None,
        **observed: Any,
    ) -> House:
        (tmp_path / "v1.yaml").write_text(contract, encoding="utf-8")
        registry, lines, echo = CollectorRegistry(), list[Mapping[str, Any]](), Echo()
        metrics = Metrics(registry)
        log = AccessLog(lines.append, on_drop=metrics.dropped)
        house = House(echo, echo, registry, lines, log)
        house.app = Door(
            (*load(tmp_path), *beside),
            policies=policies(
                Means(
                    Observation(metrics, log, **observed),
                    authenticate or _as(house),
                    limiter or Limiter(clock=clock),
                    **(means or {}),
                )
            ),
            dispatch=target or Dispatch(targets or {"process/orders": InProcess(echo)}),
            pages=pages(checks or {}, registry),
            mounts=mounts,
            log=log,
            proxies=proxies,
        )
        return house

    return make


def _as(house: House) -> Factory:
    """Authentication that believes the test."""

    def factory(operation: Operation) -> Policy | None:
        if operation.public:
            return None

        async def policy(call: Call, forward: Forward) -> None:
            call.caller = house.caller
            await forward(call)

        return policy

    return factory


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    return build()


@pytest.fixture
def served() -> Iterator[Callable[[ASGIApp], int]]:
    """Serves applications on ephemeral ports, with the door's own server options, until the test ends."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def serve(app: ASGIApp) -> int:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # connections queue up while the server starts
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", **options()))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        running.append((server, thread))
        return int(listener.getsockname()[1])

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=5)


@pytest.fixture
def operation() -> Callable[..., Operation]:
    def make(**said: Any) -> Operation:
        usual: dict[str, Any] = {
            "id": "get_order", "api": "process/orders", "version": "1.0.0", "layer": "process", "method": "GET",
            "path": "/orders",
            "scopes": frozenset(), "public": False, "limits": {}, "idempotency": "none", "timeout": 5.0, "max_body": 1000,
            "audience": "internal", "path_parameters": {}, "query_parameters": {}, "required_query": frozenset(),
            "header_parameters": {}, "required_headers": frozenset(), "body_schema": None, "body_required": False,
            "body_media": (),
        }  # fmt: skip
        return Operation(**{**usual, **said})

    return make


@pytest.fixture
def contract() -> Callable[..., str]:
    """The usual contract as text, its parts changed by a function on the parsed document."""

    def change(how: Callable[[Any], object]) -> str:
        document = yaml.safe_load(CONTRACT)
        how(document)
        return yaml.safe_dump(document)

    return change


@contextmanager
def _connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        yield connection


@pytest.fixture
def raw() -> Callable[[int, bytes], bytes]:
    """Sends bytes as they are and reads until the server closes the connection."""

    def talk(port: int, sent: bytes) -> bytes:
        with _connection(port) as connection:
            connection.sendall(sent)
            received = b""
            while chunk := connection.recv(65_536):
                received += chunk
            return received

    return talk


Asking = Callable[..., Awaitable[Answer]]


@pytest.fixture
def asking() -> Asking:
    return ask
