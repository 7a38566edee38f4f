"""Trace: every call has a name before anything can go wrong with it, and every answer, refusals and crashes too, carries it."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import perf_counter

import structlog
from starlette.types import Message, Send

from gateway.answers import send_problem
from gateway.decisions.trail import NOTHING, Decided, Keep, Trail, decided_by
from gateway.observe import AccessLog, Metrics, Record
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from kernel.context import correlation_id
from kernel.problem import Internal, Problem

CORRELATION, REQUEST = b"x-correlation-id", b"x-request-id"
TRACEPARENT = b"traceparent"
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
NO_STORING = (b"cache-control", b"no-store")  # what an application does not say can be cached is not
ADDITIVE = frozenset({b"link", b"vary", b"set-cookie", b"www-authenticate"})  # ours stand beside the upstream's
_WELL_FORMED = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{7,127}")
_W3C = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")  # W3C Trace Context section 3.2.2

Headers = list[tuple[bytes, bytes]]
Span = Callable[[Operation, str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Observation:
    """Where calls are recorded. `span` opens the door's own span for the sampled share of calls, given their traceparent;
    `decisions` keeps what decided a call, for receipts."""

    metrics: Metrics
    log: AccessLog
    span: Span | None = None
    ratio: float = 0.0  # of the calls that come without a sampling decision
    decisions: Keep | None = None


def trace(observation: Observation) -> Factory:
    """Outermost: it also puts on every answer the headers that policies and this house want there."""
    measure, log, span, ratio = observation.metrics.add, observation.log.add, observation.span, observation.ratio
    decisions = observation.decisions

    def build(operation: Operation) -> Policy:
        name, logged = operation.id, operation.extensions.get("x-trivium-access-log") is not False
        keep = decisions if logged else None

        async def policy(call: Call, forward: Forward) -> None:
            started = perf_counter()
            traceparent, sampled = _name(call, ratio)
            answer = _Answer(call.send, call.correlation_id.encode(), call.request_id.encode(), call.response_headers)
            call.send = answer.send
            token = correlation_id.set(call.correlation_id)
            try:
                if sampled and span:
                    with span(operation, traceparent):
                        await _answered(call, forward, answer)
                else:
                    await _answered(call, forward, answer)
            finally:
                correlation_id.reset(token)
                seconds = perf_counter() - started
                scope, client, correlation = call.scope, call.caller.client, call.correlation_id
                method, path, status = scope["method"], scope["path"], answer.status
                partner = call.caller.partner
                record = Record(name, method, path, status, seconds, client, correlation, traceparent, call.request_id, partner)
                measure(record)
                if logged:
                    log(record)
                if keep is not None and keep.wants(status):
                    keep.add(Trail.of(record, call, answer.named, answer.refusal))

        return policy

    return build


def _name(call: Call, ratio: float) -> tuple[str, bool]:
    """Settles the correlation id and the trace context for all that follows; answers traceparent and whether it is sampled."""
    fresh = f"{random.getrandbits(192):048x}"  # unique, not secret; the module reseeds itself in a forked process
    trace_id, flags = fresh[:32], ""
    call.request_id = fresh[24:]
    headers: Headers = call.scope["headers"]
    incoming = call.headers.get(TRACEPARENT)
    if incoming is not None:
        headers = [header for header in headers if header[0] != TRACEPARENT]
        found = _W3C.fullmatch(incoming)
        if found:
            trace_id, flags = found[1].decode(), found[2].decode()
    if not flags:
        flags = "01" if ratio and random.random() < ratio else "00"
    given = call.headers.get(CORRELATION)
    call.correlation_id = given.decode() if given is not None and _WELL_FORMED.fullmatch(given) else trace_id
    traceparent = f"00-{trace_id}-{fresh[32:]}-{flags}"
    call.scope["headers"] = [*headers, (TRACEPARENT, traceparent.encode())]
    return traceparent, bool(int(flags, 16) & 1)


async def _answered(call: Call, forward: Forward, answer: "_Answer") -> None:
    try:
        await forward(call)
    except Problem as problem:
        answer.refusal = decided_by(problem)
        if answer.status:  # too late to say so: the server breaks the connection off, which the caller notices
            raise
        await send_problem(answer.send, problem, call)
    except Exception as error:
        answer.refusal = decided_by(error)
        structlog.get_logger("gateway").exception("unexpected", operation=call.operation.id, correlation_id=call.correlation_id)
        if answer.status:
            raise
        await send_problem(answer.send, Internal("this was not expected; see the correlation id"), call)


class _Answer:
    """The way out: remembers the status and completes the head of the answer.

    It must not know the call, which knows it: that circle would keep every request until the collector comes by.
    """

    __slots__ = ("_correlation", "_ours", "_request", "_send", "named", "refusal", "status")

    def __init__(self, send: Send, correlation: bytes, request: bytes, ours: Headers) -> None:
        self._send, self._correlation, self._request, self._ours, self.status = send, correlation, request, ours, 0
        self.named: Mapping[bytes, bytes] = NOTHING  # the headers of the answer as whoever gave it had them
        self.refusal: Decided | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._headers(message.get("headers", ()))}
        await self._send(message)

    def _headers(self, theirs: Sequence[tuple[bytes, bytes]]) -> Headers:
        self.named = named = dict(theirs)
        ours = self._ours
        ours += ((CORRELATION, self._correlation), (REQUEST, self._request))
        for name, _ in ours:
            if name in named and name not in ADDITIVE:
                theirs = [header for header in theirs if header[0] != name]
        if b"x-content-type-options" not in named:
            ours.append(NO_SNIFFING)
        if b"cache-control" not in named:
            ours.append(NO_STORING)
        return [*theirs, *ours]
