"""Answers are held against their contract: not at all, a share of them without touching any, or each before it goes out.

`x-trivium-response-validation: off | sample | enforce` in a contract replaces the setting. What is sampled is judged after it was
sent. What is enforced is kept back and judged first, up to LARGEST bytes; streams and larger answers are judged by their head.
"""

import random
from collections.abc import Callable

from starlette.types import Message, Send

from gateway.answer_checks import AnswerCheck
from gateway.broken_promises import BrokenPromises
from gateway.captured import Captured
from gateway.contracts import BadContract
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from gateway.schemas import Unresolvable
from kernel.problem import BrokenPromise, Problem
from kernel.sections.door import Door

EXTENSION = "x-trivium-response-validation"
LARGEST = 1_048_576  # bytes of a body
MODES = ("off", "sample", "enforce")


def check_response(promises: BrokenPromises | None, settings: Door, dice: Callable[[], float] = random.random) -> Factory:
    """`promises` None: nothing is checked."""

    def build(operation: Operation) -> Policy | None:
        mode = operation.extensions.get(EXTENSION, settings.response_validation)
        if mode not in MODES:
            raise BadContract(f"{operation.method} {operation.path}: {EXTENSION} is one of {', '.join(MODES)}; not {mode!r}")
        socket = operation.extensions.get("x-trivium-websocket")  # its answer is a connection
        if promises is None or operation.layer == "door" or mode == "off" or socket:
            return None
        try:
            check = AnswerCheck(operation)
        except Unresolvable as error:
            raise BadContract(f"{operation.method} {operation.path}: {error}") from None
        if mode == "enforce":
            return _enforcing(operation, check, promises)
        return _sampling(operation, check, promises, dice, settings.response_sample)

    return build


def _sampling(
    operation: Operation, check: AnswerCheck, promises: BrokenPromises, dice: Callable[[], float], share: float
) -> Policy | None:
    def judge(call: Call, found: list[str]) -> None:
        promises.checked(operation.id, found, call.correlation_id)
        if found:
            call.note("broken_promises", found)

    async def policy(call: Call, forward: Forward) -> None:
        if dice() >= share:
            await forward(call)
            return
        send = call.send
        tap = _Tap(send)
        call.send = tap.send
        try:
            await forward(call)
        except Problem as problem:
            if not tap.status:
                judge(call, check.status(problem.status))
            raise
        finally:
            call.send = send
        if tap.status:  # or the caller left first
            judge(call, check.answer(tap.status, tap.headers, tap.body, headless=call.scope["method"] == "HEAD"))

    return policy if share > 0 else None


def _enforcing(operation: Operation, check: AnswerCheck, promises: BrokenPromises) -> Policy:
    def judge(call: Call, found: list[str], status: int, *, sent: bool = False) -> None:
        promises.checked(operation.id, found, call.correlation_id)
        if found:
            call.note("broken_promises", found)
            if not sent:
                raise _broken(operation, status, found)

    async def policy(call: Call, forward: Forward) -> None:
        captured = Captured(call.send, LARGEST, patient=True)
        try:
            await captured.of(call, forward)
        except Problem as problem:
            if not captured.status:
                judge(call, check.status(problem.status), problem.status)
            raise
        if not captured.status:
            return
        headless = call.scope["method"] == "HEAD"
        found = check.answer(captured.status, captured.headers, captured.body, headless=headless)
        judge(call, found, captured.status, sent=captured.passed)
        await captured.send()

    return policy


def _broken(operation: Operation, status: int, found: list[str]) -> BrokenPromise:
    return BrokenPromise(
        f"{operation.api} answered {status} in a way its contract does not allow", system=operation.api,
        fix="tell the API's owner; what was asked for may have been done",
        errors=[{"in": "answer", "detail": detail} for detail in found],
    )  # fmt: skip


class _Tap:
    """Sees an answer go by."""

    __slots__ = ("_chunks", "_send", "_size", "headers", "status")

    def __init__(self, send: Send) -> None:
        self._send, self._size, self.status = send, 0, 0
        self._chunks: list[bytes] = []
        self.headers: list[tuple[bytes, bytes]] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body" and self._size <= LARGEST:
            self._size += len(message.get("body", b""))
            self._chunks.append(message.get("body", b""))
        await self._send(message)

    @property
    def body(self) -> bytes | None:
        return b"".join(self._chunks) if self._size <= LARGEST else None
