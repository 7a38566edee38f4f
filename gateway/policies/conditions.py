"""Conditions: what a caller has seen is not sent again, and what it has not seen it does not overwrite (RFC 9110 section 13).

Each answer of status 200 to a GET has a strong ETag: the upstream's own, or one made from its body. `x-trivium-conditional: none`
on the GET leaves that out. On a PUT, PATCH or DELETE it is `optional` or `required`, and If-Match is compared with what a GET at
the same path would answer this caller now, or with what another GET of the document would (`{if_match: optional, of:
operationId}`). Between that look and the write another write may come; only an upstream that has ETags of its own can exclude it,
and gets the condition as well.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import Message

from gateway import paths
from gateway.captured import Captured
from gateway.contracts import BadContract
from gateway.etags import ABSENT, ETAG, MATCH, MODIFIED_SINCE, NONE_MATCH, Current, holds, tag, tags, unchanged
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from kernel.problem import Internal, NotFound, PreconditionFailed, PreconditionRequired, Unavailable

EXTENSION = "x-trivium-conditional"
LARGEST = 1_048_576  # bytes of an answer that gets an ETag of ours
_PARAMETER = re.compile(r"\{(\w+)\}")
_TOLD = frozenset({ETAG, b"cache-control", b"content-location", b"expires", b"vary", b"last-modified"})  # RFC 9110 section 15.4.5
_OF_THE_WRITE = frozenset({
    b"content-length", b"content-type", b"content-encoding", b"transfer-encoding", b"expect", b"idempotency-key", b"range",
    MATCH, NONE_MATCH, MODIFIED_SINCE, b"if-unmodified-since", b"if-range", b"cache-control",
})  # fmt: skip
_WRITES = frozenset({"PUT", "PATCH", "DELETE"})
Reads = dict[Hashable, "Read"]


def conditions() -> Factory:
    """One for the operations of one door: its writes look through its reads."""
    reads: Reads = {}

    def build(operation: Operation) -> Policy | None:
        said = operation.extensions.get(EXTENSION)
        if operation.layer == "door" or operation.extensions.get("x-trivium-websocket"):
            return None
        if operation.method == "GET":
            return None if said == "none" else _read(operation, reads)
        if operation.method not in _WRITES or said in (None, "none"):
            return None
        return Write(operation, _Wanted.of(operation, said), reads)

    return build


def _read(operation: Operation, reads: Reads) -> "Read":
    read = reads[operation.path] = Read(operation)
    if "operationId" in operation.said:
        reads[operation.document, operation.said["operationId"]] = read
    return read


class Read:
    """A GET, or the HEAD that answers what it would."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.chain: Forward

    def before(self, chain: Forward) -> None:
        self.chain = chain

    async def __call__(self, call: Call, forward: Forward) -> None:
        seen = call.scope["headers"] if NONE_MATCH in call.headers or MODIFIED_SINCE in call.headers else ()
        headless = call.scope["method"] == "HEAD"
        answer = Captured(call.send, LARGEST, headless=headless)
        if headless:
            await _as_get(call, answer, forward)
        else:
            out, call.send = call.send, answer.take
            await forward(call)
            call.send = out
        if answer.status != 200 or answer.body is None:
            await answer.send()
            return
        theirs = answer.named(ETAG)
        etag = theirs or tag(answer.body)
        own = () if theirs else ((ETAG, etag),)
        if seen and unchanged(seen, etag, answer.named(b"last-modified")):
            await call.send({"type": "http.response.start", "status": 304, "headers": _told(answer, own)})
            await call.send({"type": "http.response.body", "body": b""})
        else:
            await answer.send(own)


