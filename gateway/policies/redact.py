"""Redaction: a field that the contract classifies reaches only callers who are cleared for it, whatever the answer looks like.

Our own clients see what is internal and confidential, and payment and tax with the scope for it; partners, callers who are
restricted to accounts, and callers without a name see what is public, and more only with a scope.
"""

import json
from collections.abc import Mapping
from typing import Any

from starlette.types import Message, Send

from gateway.classification.plan import Classes, Node, Planner
from gateway.classification.redaction import hides, redact
from gateway.classification.schema_sets import EXTENSION, BadClassification
from gateway.contracts import BadContract
from gateway.inputs import is_json
from gateway.pipeline import ANONYMOUS, Call, Caller, Factory, Forward, Operation, Policy
from gateway.responses import Responses
from gateway.schemas import Document, Unresolvable
from kernel.problem import BrokenPromise, Forbidden

LARGEST = 8_388_608  # bytes of an answer that can be redacted
OURS = frozenset({"internal", "confidential"})  # what our own clients see without being granted it
_REQUEST = frozenset({b"accept-encoding", b"range", b"if-range"})  # the whole answer is needed, in plain
_ANSWER = frozenset(
    {b"content-length", b"etag", b"digest", b"repr-digest", b"content-digest", b"content-md5", b"accept-ranges"}
)  # they tell of the whole


def redaction(clearance: Mapping[str, str] | None, *, replayed: bool) -> Factory:
    """`clearance`: the scope that opens a class. `replayed`: for operations whose answers are kept to be given again, or others.

    What is kept for an Idempotency-Key is given to tokens of other scopes too, so there it is redacted on its way out.
    """

    def build(operation: Operation) -> Policy | None:
        document = operation.document
        if clearance is None or document is None or (operation.idempotency == "required") != replayed:
            return None
        plan = Plan(operation, document) if document.mentions(EXTENSION) else None
        return _redacting(operation, plan, clearance) if plan is not None and plan.classes else None

    return build


class Plan:
    """Where classified fields are in the answers of one operation."""

    def __init__(self, operation: Operation, document: Document) -> None:
        """Raises BadContract."""
        planner = Planner(document)
        try:
            self._nodes = {
                (status, media): planner.plan(schema)
                for status, response in Responses.of(operation).by_status.items()
                for media, schema in response.content.items()
            }
        except (BadClassification, Unresolvable) as error:
            raise BadContract(f"{operation.method} {operation.path}: {error}") from None
        self.classes, self._elsewhere = planner.settle(), planner.elsewhere
        self.system = operation.api

    def node(self, status: int, media: str) -> Node:
        essence = media.partition(";")[0].strip().lower()
        for known in (str(status), f"{status // 100}XX", "default"):
            if (known, essence) in self._nodes:
                return self._nodes[known, essence]
        return self._elsewhere


def hidden_from(caller: Caller, classes: Classes, clearance: Mapping[str, str]) -> Classes:
    """Of these classes, the ones that this caller may not see."""
    ours = caller.client != ANONYMOUS and not caller.partner and caller.accounts is None
    shown = OURS if ours else frozenset()
    return frozenset(name for name in classes - shown if clearance.get(name) not in caller.scopes)


def _redacting(operation: Operation, plan: Plan, clearance: Mapping[str, str]) -> Policy:
    async def policy(call: Call, forward: Forward) -> None:
        hidden = hidden_from(call.caller, plan.classes, clearance)
        if not hidden:
            await forward(call)
            return
        if operation.extensions.get("x-trivium-websocket"):  # messages have no schema to go by
            raise _refusal(hidden, clearance)
        if not _REQUEST.isdisjoint(call.headers):
            call.scope["headers"] = [header for header in call.scope["headers"] if header[0] not in _REQUEST]
            call.headers = {name: value for name, value in call.headers.items() if name not in _REQUEST}
        send, whole = call.send, _Whole(plan.system, _refusal(hidden, clearance))
        call.send = whole.take
        try:
            await forward(call)
        finally:
            call.send = send
        if whole.head is not None:
            await _send(send, whole, _shown(whole, plan, hidden, clearance, call))

    return policy


def _shown(whole: "_Whole", plan: Plan, hidden: Classes, clearance: Mapping[str, str], call: Call) -> bytes:
    """The body as this caller may see it. Raises Forbidden where nothing of it may be shown."""
    if not whole.body:
        return b""
    value, node = whole.value(), plan.node(whole.status, whole.named(b"content-type"))
    if hides(node, value, hidden):
        raise _refusal(hidden & node.classes or hidden, clearance)
    if redact(node, value, hidden):
        call.note("redacted", sorted(hidden))
    return _written(value, plan.system)


def _written(value: Any, system: str) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair has no other spelling
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        raise _unreadable(system) from None


def _refusal(hidden: Classes, clearance: Mapping[str, str]) -> Forbidden:
    scopes = sorted(clearance[name] for name in hidden if name in clearance)
    return Forbidden.insufficient_scope(scopes) if scopes else Forbidden("the answer holds nothing that you may see")


async def _send(send: Send, whole: "_Whole", body: bytes) -> None:
    headers = [header for header in whole.headers if header[0] not in _ANSWER]
    if whole.body:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": whole.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Whole:
    """An answer, all of it: no part of it goes on before the whole is known. `refusal`: of what is not JSON."""

    __slots__ = ("_chunks", "_refusal", "_size", "_system", "head", "headers", "status")

    def __init__(self, system: str, refusal: Forbidden) -> None:
        self._system, self._refusal, self._size = system, refusal, 0
        self._chunks: list[bytes] = []
        self.head: Message | None = None
        self.status, self.headers = 0, list[tuple[bytes, bytes]]()

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.head, self.status, self.headers = message, message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._size += len(message.get("body", b""))
            if self._size and not is_json(self.named(b"content-type").lower()):
                raise self._refusal
            if self._size > LARGEST:
                raise BrokenPromise(f"{self._system} answered more than {LARGEST} bytes of classified data", system=self._system)
            self._chunks.append(message.get("body", b""))

    @property
    def body(self) -> bytes:
        return b"".join(self._chunks)

    def named(self, name: bytes) -> str:
        return next((value.decode("latin-1") for known, value in self.headers if known == name), "")

    def value(self) -> Any:
        """Raises BrokenPromise for what cannot be read, and so cannot be redacted."""
        if self.named(b"content-encoding").lower() not in ("", "identity"):
            raise _unreadable(self._system)
        try:
            return json.loads(self.body.decode("utf-8"))
        except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested without end
            raise _unreadable(self._system) from None


def _unreadable(system: str) -> BrokenPromise:
    return BrokenPromise(f"{system} answered classified data in a form that cannot be read", system=system)
