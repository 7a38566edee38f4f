"""Durable work as the processes see it: runs made of named steps, parked when a person is needed, undone when refused.

The engine behind it is a setting of the composition root; a process imports this file and nothing of the engine.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

R = TypeVar("R", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
RequestModel = TypeVar("RequestModel", bound=BaseModel, contravariant=True)


class RunState(StrEnum):
    """The life of a run. HELD waits for a repair; WAITING for a decision that is part of the story."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    HELD = "held"
    COMPLETED = "completed"
    REFUSED = "refused"  # ended by a decision, everything undone
    CANCELLED = "cancelled"
    FAILED = "failed"  # ended by a problem, everything undone


FINAL = frozenset({RunState.COMPLETED, RunState.REFUSED, RunState.CANCELLED, RunState.FAILED})


class Stop(Exception):
    """Ends a run on purpose, with its final state; what was done is undone first."""

    def __init__(self, state: RunState, reason: str) -> None:
        super().__init__(reason)
        self.state, self.reason = state, reason


@dataclass(frozen=True)
class StepRecord:
    """One step as an operator reads it. `problem` is the RFC 9457 body of the last failed attempt."""

    name: str
    state: str  # running | done | retrying | held | undone | given up (never done, the run is over)
    attempts: int
    started_at: datetime
    finished_at: datetime | None = None
    problem: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RunRecord:
    """One run as the index keeps it: searchable without the engine."""

    id: str  # "{process}:{key}"
    process: str
    key: str
    state: RunState
    correlation_id: str
    client: str
    created_at: datetime
    updated_at: datetime
    subject: Mapping[str, str]  # business facts to find it by, e.g. {"account": …, "quote": …}
    facts: Mapping[str, Any]  # what the run noted so far, e.g. references of what it made
    result: Mapping[str, Any] | None = None
    problem: Mapping[str, Any] | None = None  # why it is held, or how it failed
    waiting_for: str | None = None  # the topic that would wake it
    reason: str | None = None  # why it was stopped, and by whom
    steps: Sequence[StepRecord] = field(default=())


class Run(Protocol):
    """What a workflow may do; everything else (clocks, randomness, I/O) belongs inside a step."""

    id: str
    key: str

    async def step(
        self,
        name: str,
        call: Callable[[str], Awaitable[R]],
        returns: type[R],
        undo: Callable[[R, str], Awaitable[object]] | None = None,
    ) -> R:
        """Performs `call` with the step's idempotency key ("{run id}:{name}", spaces as hyphens) and remembers its result.

        A retryable Problem is retried with growing pauses, for as long as the engine's budget allows, then holds the run.
        Any other Problem holds the run at once: it waits until someone releases it (the step is then attempted again, the key
        unchanged) or cancels it. When the run is stopped, the undo of every finished step is performed, last first, under
        the key "{run id}:undo-{name}".
        """

    async def do(self, name: str, call: Callable[[str], Awaitable[object]]) -> None:
        """A step whose result nobody needs."""

    async def decision(self, topic: str, returns: type[R], within: timedelta) -> R | None:
        """Waits durably for signal(`topic`); None when nobody decided in time."""

    async def note(self, **facts: Any) -> None:
        """Adds JSON facts to the run's record, e.g. the reference of what was just made."""

    async def now(self) -> datetime:
        """The time, the same in every replay."""


class Workflow(Protocol[RequestModel]):
    """The story of one process. Returning ends the run COMPLETED with that result; raising Stop ends it otherwise."""

    async def __call__(self, run: Run, request: RequestModel, /) -> BaseModel: ...


@dataclass(frozen=True)
class Start:
    """Whoever starts a run: the caller's Idempotency-Key and the fingerprint of what it asked.

    The run does its work for this caller: it sees the same `accounts` (None: all). Keys are the client's own, and among the
    clients of several partners the partner's.
    """

    client: str
    idempotency_key: str
    fingerprint: str
    correlation_id: str
    subject: Mapping[str, str] = field(default_factory=dict)
    accounts: Sequence[str] | None = None
    partner: str = ""

    @property
    def owner(self) -> str:
        """Whose the Idempotency-Key is."""
        return owner(self.client, self.partner)


def owner(client: str, partner: str) -> str:
    """One client may serve the people of several partners, who must not come across each other's keys."""
    return f"{client} of {partner}" if partner else client


class Durable(Protocol):
    """The engine: one per process of the deployment."""

    def register(self, process: str, workflow: Workflow[Q], request: type[Q], result: type[BaseModel]) -> None:
        """Before launch; names are for ever: a breaking change registers "{process}.v2" beside the old one."""

    async def launch(self) -> None:
        """Starts working, recovers what this or a dead process left. Refuses to start when that would be unsafe."""

    async def close(self) -> None: ...

    async def start(self, process: str, key: str, request: BaseModel, start: Start) -> RunRecord:
        """Starts run "{process}:{key}", or finds the one that is there.

        The same client's Idempotency-Key with another fingerprint raises `KeyReused`; the same key or the same business key
        with the same fingerprint answers the existing run.
        """

    async def replayed(self, start: Start) -> RunRecord | None:
        """The run that this client's Idempotency-Key has already started; None when it is new.

        With another fingerprint it raises `KeyReused`.
        """

    async def join(self, run_id: str, start: Start) -> RunRecord:
        """Binds this client's Idempotency-Key to a run that is there; with another content or run it raises `KeyReused`."""

    async def wait(self, run_id: str, seconds: float) -> RunRecord:
        """The run once it is final or parked (held, waiting), or as it is when the time is over."""

    async def get(self, run_id: str) -> RunRecord | None:
        """With its steps."""

    async def search(
        self,
        *,
        process: str | None = None,
        state: RunState | None = None,
        subject: Mapping[str, str] | None = None,
        among: Mapping[str, Collection[str]] | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[RunRecord]:
        """Newest first, without steps. `among`: members of the subject that must be one of these values.

        `before` is the id of the last one already seen; one that is not `among` them is as unknown as one that does not exist.
        """

    async def signal(self, run_id: str, topic: str, payload: BaseModel, once: str) -> None:
        """Wakes a decision; the same `once` signals once. Not waiting for that topic: `Conflict`."""

    async def release(self, run_id: str, by: str) -> RunRecord:
        """Attempts the held step again. Not held: `Conflict`."""

    async def cancel(self, run_id: str, by: str, reason: str) -> RunRecord:
        """Stops a run that is not final, undoing what was done. `Conflict` when it is final."""
