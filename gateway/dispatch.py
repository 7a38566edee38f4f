"""The end of every chain: the API's own application in this process, or its upstream over HTTP. Chosen at start, by API."""

from collections.abc import Mapping
from time import perf_counter
from typing import Protocol

from starlette.types import ASGIApp, Message, Send

from gateway.answers import named, send_body, told
from gateway.contracts import BadContract
from gateway.deadline import Deadline
from gateway.pipeline import Call, Forward, Operation
from kernel.context import caller
from kernel.problem import MEDIA_TYPE, PlatformTimeout

_KEPT = frozenset({b"retry-after", b"www-authenticate", b"allow"})  # of an error whose body is replaced


class Target(Protocol):
    """Somewhere calls can be sent."""

    def forward(self, operation: Operation) -> Forward:
        """What ends the chain of this operation."""


class Dispatch:
    """Which API is served where, by its name in the contract, or by name and major (`process/orders/v2`)."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._targets = targets

    def forward(self, operation: Operation) -> Forward:
        """Raises BadContract for a promise that nobody keeps."""
        major = f"{operation.api}/v{operation.version.partition('.')[0]}"
        target = self._targets.get(major) or self._targets.get(operation.api)
        if target is None:
            served = ", ".join(sorted(self._targets)) or "none"
            raise BadContract(f"{operation.id} is promised by {operation.api}, which is not served here (served: {served})")
        return target.forward(operation)


class InProcess:
    """An ASGI application of this process; it finds the caller in scope["trivium.caller"]."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def forward(self, operation: Operation) -> Forward:
        app, seconds, api = self._app, operation.timeout, operation.api

        async def dispatch(call: Call) -> None:
            scope = call.scope
            if scope["method"] == "HEAD":
                scope = {**scope, "method": "GET"}
            scope["trivium.caller"] = call.caller
            scope["trivium.correlation"] = call.correlation_id
            scope["trivium.request"] = call.request_id
            scope.setdefault("state", {})
            token = caller.set(call.caller)
            started = perf_counter()
            try:
                with Deadline(seconds) as deadline:
                    answer = Answer(call.send, deadline, headless=scope is not call.scope)
                    await app(scope, call.receive, answer.send)
            except TimeoutError:
                if deadline.passed:
                    raise late(operation) from None
                raise
            finally:
                call.dispatched = perf_counter() - started
                caller.reset(token)
            if answer.error is not None:
                await send_body(call.send, answer.error, named(told(answer.error, api), call), answer.kept)

        return dispatch


def late(operation: Operation) -> PlatformTimeout:
    return PlatformTimeout(f"{operation.api} did not answer within {operation.timeout:g} s", system=operation.api)


class Answer:
    """Passes an application's answer on, but keeps back an error that is not a problem: the application may yet raise the real
    one, and frameworks answer 500 before they do. The deadline is that of the answer's beginning."""

    __slots__ = ("_deadline", "_headless", "_send", "error", "kept")

    def __init__(self, send: Send, deadline: Deadline, *, headless: bool) -> None:
        self._send, self._deadline, self._headless = send, deadline, headless
        self.error: int | None = None
        self.kept: list[tuple[bytes, bytes]] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] >= 400 and not is_problem(dict(message.get("headers", ()))):
                self.error = message["status"]
                self.kept = [header for header in message.get("headers", ()) if header[0] in _KEPT]
            else:
                self._deadline.lift()
        if self.error is not None:
            return
        if self._headless and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def is_problem(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-type", b"").startswith(MEDIA_TYPE.encode())
