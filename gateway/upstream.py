"""A call goes to an upstream over HTTP with our own proof of who sends it: nothing that names a caller passes from outside."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from gateway.answers import send_body, told
from gateway.deadline import Deadline
from gateway.dispatch import is_problem, late
from gateway.ingress import without_identity
from gateway.oauth.forwarded import HEADER, caller_header
from gateway.pipeline import Call, Forward, Operation
from kernel.http import not_sent
from kernel.problem import OutcomeUnknown, PlatformDown

LARGEST_ERROR = 65_536  # bytes of an upstream's error that are read
Token = Callable[[], Awaitable[str]]
Headers = list[tuple[bytes, bytes]]

# RFC 9110 section 7.6.1, and what is ours to say anew.
_HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
        b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
_OURS = frozenset({b"host", b"authorization", b"dpop", b"expect", b"x-correlation-id", b"forwarded"})
# The client library would add its own for these three, and an encoding nobody asked for would reach the caller.
_ABSENT = {b"accept": b"*/*", b"accept-encoding": b"identity", b"user-agent": b"trivium"}


class Upstream:
    """One base URL, which the contract's full paths are appended to. `token`: the bearer token we show there."""

    def __init__(self, base_url: str, http: httpx.AsyncClient, *, token: Token | None = None) -> None:
        self._base, self._http, self._token = base_url.rstrip("/"), http, token

    def forward(self, operation: Operation) -> Forward:
        async def dispatch(call: Call) -> None:
            response: httpx.Response | None = None
            try:
                with Deadline(operation.timeout):
                    response = await self._sent(call, operation)
                    error = await _error(response, operation.api)
                await _pass_on(call, response, error)
            except TimeoutError:
                raise late(operation) from None
            finally:
                if response is not None:
                    await response.aclose()

        return dispatch

    async def _sent(self, call: Call, operation: Operation) -> httpx.Response:
        request = await self._request(call, operation.timeout)
        try:
            return await self._http.send(request, stream=True)
        except httpx.TransportError as error:
            if not_sent(error):
                raise PlatformDown(f"{operation.api} cannot be reached", system=operation.api) from None
            if isinstance(error.__cause__, TimeoutError):
                raise late(operation) from None
            raise OutcomeUnknown(f"{operation.api} broke off ({type(error).__name__})", system=operation.api) from None

    async def _request(self, call: Call, seconds: float) -> httpx.Request:
        scope = call.scope
        query = scope["query_string"]
        url = self._base + scope["raw_path"].decode("ascii") + ("?" + query.decode("ascii") if query else "")
        headers = _outgoing(scope["headers"])
        headers += [(b"x-correlation-id", call.correlation_id.encode()), (HEADER, caller_header(call.caller))]
        if self._token is not None:
            headers.append((b"authorization", b"Bearer " + (await self._token()).encode()))
        timeout = httpx.Timeout(seconds).as_dict()
        return httpx.Request(scope["method"], url, headers=headers, content=_content(call), extensions={"timeout": timeout})


def _outgoing(headers: Headers) -> Headers:
    kept = [header for header in without_identity(_end_to_end(headers)) if header[0] not in _OURS and not _forwarded(header[0])]
    names = {name for name, _ in kept}
    return [*kept, *((name, value) for name, value in _ABSENT.items() if name not in names)]


def _forwarded(name: bytes) -> bool:
    return name.replace(b"_", b"-").startswith((b"x-forwarded-", b"x-trivium-"))


def _end_to_end(headers: Headers) -> Headers:
    """Without the hop-by-hop headers, and without those that Connection names."""
    named = {part.strip().lower() for name, value in headers if name == b"connection" for part in value.split(b",")}
    return [header for header in headers if header[0] not in _HOP_BY_HOP and header[0] not in named]


def _content(call: Call) -> bytes | AsyncIterator[bytes] | None:
    if call.body is not None:
        return call.body
    if call.headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in call.headers:
        return _received(call)
    return None


async def _received(call: Call) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await call.receive()
        if message["type"] != "http.request":
            raise OutcomeUnknown("the caller left in the middle of the body")
        if message.get("body"):
            yield message["body"]
        more = message.get("more_body", False)


async def _error(response: httpx.Response, system: str) -> dict[str, Any] | None:
    """The problem document for an error: the upstream's own where it told one."""
    if response.status_code < 400:
        return None
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LARGEST_ERROR:
            return told(response.status_code, system)
    if is_problem(dict(_lowered(response))) and "content-encoding" not in response.headers:
        try:
            problem = json.loads(body)
        except ValueError:
            return told(response.status_code, system)
        if isinstance(problem, dict):
            return problem
    return told(response.status_code, system)


async def _pass_on(call: Call, response: httpx.Response, error: dict[str, Any] | None) -> None:
    headers = _end_to_end(_lowered(response))
    if error is not None:
        rest = [header for header in headers if header[0] not in (b"content-type", b"content-length", b"content-encoding")]
        await send_body(call.send, response.status_code, {**error, "correlation_id": call.correlation_id}, rest)
        return
    await call.send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    if call.scope["method"] != "HEAD":
        async for chunk in response.aiter_raw():
            await call.send({"type": "http.response.body", "body": chunk, "more_body": True})
    await call.send({"type": "http.response.body", "body": b""})


def _lowered(response: httpx.Response) -> Headers:
    return [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in (b"server", b"date")]
