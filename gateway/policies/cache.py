"""Cache: what a contract says may be kept is answered without asking again, to the one it was answered to before.

`x-trivium-cache: {ttl: seconds, vary: [request headers], stale_if_error: seconds}` on a GET. Its key is the operation, the path,
the query whatever its order, those headers, and everything that decides what the caller may see. Kept are whole answers of status
200 that set no cookie and whose own Cache-Control does not forbid it. `Cache-Status` (RFC 9211) tells what happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Message, Send

from gateway.cache import AnswerCache, Entry, Flight, Key, directives, lifetime
from gateway.captured import Captured
from gateway.contracts import BadContract
from gateway.deadline import Deadline
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from gateway.schemas import Document
from kernel.problem import Problem

EXTENSION = "x-trivium-cache"
LONGEST = 86_400  # seconds
STATUS, AGE, CONTROL = b"cache-status", b"age", b"cache-control"
PRIVATE = (CONTROL, b"private, no-cache")  # who keeps it asks us each time, by its ETag
_MEMBERS = frozenset({"ttl", "vary", "stale_if_error"})
_CONDITIONAL = frozenset({b"if-none-match", b"if-modified-since"})  # answered from the whole answer, not by the upstream
_OF_THE_MOMENT = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"age"})
_OF_ONE_TOKEN: Mapping[str, Any] = {
    "token_id": "",
    "expires_at": 0,
    "issued_at": 0,
    "key_id": "",
}  # another as good gets the same


@dataclass(frozen=True)
class Terms:
    """Seconds, and the request headers an answer depends on, in lower case."""

    ttl: float
    vary: tuple[bytes, ...] = ()
    stale_if_error: float = 0.0

    @classmethod
    def of(cls, operation: Operation) -> "Terms | None":
        """None where nothing is said; raises BadContract where it cannot be used."""
        said = operation.extensions.get(EXTENSION)
        if said is None:
            return None
        vary = said.get("vary", []) if isinstance(said, dict) else None
        if (
            not isinstance(said, dict)
            or not said.keys() <= _MEMBERS
            or not _seconds(said.get("ttl"), 1)
            or not _seconds(said.get("stale_if_error", 0), 0)
            or not isinstance(vary, list)
            or not all(isinstance(name, str) and name.isascii() and name for name in vary)
        ):
            shape = f"{{ttl: 1 to {LONGEST} seconds, vary: [header names], stale_if_error: seconds}}"
            raise BadContract(f"{operation.method} {operation.path}: {EXTENSION} is {shape}; ttl is needed")
        names = tuple(sorted({name.lower().encode() for name in vary}))
        return cls(float(said["ttl"]), names, float(said.get("stale_if_error", 0)))


def _seconds(value: Any, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= LONGEST


def cache(answers: AnswerCache | None) -> Factory:
    known: dict[Document, bool] = {}  # one contract has many operations

    def build(operation: Operation) -> Policy | None:
        terms = Terms.of(operation)
        if operation.method != "GET" and EXTENSION in operation.said:
            raise BadContract(f"{operation.method} {operation.path}: {EXTENSION}: only what GET answers can be kept")
        if answers is None:
            return None
        if operation.method == "GET":
            return None if terms is None else Keeping(answers, operation, terms)
        return _forgetting(answers) if _has_cached(operation, known) else None

    return build


def _has_cached(operation: Operation, known: dict[Document, bool]) -> bool:
    """Whether any operation of the same document is cached."""
    document = operation.document
    if EXTENSION in operation.extensions or document is None:
        return EXTENSION in operation.extensions
    if document not in known:
        items = [item for item in document.root.get("paths", {}).values() if isinstance(item, dict)]
        known[document] = any(EXTENSION in said for item in items for said in item.values() if isinstance(said, dict))
    return known[document]


def _forgetting(answers: AnswerCache) -> Policy:
    async def policy(call: Call, forward: Forward) -> None:
        path = call.scope["raw_path"]
        call.send = _Written(call.send, answers, path).send
        try:
            await forward(call)
        except Problem as problem:
            if problem.status >= 500:
                answers.written(path)
            raise
        except BaseException:
            answers.written(path)
            raise

    return policy


class _Written:
    """Forgets before the caller can know that something was written."""

    __slots__ = ("_answers", "_path", "_send")

    def __init__(self, send: Send, answers: AnswerCache, path: bytes) -> None:
        self._send, self._answers, self._path = send, answers, path

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not 400 <= message["status"] < 500:
            self._answers.written(self._path)
        await self._send(message)


class Keeping:
    """The policy of one cached operation."""

    def __init__(self, answers: AnswerCache, operation: Operation, terms: Terms) -> None:
        self._answers, self._id, self._timeout, self._terms = answers, operation.id, operation.timeout, terms

    async def __call__(self, call: Call, forward: Forward) -> None:
        asked = directives([call.headers[CONTROL]]) if CONTROL in call.headers else {}
        if call.scope["method"] != "GET" or b"range" in call.headers or b"no-store" in asked:
            await _told(call, b"fwd=bypass", forward)
            return
        key = self._key(call)
        if b"no-cache" in asked:
            await self._fetch(call, forward, key, b"fwd=request", None)
            return
        entry = self._answers.find(key)
        if entry is not None and entry.fresh_until > self._answers.now():
            await self._give(call, entry, b"hit")
            return
        flight = self._answers.flight(key)
        if flight is None:
            await self._fetch(call, forward, key, b"fwd=miss" if entry is None else b"fwd=stale", entry)
        elif await self._landed(flight) is not None:
            await self._give(call, flight.entry, b"fwd=miss; collapsed")  # type: ignore[arg-type]
        else:
            await _told(call, b"fwd=miss", forward)

    def _key(self, call: Call) -> Key:
        caller = replace(call.caller, **_OF_ONE_TOKEN)
        raw = call.scope["query_string"]
        query = tuple(sorted(parse_qsl(raw.decode("ascii"), keep_blank_values=True), key=_name)) if raw else ()
        vary = tuple(tuple(value for known, value in call.scope["headers"] if known == name) for name in self._terms.vary)
        return self._id, call.scope["raw_path"], query, vary, caller

    async def _landed(self, flight: Flight) -> Entry | None:
        try:
            with Deadline(self._timeout):
                await flight.landed.wait()
        except TimeoutError:
            return None
        return flight.entry

    async def _fetch(self, call: Call, forward: Forward, key: Key, status: bytes, stale: Entry | None) -> None:
        """`stale`: what may stand in where nothing else can be had."""
        answer, place = Captured(call.send, self._answers.largest), len(call.response_headers)
        call.response_headers.append((STATUS, b"trivium; " + status))
        failed = await self._fetched(call, forward, key, answer, place)
        if stale is not None and not answer.passed and _gone_wrong(answer, failed):
            del call.response_headers[place]
            await self._give(call, stale, b"hit")
            return
        if failed is not None:
            raise failed
        await answer.send(_private(answer.headers) if answer.status == 200 else ())

    async def _fetched(self, call: Call, forward: Forward, key: Key, answer: Captured, place: int) -> Exception | None:
        """Keeps the answer where it may be kept, and says so in the header at `place`; answers what was raised instead of one."""
        path, entry, failed = call.scope["raw_path"], None, None
        flight = self._answers.begin(key, path)
        _ask_whole(call)
        try:
            await answer.of(call, forward)
            entry = self._entry(answer, path)
        except Exception as error:
            failed = error
        finally:
            if self._answers.land(key, flight, entry):
                name, status = call.response_headers[place]
                call.response_headers[place] = (name, status + b"; stored")
        return failed

    def _entry(self, answer: Captured, path: bytes) -> Entry | None:
        ttl = lifetime(answer.status, answer.headers, self._terms.ttl, self._terms.vary)
        if ttl <= 0 or answer.body is None:
            return None
        now = self._answers.now()
        headers = tuple((bytes(name), bytes(value)) for name, value in answer.headers if name not in _OF_THE_MOMENT)
        return Entry(path, answer.status, headers, answer.body, now, now + ttl, now + ttl + self._terms.stale_if_error)

    async def _give(self, call: Call, entry: Entry, status: bytes) -> None:
        now = self._answers.now()
        left = str(int(entry.fresh_until - now)).encode()
        call.note("cache", status.decode())
        call.response_headers += [
            (STATUS, b"trivium; " + status + b"; ttl=" + left), (AGE, str(int(now - entry.kept_at)).encode())
        ]  # fmt: skip
        headers = [*entry.headers, *_private(entry.headers)]
        await call.send({"type": "http.response.start", "status": entry.status, "headers": headers})
        await call.send({"type": "http.response.body", "body": entry.body})


def _private(headers: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
    """What a caller is told of keeping it where its upstream says nothing."""
    return () if any(name == CONTROL for name, _ in headers) else (PRIVATE,)


def _name(parameter: tuple[str, str]) -> str:
    """Values of one name keep their order, which may mean something."""
    return parameter[0]


async def _told(call: Call, status: bytes, forward: Forward) -> None:
    call.response_headers.append((STATUS, b"trivium; " + status))
    await forward(call)


def _ask_whole(call: Call) -> None:
    if not _CONDITIONAL.isdisjoint(call.headers):
        call.scope["headers"] = [header for header in call.scope["headers"] if header[0] not in _CONDITIONAL]
        call.headers = {name: value for name, value in call.headers.items() if name not in _CONDITIONAL}


def _gone_wrong(answer: Captured, failed: Exception | None) -> bool:
    if failed is None:
        return answer.status >= 500
    return not isinstance(failed, Problem) or failed.status >= 500