class Write:
    """A write that depends on what is there."""

    def __init__(self, operation: Operation, wanted: "_Wanted", reads: Reads) -> None:
        self._operation, self._wanted, self._reads = operation, wanted, reads

    async def __call__(self, call: Call, forward: Forward) -> None:
        match, none = tags(call.scope["headers"], MATCH), tags(call.scope["headers"], NONE_MATCH)
        if match is None and none is None:
            if self._wanted.required:
                raise PreconditionRequired(
                    "this operation needs to know what you have seen", field="If-Match",
                    fix="read it, and send the ETag you were given as If-Match",
                )  # fmt: skip
            await forward(call)
            return
        current = await self._current(call)
        if not holds(match, none, current):
            raise PreconditionFailed(
                "it is not what you have seen", field="If-Match" if match is not None else "If-None-Match",
                fix="read it again, decide again, and send the ETag you are then given",
            )  # fmt: skip
        if not current.upstreams_own:
            _drop(call, (MATCH, NONE_MATCH))
        await forward(call)

    async def _current(self, call: Call) -> Current:
        read = self._reads.get(self._wanted.read)
        if read is None:
            raise Internal(f"{self._operation.id} has nothing to compare with: its GET has no ETag")
        answer = Captured(_nowhere, LARGEST)
        try:
            await answer.of(_looking(call, read.operation), read.chain)
        except NotFound:
            return ABSENT
        if answer.status == 404:
            return ABSENT
        if answer.status != 200:
            raise Unavailable("what is there cannot be read now, so it cannot be compared: nothing was done", retry_after=1)
        own = answer.named(ETAG)
        made = tag(answer.body) if own is None and answer.body is not None else None
        return Current(True, own or made, upstreams_own=own is not None)


@dataclass(frozen=True)
class _Wanted:
    """`read`: under which name the GET is found whose ETag is compared."""

    required: bool
    read: Hashable

    @classmethod
    def of(cls, operation: Operation, said: Any) -> "_Wanted":
        form = said if isinstance(said, dict) else {"if_match": said}
        of = form.get("of")
        if not form.keys() <= {"if_match", "of"} or form.get("if_match") not in ("optional", "required"):
            raise _bad(operation, "it is optional, required, none, or {if_match: optional or required, of: operationId}")
        _check(operation, of)
        return cls(form["if_match"] == "required", operation.path if of is None else (operation.document, of))


def _check(operation: Operation, of: str | None) -> None:
    """Whether there is such a GET, and whether what this path names is enough for it."""
    items: Mapping[str, Any] = {} if operation.document is None else operation.document.root.get("paths", {})
    for path, item in items.items():
        found = item.get("get") if isinstance(item, dict) else None
        here = isinstance(item, dict) and item.get(operation.method.lower()) is operation.said
        if here and of is None and found is None:
            raise _bad(operation, "there is no GET at this path; name the one that is meant (of: operationId)")
        if isinstance(found, dict) and of is not None and found.get("operationId") == of:
            missing = set(_PARAMETER.findall(path)) - operation.path_parameters.keys()
            if missing:
                raise _bad(operation, f"{of} needs {', '.join(sorted(missing))}, which this path does not name")
            return
    if of is not None:
        raise _bad(operation, f"there is no GET {of} in the same document")


def _bad(operation: Operation, why: str) -> BadContract:
    return BadContract(f"{operation.method} {operation.path}: {EXTENSION}: {why}")


async def _as_get(call: Call, answer: Captured, forward: Forward) -> None:
    asked = call.scope
    call.scope = {**asked, "method": "GET"}
    try:
        await answer.of(call, forward)
    finally:
        call.scope = asked


def _looking(call: Call, read: Operation) -> Call:
    """The call that reads what this one would change, for the same caller."""
    parts = [call.path_params[part[1:-1]] if part.startswith("{") else part for part in read.path[1:].split("/")]
    headers = [header for header in call.scope["headers"] if header[0] not in _OF_THE_WRITE]
    scope = {
        **call.scope, "method": "GET", "path": "/" + "/".join(parts), "raw_path": paths.canonical(parts), "query_string": b"",
        "headers": [*headers, (b"cache-control", b"no-cache")],
    }  # fmt: skip
    names = call.correlation_id, call.caller
    return Call(scope, _nothing, _nowhere, read, dict(call.path_params), *names, request_id=call.request_id)


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _nowhere(_: Message) -> None:
    return


def _drop(call: Call, names: Sequence[bytes]) -> None:
    call.scope["headers"] = [header for header in call.scope["headers"] if header[0] not in names]
    call.headers = {name: value for name, value in call.headers.items() if name not in names}


def _told(answer: Captured, own: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [*(header for header in answer.headers if header[0] in _TOLD), *own]
