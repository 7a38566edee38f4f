"""Stripe's wire: authentication, form parameters, idempotency keys, expansion and the headers around every answer."""

import contextlib
import re
from collections.abc import Iterable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.stripe import errors, expand, form, parameters
from sandbox.stripe.account import VERSION, Account, Call
from sandbox.stripe.auth import authenticate
from sandbox.stripe.deliveries import Deliveries
from sandbox.stripe.idempotency import Answer, Keys
from sandbox.stripe.routing import Operation, Router
from sandbox.stripe.wire import Wire, encode

_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[a-z_]{1,40})?")
_FORM = "application/x-www-form-urlencoded"


class Application:
    """The ASGI application. Between reading a request and having its answer nothing awaits, so requests are atomic."""

    def __init__(self, account: Account, operations: Iterable[Operation], deliveries: Deliveries) -> None:
        self.account, self.deliveries = account, deliveries
        self.router = Router(operations)
        self.keys = Keys()

    def clear(self) -> None:
        self.keys = Keys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            with contextlib.suppress(ClientDisconnect):  # gone before the request was complete: nothing was done
                response = await self._respond(Request(scope, receive))
                await response(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await self.deliveries.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, request: Request) -> Response:
        request_id = self.account.new_id("req")
        headers, key = headers_for(request, request_id), _key(request)
        try:
            self._admit(request)
            answer = await (self._under_key(request, request_id, key) if key else self._once(request, request_id))
        except errors.Refused as refusal:
            return refused(refusal, request_id, headers)
        if answer.request_id != request_id:
            headers |= {"idempotent-replayed": "true", "original-request": answer.request_id}
        return Response(answer.body, answer.status, headers, "application/json")

    def _admit(self, request: Request) -> None:
        authenticate(request.headers.get("authorization"))
        version = request.headers.get("stripe-version")
        if version is not None and not _VERSION.fullmatch(version):
            raise errors.invalid(f"Invalid Stripe API version: {version}")

    async def _once(self, request: Request, request_id: str) -> Answer:
        operation, path = self._operation(request)
        tree = await _tree(request)
        return self._execute(operation, path, tree, request_id, None)

    async def _under_key(self, request: Request, request_id: str, key: str) -> Answer:
        operation, path = self._operation(request)
        url: str = request.scope["path"]
        self.keys.begin(key)
        try:
            tree = await _tree(request)
            kept = self.keys.replay(key, url, tree, self.account.clock())
            if kept is not None:
                return kept
            try:
                answer = self._execute(operation, path, tree, request_id, key)
            except errors.Refused as refusal:
                if not refusal.began:
                    raise
                answer = Answer(refusal.status, encode(refusal.body(request_id)), request_id)
            self.keys.keep(key, url, tree, answer, self.account.clock())
            return answer
        finally:
            self.keys.end(key)

    def _operation(self, request: Request) -> tuple[Operation, dict[str, str]]:
        path: str = request.scope["path"]  # as decoded; Request.url would cut it at an escaped question mark
        found = self.router.find(request.method, path)
        if found is None:
            raise errors.unrecognized_url(request.method, path)
        return found

    def _execute(self, operation: Operation, path: dict[str, str], tree: form.Tree, request_id: str, key: str | None) -> Answer:
        account = self.account
        account.catch_up()
        params: dict[str, Any] = parameters.read(tree, operation.shape)
        paths = params.pop("expand", [])
        expand.check(paths)
        account.origin = {"id": request_id, "idempotency_key": key}
        try:
            body = operation.handler(Call(account, path, params))
            return Answer(200, encode(_expanded(account, body, paths)), request_id)
        finally:
            account.origin = {"id": None, "idempotency_key": None}


def _expanded(account: Account, body: Wire, paths: list[str]) -> Wire:
    try:
        return expand.expanded(account, body, paths)
    except errors.Refused as refusal:
        refusal.began = True  # only the answer cannot be given; what was asked for is done
        raise


def headers_for(request: Request, request_id: str) -> dict[str, str]:
    """What every answer carries: the request's id, the version and, of a POST, the idempotency key."""
    headers = {"request-id": request_id, "stripe-version": request.headers.get("stripe-version", VERSION)}
    key = _key(request)
    return headers | {"idempotency-key": key} if key else headers


def refused(refusal: errors.Refused, request_id: str, headers: dict[str, str]) -> Response:
    return Response(encode(refusal.body(request_id)), refusal.status, headers | refusal.headers, "application/json")


def _key(request: Request) -> str | None:
    """The idempotency key, which only means something on a POST."""
    return request.headers.get("idempotency-key") or None if request.method == "POST" else None


async def _tree(request: Request) -> form.Tree:
    """The parameters of a request, from its query and its form body."""
    query: str = request.scope["query_string"].decode("latin-1")
    if request.method == "GET":
        return form.decode(query)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > form.MAX_BODY:
            raise form.too_large()
    if raw and not request.headers.get("content-type", _FORM).startswith(_FORM):
        raise errors.invalid(f"Invalid request (check that your POST content type is {_FORM}).")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise errors.invalid("Invalid UTF-8 in request body") from None
    return form.decode("&".join(part for part in (query, text) if part))


class RememberedFailure(Response):
    """A 500 that execution began with: under an idempotency key it is what every repetition gets."""

    def __init__(self, application: Application, request: Request) -> None:
        super().__init__(status_code=500)
        self.application, self.request = application, request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        application, key = self.application, _key(self.request)
        request_id = application.account.new_id("req")
        failure, headers = errors.server_error(), headers_for(self.request, request_id)
        if key:
            with contextlib.suppress(errors.Refused):  # parameters that cannot even be read are no execution
                tree = await _tree(Request(scope, receive))
                answer = Answer(failure.status, encode(failure.body(request_id)), request_id)
                application.keys.keep(key, scope["path"], tree, answer, application.account.clock())
        await refused(failure, request_id, headers)(scope, receive, send)
