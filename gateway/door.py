"""The door: one ASGI application in which everything about a call except the call itself was decided at start."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import paths
from gateway.contracts import BadContract
from gateway.dispatch import Target
from gateway.ingress import IDENTITY, USUAL, Bounds, check_head, without_identity
from gateway.observe import AccessLog
from gateway.pipeline import Call, Factory, Forward, Operation, compose, names
from gateway.policies.cors import ASKED_METHOD
from gateway.proxies import Proxies
from gateway.routes import Place, Router
from gateway.upgrade import handshake
from gateway.upstreams.tunnel import SOCKET
from kernel.problem import MethodNotAllowed, NotFound, Problem

MOUNT_BODY = 65_536  # bytes
_ASIDE = Operation(
    id="unrouted", api="door", version="", layer="door", method="GET", path="/", scopes=frozenset(), public=True, limits={},
    idempotency="none", timeout=10.0, max_body=-1, audience="public", path_parameters={}, query_parameters={},
    required_query=frozenset(), header_parameters={}, required_headers=frozenset(), body_schema=None, body_required=False,
    body_media=(),
)  # fmt: skip
Lifespan = Callable[[], AbstractAsyncContextManager[None]]


class Door:
    """Contracts in, one application out. Raises BadContract when they cannot be enforced or are not served.

    `mounts`: applications that answer for themselves everything below their first path segment (`{"oauth": app}`); they get
    the policies that need no contract. `pages`: our own endpoints by path (health, metrics), named by the last segment.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        *,
        policies: Sequence[Factory],
        dispatch: Target,
        mounts: Mapping[str, ASGIApp] | None = None,
        pages: Mapping[str, ASGIApp] | None = None,
        log: AccessLog | None = None,
        lifespan: Lifespan | None = None,
        bounds: Bounds = USUAL,
        proxies: Proxies | None = None,
    ) -> None:
        routes = [(operation, compose(policies, operation, dispatch.forward(operation))) for operation in operations]
        taken = {operation.path.split("/")[1] for operation, _ in routes} & set(mounts or {})
        if taken:
            raise BadContract(f"/{', /'.join(sorted(taken))} is mounted and promised by a contract as well")
        self._router = Router([*routes, *_pages(pages or {}, policies)])
        self._mounts = {segment: _mounted(segment, app, policies) for segment, app in (mounts or {}).items()}
        self._refuse = compose(policies, _ASIDE, _raise)
        self._options = compose(policies, replace(_ASIDE, id="options"), _allow)
        self._log, self._lifespan = log, lifespan
        self.chains = {operation.id: names(forward) for operation, forward in routes} | {_ASIDE.id: names(self._refuse)}
        self._bounds, self._proxies = bounds, proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._answer(*handshake(scope, receive, send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope, receive, send, _ASIDE, {}, "")
        try:
            forward = self._route(call)
        except Problem as problem:
            scope["trivium.refusal"] = problem
            forward = self._refuse
        await forward(call)

    def _route(self, call: Call) -> Forward:
        scope = call.scope
        raw = scope.get("raw_path") or scope["path"].encode()
        check_head(scope["headers"], call.headers, len(raw) + len(scope["query_string"]), self._bounds)
        if self._proxies is not None:
            self._proxies.unmask(scope)
        if not IDENTITY.isdisjoint(call.headers):
            scope["headers"] = without_identity(scope["headers"])
            call.headers = dict(reversed(scope["headers"]))
        segments = paths.segments(raw)
        if b"%" in raw:
            raw, scope["path"] = paths.canonical(segments), "/" + "/".join(segments)
        scope["raw_path"] = raw
        place = self._router.find(segments)
        if place is None:
            mounted = self._mounts.get(segments[0]) if segments else None
            if mounted is None:
                raise NotFound("no contract promises anything at this path")
            return mounted
        return self._chosen(call, place, segments)

    def _chosen(self, call: Call, place: Place, segments: list[str]) -> Forward:
        method = call.scope["method"]
        route = place.methods.get(method)
        if SOCKET in call.scope and (route is None or not route.operation.extensions.get("x-trivium-websocket")):
            raise NotFound("no contract promises a WebSocket at this path")
        if route is not None:
            call.operation = route.operation
            call.path_params = route.values(segments)
            return route.forward
        asked = place.methods.get(call.headers.get(ASKED_METHOD, b"").decode("latin-1")) if method == "OPTIONS" else None
        call.operation = (asked or next(iter(place.methods.values()))).operation  # what policies go by; none of it is done
        call.response_headers.append((b"allow", place.allow.encode()))
        if method == "OPTIONS":
            return self._options
        raise MethodNotAllowed(f"{method} is not one of {place.allow}")

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                if self._log is not None:
                    self._log.start()
                    stack.callback(self._log.stop)
                if self._lifespan is not None:
                    await stack.enter_async_context(self._lifespan())
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _raise(call: Call) -> None:
    refusal: Problem = call.scope["trivium.refusal"]
    raise refusal


async def _allow(call: Call) -> None:
    await call.send({"type": "http.response.start", "status": 204, "headers": []})
    await call.send({"type": "http.response.body", "body": b""})


def _pages(pages: Mapping[str, ASGIApp], policies: Sequence[Factory]) -> list[tuple[Operation, Forward]]:
    quiet = {"x-trivium-access-log": False}
    own = [
        (replace(_ASIDE, id=path[1:].replace("/", "_"), path=path, max_body=MOUNT_BODY, extensions=quiet), app)
        for path, app in pages.items()
    ]
    return [(operation, compose(policies, operation, _plain(app))) for operation, app in own]


def _mounted(segment: str, app: ASGIApp, policies: Sequence[Factory]) -> Forward:
    operation = replace(_ASIDE, id=segment.strip(".").replace("-", "_"), path=f"/{segment}", max_body=MOUNT_BODY)
    return compose(policies, operation, _plain(app))


def _plain(app: ASGIApp) -> Forward:
    async def forward(call: Call) -> None:
        await app(call.scope, call.receive, call.send)

    return forward
