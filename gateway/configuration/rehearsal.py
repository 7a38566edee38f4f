"""Yesterday's calls, decided again: by the configuration in force and by the new one, side by side, through the same policies.

What the decision log does not keep cannot decide here: bodies, values of the query, other headers, signatures, object-level
ownership and what the application behind said. Both sides leave it out alike, so a difference comes from the configuration.
Limits are counted anew from the calls that were kept, at the times at which they came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.types import Message, Scope

from gateway.configuration.check import Checked, offline, unobserved
from gateway.decisions.trail import Trail
from gateway.dispatch import Dispatch
from gateway.door import Door
from gateway.pipeline import ANONYMOUS, Call, Caller, Forward, Operation, Policy
from kernel.problem import Unauthorized
from kernel.tenancy import EXTENSION, FILTERED

ADMITTED = "admitted"
MOST_GROUPS = 1000
_KEY = b"rehearsal-0001"
_JSON = [(b"content-type", b"application/json"), (b"content-length", b"2")]

Json = Mapping[str, Any]


class Verdict(NamedTuple):
    """What a door says to a call: "admitted", or the status and the policy it was refused by."""

    operation: str
    said: str


@dataclass
class Group:
    """Calls that are decided differently in the same way. `examples`: request ids of the first few."""

    operation: str
    client: str
    before: str
    after: str
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, request_id: str) -> None:
        self.count += 1
        if len(self.examples) < 3:
            self.examples.append(request_id)


@dataclass
class Rehearsal:
    """How it went: of `calls`, all those in `groups` would be decided differently."""

    calls: int = 0
    first: int = 0  # milliseconds of Unix time
    last: int = 0
    groups: dict[tuple[str, str, str, str], Group] = field(default_factory=dict)
    beyond: int = 0  # differing calls of kinds past the most that are told

    @property
    def differing(self) -> int:
        return self.beyond + sum(group.count for group in self.groups.values())

    def note(self, row: Json, was: Verdict, becomes: Verdict) -> None:
        self.calls, self.first, self.last = self.calls + 1, self.first or row["at"], row["at"]
        if was.said == becomes.said:
            return
        operation = was.operation if was.operation != "unrouted" else becomes.operation
        key = (operation, row["client"], was.said, becomes.said)
        group = self.groups.get(key)
        if group is None:
            if len(self.groups) >= MOST_GROUPS:
                self.beyond += 1
                return
            group = self.groups[key] = Group(*key)
        group.add(row["request_id"])


async def rehearse(before: Checked, after: Checked, calls: Iterable[tuple[Json, Json]]) -> Rehearsal:
    """`calls`: rows of the decision log, the oldest first, each with what is told of it."""
    stages, found = (Stage(before), Stage(after)), Rehearsal()
    for row, told in calls:
        was, becomes = [await stage.decide(row, told) for stage in stages]
        found.note(row, was, becomes)
    return found


class Stage:
    """A door under one configuration, its calls the past's, its clock theirs, and nothing behind it."""

    chains: Mapping[str, tuple[str, ...]] = {}

    def __init__(self, checked: Checked) -> None:
        self._clock, self._caller, self._last = _Past(), NOBODY, Verdict("", "")
        observation = replace(unobserved(), decisions=self)
        settings = _unanswered(checked)
        factories = offline(observation, self._authenticate, settings, self._clock)
        operations = [_relaxed(operation) for operation in checked.operations]
        targets = {operation.api: _Yes() for operation in operations}
        self._door = Door(operations, policies=factories, dispatch=Dispatch(targets))

    async def decide(self, row: Json, told: Json) -> Verdict:
        self._clock.milliseconds = row["at"]
        self._caller = _caller(told["caller"])
        self._last = Verdict("unrouted", "not decided")
        await self._door(_scope(told), _receive, _send)
        return self._last

    def wants(self, status: int) -> bool:
        return True

    def add(self, trail: Trail) -> None:
        refusal, status = trail.refusal, trail.record.status
        said = f"{status} ({refusal.by})" if refusal is not None else ADMITTED if status < 400 else f"{status} (application)"
        self._last = Verdict(trail.record.operation, said)

    def _authenticate(self, operation: Operation) -> Policy | None:
        if operation.public:
            return None

        async def policy(call: Call, forward: Forward) -> None:
            if self._caller is NOBODY:
                raise Unauthorized("this needs a token")
            call.caller = self._caller
            await forward(call)

        policy.__module__ = "gateway.policies.authenticate"
        return policy


NOBODY = Caller(ANONYMOUS, ANONYMOUS, frozenset())


class _Past:
    milliseconds = 0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.milliseconds / 1000, UTC)

    def monotonic(self) -> float:
        return self.milliseconds / 1000


class _Yes:
    def forward(self, operation: Operation) -> Forward:
        async def answer(call: Call) -> None:
            await call.send({"type": "http.response.start", "status": 200, "headers": _JSON})
            await call.send({"type": "http.response.body", "body": b"{}"})

        return answer


def _relaxed(operation: Operation) -> Operation:
    """Without what only a body, the query's values or other headers could tell."""
    extensions = {**operation.extensions, EXTENSION: FILTERED} if EXTENSION in operation.extensions else operation.extensions
    return replace(
        operation, body_schema=None, body_required=False, header_parameters={}, required_headers=frozenset(),
        query_parameters={name: {"type": "array"} for name in operation.query_parameters}, extensions=extensions,
    )  # fmt: skip


def _unanswered(checked: Checked) -> Any:
    """Answers are not rehearsed, so they are not checked either."""
    settings = checked.settings
    return settings.model_copy(update={"door": settings.door.model_copy(update={"response_validation": "off"})})


def _caller(said: Json | None) -> Caller:
    if said is None:
        return NOBODY
    return Caller(
        said["client"], said["subject"], frozenset(said["scopes"]), said["plan"], partner=said["partner"] or "",
        issuer=said["issuer"] or "",
    )  # fmt: skip


def _scope(told: Json) -> Scope:
    headers = [(b"host", b"rehearsal")]
    if told["media"] is not None:
        headers.append((b"content-type", told["media"].encode("latin-1")))
    if told["length"]:
        headers.append((b"content-length", str(told["length"]).encode()))
    if told["keyed"]:
        headers.append((b"idempotency-key", _KEY))
    query = "&".join(f"{_quoted(name)}=" for name in told["query"]).encode("ascii")
    path = told["path"]
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": told["method"],
        "scheme": "http", "path": path, "raw_path": _quoted(path, "/").encode("ascii"), "query_string": query,
        "root_path": "", "headers": headers, "client": ("192.0.2.1", 0), "server": ("rehearsal", 80), "state": {},
    }  # fmt: skip


def _quoted(text: str, safe: str = "") -> str:
    return quote(text, safe=safe + "-._~:@!$'()*,;")


async def _receive() -> Message:
    return {"type": "http.request", "body": b"0", "more_body": False}


async def _send(_: Message) -> None:
    return None
