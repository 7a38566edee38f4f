"""CORS: a browser's preflight is answered from the contract, and answers say whose pages may read them (Fetch, section 3.2).

An origin that is not granted gets no CORS header at all, so the browser refuses; the call is held to the same rules as ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from gateway.contracts import BadContract
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from kernel.sections.door import Cors

EXTENSION = "x-trivium-cors"
ORIGIN, ASKED_METHOD, ASKED_HEADERS = b"origin", b"access-control-request-method", b"access-control-request-headers"
EXPOSED = (
    "RateLimit, RateLimit-Policy, Retry-After, Location, Link, ETag, Deprecation, Sunset, WWW-Authenticate, X-Correlation-Id, "
    "X-Request-Id, Idempotency-Replayed"
)  # fmt: skip
USUAL_HEADERS = frozenset({"authorization", "content-type", "dpop", "traceparent", "x-correlation-id"})
CONDITIONAL = frozenset({"if-match", "if-none-match"})
MOUNT_METHODS = frozenset({"GET", "POST"})
_VARY = (b"vary", b"Origin")
_VARY_PREFLIGHT = (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Grant:
    """What one operation grants to browsers, its headers written out."""

    origins: frozenset[bytes]
    everybody: bool
    credentials: bool
    preflight: Headers

    @classmethod
    def of(cls, cors: Cors, operation: Operation) -> "Grant":
        names = USUAL_HEADERS | CONDITIONAL | operation.header_parameters.keys()
        said = [(b"access-control-allow-headers", ", ".join(sorted(names)).encode())]
        said.append((b"access-control-max-age", str(cors.max_age).encode()))
        origins = frozenset(origin.encode() for origin in cors.origins)
        return cls(origins - {b"*"}, b"*" in origins, cors.credentials, said)

    def answer(self, origin: bytes) -> Headers:
        """For an answer to this origin; nothing where it is not granted."""
        if origin not in self.origins:
            return [(b"access-control-allow-origin", b"*")] if self.everybody else []
        allowed: Headers = [(b"access-control-allow-origin", origin)]
        return [*allowed, (b"access-control-allow-credentials", b"true")] if self.credentials else allowed


def cors(estate: Cors) -> Factory:
    """`estate` holds wherever a contract has no x-trivium-cors of its own."""
    grants: dict[str, Grant | None] = {}  # by operation; preflights and 405s come through a chain of the door's own

    def build(operation: Operation) -> Policy | None:
        granted = _granted(operation, estate)
        grants[operation.id] = grant = Grant.of(granted, operation) if granted.origins else None
        if operation.layer == "door":
            return _aside(grants, mounted=operation.path != "/")
        return _answering(grant) if grant is not None else None

    return build


def _aside(grants: Mapping[str, Grant | None], *, mounted: bool) -> Policy:
    """For the chains of the door itself: what was asked for is in `call.operation`, as far as the door could tell."""

    async def policy(call: Call, forward: Forward) -> None:
        grant, headers = grants.get(call.operation.id), call.headers
        if grant is not None and ORIGIN in headers:
            method = headers.get(ASKED_METHOD)
            if call.scope["method"] != "OPTIONS" or method is None:
                _name_reader(call, grant)
            else:
                _preflight(call, grant, method)
                if mounted:  # it would not know what to say
                    await _no_content(call)
                    return
        await forward(call)

    return policy


def _answering(grant: Grant) -> Policy:
    async def policy(call: Call, forward: Forward) -> None:
        if ORIGIN in call.headers:
            _name_reader(call, grant)
        elif not grant.everybody:
            call.response_headers.append(_VARY)  # or a cache would give this answer to a page as well
        await forward(call)

    return policy


def _name_reader(call: Call, grant: Grant) -> None:
    headers = grant.answer(call.headers[ORIGIN])
    if headers:
        headers.append((b"access-control-expose-headers", EXPOSED.encode()))
    call.response_headers += headers if grant.everybody and not grant.origins else [*headers, _VARY]


def _preflight(call: Call, grant: Grant, method: bytes) -> None:
    """The asked method is promised if the door could name its operation; for a mount it is one of the usual two."""
    headers, operation = grant.answer(call.headers[ORIGIN]), call.operation
    asked = method.decode("latin-1")
    promised = asked in MOUNT_METHODS if operation.layer == "door" else asked in (operation.method, _also(operation))
    if headers and promised:
        call.response_headers += [*headers, (b"access-control-allow-methods", method), *grant.preflight]
    call.response_headers.append(_VARY_PREFLIGHT)


def _also(operation: Operation) -> str:
    return "HEAD" if operation.method == "GET" else operation.method


async def _no_content(call: Call) -> None:
    await call.send({"type": "http.response.start", "status": 204, "headers": []})
    await call.send({"type": "http.response.body", "body": b""})


def _granted(operation: Operation, estate: Cors) -> Cors:
    said: Any = operation.extensions.get(EXTENSION)
    if said is None:
        return estate
    if said is False:
        return Cors()
    try:
        return Cors.model_validate(said if isinstance(said, Mapping) else {"origins": said})
    except ValidationError as error:
        why = "; ".join(str(fault["msg"]) for fault in error.errors()[:3])
        raise BadContract(f"{operation.method} {operation.path}: {EXTENSION} cannot be used: {why}") from None
