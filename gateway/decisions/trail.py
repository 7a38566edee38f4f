"""What a call leaves behind for its receipt: references to what is there anyway, and nothing that holds a body or a token."""

from collections.abc import Mapping
from time import time
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from gateway.observe import Record
from gateway.pipeline import Call, Caller, Operation
from kernel.problem import Problem

NOTHING: Mapping[bytes, bytes] = {}
_POLICIES = "gateway.policies."
_BEHIND = ("gateway.dispatch", "gateway.direct", "gateway.upstream", "gateway.services")


class Decided(NamedTuple):
    """A refusal: the policy it came from ("application" behind the door, "route" before any policy), and its problem's type."""

    by: str
    type: str


class Trail(NamedTuple):
    """One answered call, off the hot path made into a receipt."""

    at: float  # Unix time when the answer ended
    record: Record
    operation: Operation
    caller: Caller
    facts: Mapping[str, Any] | None
    ours: list[tuple[bytes, bytes]]  # headers the policies put on the answer: what the limits said is among them
    theirs: Mapping[bytes, bytes]  # headers of the answer as it came from behind the door
    query: bytes
    media: bytes | None
    length: bytes | None
    keyed: bool
    dispatched: float
    refusal: Decided | None

    @classmethod
    def of(cls, record: Record, call: Call, theirs: Mapping[bytes, bytes], refusal: Decided | None) -> "Trail":
        headers = call.headers
        return cls(
            time(), record, call.operation, call.caller, call.facts, call.response_headers, theirs, call.scope["query_string"],
            headers.get(b"content-type"), headers.get(b"content-length"), b"idempotency-key" in headers, call.dispatched, refusal,
        )  # fmt: skip


class Keep(Protocol):
    """Where trails are kept. `wants` is asked first, so that a call nobody keeps costs nothing.

    `chains`: the policies of each operation, which are known once the door is built.
    """

    chains: Mapping[str, tuple[str, ...]]

    def wants(self, status: int) -> bool: ...

    def add(self, trail: Trail) -> None: ...


def decided_by(error: BaseException) -> Decided:
    """Read from the way the exception came: the innermost policy on it, unless it came from behind the last one."""
    by = ""
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if module.startswith(_POLICIES):
            by = module.removeprefix(_POLICIES).partition(".")[0]
        elif module.startswith(_BEHIND):
            by = "application"
        elif module == "gateway.door":
            by = "route"
        traceback = traceback.tb_next
    return Decided(by or "application", error.type if isinstance(error, Problem) else "unexpected")
