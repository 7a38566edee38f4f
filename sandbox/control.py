"""The control endpoint of an imitation, under /__sandbox__: faults, certificates, reset, what was asked and what is there.

POST   /__sandbox__/faults        {"kind", "method", "path", "count", "probability", "seconds"} switches a fault on
GET    /__sandbox__/faults        those switched on; DELETE clears them
POST   /__sandbox__/reset         back to the seeded world
POST   /__sandbox__/certificates  {"kid", "public_key": PEM, "client_id"} trusts a key for signed assertions
GET    /__sandbox__/requests      the last requests: method, path, status and headers without credentials
GET    /__sandbox__/records/{kind} the stored records of one kind, as the imitation keeps them
"""

from collections import deque
from dataclasses import asdict, fields
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import KINDS, Fault, Faults, FaultyPlatform

REMEMBERED = 10_000
CREDENTIALS = frozenset({"authorization", "cookie"})


class Imitation(Protocol):
    """What every vendor's imitation offers beside its wire."""

    name: str
    app: ASGIApp
    faults: Faults
    certificates: dict[str, str]  # key id -> public key, PEM

    def reset(self) -> None:
        """Back to the seeded world, faults and tokens forgotten."""

    def records(self, kind: str) -> list[dict[str, Any]] | None:
        """The stored records of one kind in the vendor's words; None for a kind it does not keep."""

    def refusal(self, kind: Any, request: Request) -> Response | None:
        """The vendor's own error for a fault."""


class Recorder:
    """ASGI wrapper that remembers what was asked, without credentials or bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/__sandbox__"):
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        entry: dict[str, Any] = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "headers": {k: v for k, v in headers.items() if k not in CREDENTIALS},
            "status": None,
        }
        self.seen.append(entry)

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        await self.app(scope, receive, watch)


def platform(imitation: Imitation) -> ASGIApp:
    """The whole of one imitation as an application: wire, faults and control."""
    recorder = Recorder(imitation.app)
    faulty = FaultyPlatform(recorder, imitation.faults, imitation.refusal)
    control = {(r.path, m): r for r in _routes(imitation, recorder) for m in r.methods or ()}

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await imitation.app(scope, receive, send)
        elif scope["path"].startswith("/__sandbox__/"):
            await _control(control, scope, receive, send)
        else:
            await faulty(scope, receive, send)

    return serve


async def _control(routes: dict[tuple[str, str], Route], scope: Scope, receive: Receive, send: Send) -> None:
    path, kind = scope["path"], None
    if path.startswith("/__sandbox__/records/"):
        path, kind = "/__sandbox__/records/{kind}", path.rsplit("/", 1)[1]
    route = routes.get((path, scope["method"]))
    request = Request(scope, receive)
    if kind is not None:
        scope["path_params"] = {"kind": kind}
    response = await route.endpoint(request) if route else JSONResponse({"error": "no such control endpoint"}, 404)
    await response(scope, receive, send)


def _routes(imitation: Imitation, recorder: Recorder) -> list[Route]:
    async def add_fault(request: Request) -> Response:
        body = await request.json()
        known = {f.name for f in fields(Fault)}
        if body.get("kind") not in KINDS or set(body) - known:
            return JSONResponse({"error": f"a fault has {sorted(known)}; kind is one of {sorted(KINDS)}"}, 400)
        imitation.faults.add(Fault(**body))
        return JSONResponse(body, 201)

    async def list_faults(request: Request) -> Response:
        return JSONResponse([asdict(f) for f in imitation.faults.active])

    async def clear_faults(request: Request) -> Response:
        imitation.faults.clear()
        return Response(status_code=204)

    async def reset(request: Request) -> Response:
        imitation.reset()
        recorder.seen.clear()
        return Response(status_code=204)

    async def trust(request: Request) -> Response:
        body = await request.json()
        imitation.certificates[body["kid"]] = body["public_key"]
        return Response(status_code=204)

    async def requests(request: Request) -> Response:
        return JSONResponse(list(recorder.seen))

    async def records(request: Request) -> Response:
        found = imitation.records(request.path_params["kind"])
        return JSONResponse({"error": "no such kind"}, 404) if found is None else JSONResponse(found)

    base = "/__sandbox__"
    return [
        Route(f"{base}/faults", add_fault, methods=["POST"]),
        Route(f"{base}/faults", list_faults, methods=["GET"]),
        Route(f"{base}/faults", clear_faults, methods=["DELETE"]),
        Route(f"{base}/reset", reset, methods=["POST"]),
        Route(f"{base}/certificates", trust, methods=["POST"]),
        Route(f"{base}/requests", requests, methods=["GET"]),
        Route(f"{base}/records/{{kind}}", records, methods=["GET"]),
    ]
