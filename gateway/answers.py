"""A problem on the wire: RFC 9457 JSON with the correlation id, sent in two messages."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.types import Send

from gateway.pipeline import Call
from kernel.problem import (
    MEDIA_TYPE,
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    HeadTooLarge,
    Internal,
    Invalid,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PlatformTimeout,
    PreconditionFailed,
    Problem,
    TargetTooLong,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    instance,
)  # fmt: skip

_BY_STATUS: Mapping[int, type[Problem]] = {
    kind.status: kind
    for kind in (
        BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, Conflict, PreconditionFailed, TooLarge,
        UnsupportedMediaType, Invalid, TooManyRequests, Internal, Unavailable, PlatformTimeout, Gone, TargetTooLong, HeadTooLarge,
    )
}  # fmt: skip


async def send_problem(send: Send, problem: Problem, call: Call) -> None:
    headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in problem.response_headers().items()]
    await send_body(send, problem.status, named(problem.body(), call), headers, headless=call.scope["method"] == "HEAD")


def named(body: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """A problem document with the names under which this call can be asked about (RFC 9457 section 3.1.5)."""
    return {**body, "correlation_id": call.correlation_id, "instance": instance(call.request_id)}


async def send_body(
    send: Send, status: int, body: Mapping[str, Any], headers: list[tuple[bytes, bytes]], *, headless: bool = False
) -> None:
    """A problem document that may have any status; `headless`: its head alone, as HEAD is answered."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    own = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": b"" if headless else content})


def told(status: int, system: str) -> dict[str, Any]:
    """The problem document for an error that an upstream did not tell as a problem; its status stays what it was."""
    kind = _BY_STATUS.get(status) or (Internal if status >= 500 else BadRequest)
    return {**kind(f"{system} answered {status} without saying why", system=system).body(), "status": status}
