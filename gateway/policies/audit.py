"""Audit: every write, every refusal of one, and everybody who failed to prove who they are, is written down as it ended."""

import hashlib
from collections.abc import Callable

from starlette.types import Message, Receive, Send

from gateway.audit.entry import CLAIMED, Entry, digest
from gateway.audit.recorder import AuditLog
from gateway.pipeline import ANONYMOUS, Call, Factory, Forward, Operation, Policy
from kernel.problem import Problem, Unauthorized, Unavailable

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def record_writes(audit: AuditLog | None) -> Factory:
    def build(operation: Operation) -> Policy | None:
        if audit is None:
            return None
        if operation.layer == "door":
            mounted = operation.path != "/" and operation.extensions.get("x-trivium-access-log") is not False
            return _mounted(audit) if mounted else None
        return _reading(operation, audit) if operation.method in SAFE else _writing(operation, audit)

    return build


def _reading(operation: Operation, audit: AuditLog) -> Policy | None:
    if operation.public:
        return None

    async def policy(call: Call, forward: Forward) -> None:
        try:
            await forward(call)
        except Unauthorized as problem:
            audit.add(_entry(audit, call, operation.id, problem.status, problem.slug))
            raise

    return policy


def _writing(operation: Operation, audit: AuditLog) -> Policy:
    name, streamed = operation.id, bool(operation.body_media) and operation.body_schema is None

    async def policy(call: Call, forward: Forward) -> None:
        hashing = _Hashing(call.receive) if streamed else None
        if hashing is not None:
            call.receive = hashing.receive
        await _recorded(call, forward, audit, name, hashing.digest if hashing is not None else lambda: _of_body(call))

    return policy


def _mounted(audit: AuditLog) -> Policy:
    async def policy(call: Call, forward: Forward) -> None:
        if call.scope["method"] in SAFE:
            await forward(call)
        else:
            await _recorded(call, forward, audit, call.scope["path"].strip("/"), _nothing)

    return policy


async def _recorded(call: Call, forward: Forward, audit: AuditLog, name: str, digested: Callable[[], str]) -> None:
    if not audit.admits():
        raise Unavailable(
            "nothing is changed while it cannot be recorded: the audit log's database does not answer", retry_after=5
        )
    seen, problem = _Status(call.send), ""
    call.send = seen.send
    try:
        await forward(call)
    except Problem as refusal:
        seen.status, problem = seen.status or refusal.status, refusal.slug
        raise
    except Exception:
        seen.status = seen.status or 500
        raise
    finally:
        audit.add(_entry(audit, call, name, seen.status, problem, digested()), admitted=True)


def _entry(audit: AuditLog, call: Call, operation: str, status: int, problem: str, digested: str = "") -> Entry:
    caller, claimed = call.caller, call.scope.get(CLAIMED, "")
    known = caller.client != ANONYMOUS
    return Entry(
        at=audit.now(), client=caller.client if known else "", subject=caller.subject if known else "", partner=caller.partner,
        issuer=caller.issuer, actor=caller.actor, token=caller.token_id, claimed=claimed, operation=operation,
        method=call.scope["method"], ids=call.path_params or None, status=status, problem=problem,
        correlation_id=call.correlation_id, request_id=call.request_id, digest=digested,
    )  # fmt: skip


def _of_body(call: Call) -> str:
    return digest(call.body) if call.body else ""


def _nothing() -> str:
    return ""  # what is posted to the token endpoint holds secrets, and a short one can be guessed from its digest


class _Status:
    __slots__ = ("_send", "status")

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


class _Hashing:
    """Sees a body go by that nobody keeps."""

    __slots__ = ("_hash", "_receive", "_seen")

    def __init__(self, receive: Receive) -> None:
        self._receive, self._hash, self._seen = receive, hashlib.sha256(), False

    async def receive(self) -> Message:
        message = await self._receive()
        if message.get("body"):
            self._hash.update(message["body"])
            self._seen = True
        return message

    def digest(self) -> str:
        return self._hash.hexdigest() if self._seen else ""
