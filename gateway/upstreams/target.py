"""A call goes to an upstream over HTTP: body and answer pass through and are not kept, errors are told as problems."""

import json
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from gateway.answers import named, send_body, told
from gateway.deadline import Deadline
from gateway.dispatch import is_problem
from gateway.pipeline import Call, Forward, Operation
from gateway.upstreams.cluster import Cluster, Rules
from gateway.upstreams.connection import Headers
from gateway.upstreams.exchange import Exchange, Request
from gateway.upstreams.failures import CallerLeft, Failure
from gateway.upstreams.headers import Passing
from gateway.upstreams.lease import Lease
from gateway.upstreams.stream import stream, stream_events
from gateway.upstreams.tunnel import SOCKET, Tunnels
from gateway.upstreams.upload import Upload
from kernel.problem import BadPlatformAnswer, OutcomeUnknown
from kernel.sections.services import Connections, Ejection, Retries, WebSockets

LARGEST_ERROR = 65_536  # bytes of an upstream's error that are read
ERROR_WITHIN = 5.0  # seconds in which they arrive
SLASH = "x-trivium-upstream-slash"  # said of an operation whose path ends in a slash there, and not here
_BODILESS = frozenset({204, 304})
_REFUSED_US = frozenset({401, 407})
# Between our own processes: what an inner door refuses is not repeated, and one that starts anew is found again soon.
INNER = Rules(
    Retries(attempts=2, statuses=[]), Ejection(pause=0.5, longest_pause=5.0), Connections(most=1000), failing=frozenset()
)
Proof = Callable[[Call], Awaitable[Headers]]  # what we show there of who sends the call, and for whom


class Upstream:
    """What an API's calls are passed to.

    `proof`: headers that say who we are; `stall`: seconds in which some of the answer's body must arrive (event streams may be
    silent); `raw_errors`: errors pass as the upstream words them; `lease`: how long what stays open may stay.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        passing: Passing = Passing(),
        proof: Proof | None = None,
        keep_host: bool = False,
        stall: float = 60.0,
        raw_errors: bool = False,
        websockets: WebSockets | None = None,
        lease: Lease | None = None,
    ) -> None:
        self.cluster, self._passing, self._proof = cluster, passing, proof
        self._keep_host, self._stall, self._raw_errors = keep_host, stall, raw_errors
        self._lease = lease or Lease()
        self._tunnels = Tunnels(cluster, websockets, self._lease)

    def forward(self, operation: Operation) -> Forward:
        cluster, seconds, tunnels = self.cluster, operation.timeout, self._tunnels
        ending = "/" if operation.extensions.get(SLASH) else ""

        async def dispatch(call: Call) -> None:
            started = perf_counter()
            begun: Exchange | None = None
            try:
                request = await self._request(call, ending)
                if SOCKET in call.scope:
                    await tunnels.open(call, request, seconds)
                    return
                begun = await cluster.exchange(request, seconds)
                call.note("upstream", begun.endpoint.address.authority)
                await self._answer(call, begun)
            finally:
                call.dispatched = perf_counter() - started
                if begun is not None:
                    begun.end()

        return dispatch

    async def _request(self, call: Call, ending: str) -> Request:
        scope = call.scope
        target = scope["raw_path"][len(self._passing.prefix) :] + ending.encode() or b"/"
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        headers = self._passing.outgoing(call)
        if self._proof is not None:
            headers += await self._proof(call)
        request = Request(scope["method"], target, headers, call.headers.get(b"host") if self._keep_host else None)
        _give_body(call, request)
        return request

    async def _answer(self, call: Call, begun: Exchange) -> None:
        head, headers = begun.head, self._passing.incoming(begun.head, begun.endpoint.address)
        if head.status >= 400 and not self._raw_errors:
            await self._tell_error(call, begun, headers)
            return
        await call.send({"type": "http.response.start", "status": head.status, "headers": headers})
        if call.scope["method"] != "HEAD" and head.status not in _BODILESS:
            try:
                if dict(headers).get(b"content-type", b"").startswith(b"text/event-stream"):
                    await stream_events(call, begun, self._lease, stall=self._stall)
                else:
                    await stream(call, begun, stall=self._stall)
            except CallerLeft:
                return
            except (Failure, TimeoutError) as failure:  # the head is gone: all that is left is to break off as well
                self.cluster.failed(begun.endpoint)
                name = self.cluster.name
                raise OutcomeUnknown(f"{name} broke off in its answer ({type(failure).__name__})", system=name) from None
        await call.send({"type": "http.response.body", "body": b""})

    async def _tell_error(self, call: Call, begun: Exchange, headers: Headers) -> None:
        """The upstream's own problem document where it told one."""
        status, name = begun.head.status, self.cluster.name
        if status in _REFUSED_US and self._proof is not None:
            raise BadPlatformAnswer(f"{name} did not accept our credentials ({status})", system=name)
        body = await _error_body(begun, min(self._stall, ERROR_WITHIN))
        problem = _problem(body, dict(headers)) or told(status, name)
        rest = [header for header in headers if header[0] not in (b"content-type", b"content-length", b"content-encoding")]
        await send_body(call.send, status, named({**problem, "status": status}, call), rest)


def _give_body(call: Call, request: Request) -> None:
    length, chunked = call.headers.get(b"content-length"), b"transfer-encoding" in call.headers
    if call.body is not None:
        request.body = call.body
        if call.body or length is not None or chunked:
            request.headers.append((b"content-length", str(len(call.body)).encode()))
        return
    if length is not None:
        request.headers.append((b"content-length", length))
    elif chunked:
        request.headers.append((b"transfer-encoding", b"chunked"))
    if chunked or length not in (None, b"0"):
        request.upload = Upload(call.receive, framed=length is not None)
        request.hesitant = call.headers.get(b"expect", b"").lower() == b"100-continue"
        if request.hesitant:
            request.headers.append((b"expect", b"100-continue"))


async def _error_body(begun: Exchange, seconds: float) -> bytes:
    """b"" for one that is too large, too slow or broken off: the status still counts."""
    body = b""
    try:
        with Deadline(seconds):
            while chunk := await begun.read():
                body += chunk
                if len(body) > LARGEST_ERROR:
                    return b""
    except (Failure, TimeoutError):
        return b""
    return body


def _problem(body: bytes, headers: dict[bytes, bytes]) -> dict[str, Any] | None:
    if not is_problem(headers) or b"content-encoding" in headers:
        return None
    try:
        problem = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return problem if isinstance(problem, dict) else None
