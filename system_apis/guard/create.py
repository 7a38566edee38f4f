"""A guarded create: at most one object per business key, whatever is lost, late, repeated or killed on the way.

Once something may have been sent, nothing is sent again before the platform was asked for it.
"""

import hashlib
import itertools
import json
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Generic, TypeVar

from contracts.models.base import Model
from kernel.clock import Clock
from kernel.context import correlation_id
from kernel.problem import Conflict, Problem, Unavailable
from system_apis.guard.claim import Claim, Held, Settled, Write
from system_apis.guard.journal import Journal
from system_apis.guard.look_up import LookUp, Sleep, outcome_unknown
from system_apis.guard.outbound_write import State
from system_apis.guard.retry import Retries
from system_apis.guard.turns import Turns

R = TypeVar("R", bound=Model)

_FIRST_POLL, _LONGEST_POLL = 0.025, 0.25  # seconds between looks at a row that another process holds
_business_key = attrgetter("key")


@dataclass(frozen=True)
class Desk:
    """What the creates of one connection share: the journal, the queue for a key, and the names of its owners."""

    connection: str
    journal: Journal
    retries: Retries
    clock: Clock
    sleep: Sleep
    deadline: float  # seconds
    grace: float  # seconds that a lease outlives the deadline; the clocks of a deployment must agree better than this
    turns: Turns = field(default_factory=Turns)
    process: str = field(default_factory=lambda: uuid.uuid4().hex)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)


class Create(Generic[R]):
    """One `creates` method of one connection, compiled at start.

    `send` makes one attempt: (number, monotonic end, claim, new) -> the object.
    """

    def __init__(
        self,
        desk: Desk,
        operation: str,
        send: Callable[[int, float, Claim, Model], Awaitable[R]],
        look_up: LookUp,
        returns: type[R],
        keep_existing: bool,
    ) -> None:
        self._desk, self._operation, self._send, self._look_up = desk, operation, send, look_up
        self._returns, self._keep_existing = returns, keep_existing

    async def __call__(self, new: Model, idempotency_key: str) -> R:
        """Raises Conflict (the key has other content), NeedsPerson, OutcomeUnknown (try later), or what the platform says."""
        desk, key = self._desk, _business_key(new)
        ends = desk.clock.monotonic() + desk.deadline
        desk.retries.called()
        write = Write(desk.connection, self._operation, key, fingerprint(new), idempotency_key, correlation_id.get())
        try:
            async with desk.turns.turn((self._operation, key), desk.deadline):
                claim = await self._claim(write, ends)
                if isinstance(claim, Settled):
                    self._check_content(claim.fingerprint, write)
                    return self._returns.model_validate(claim.result)
                return await self._owned(claim, new, ends)
        except TimeoutError:
            raise outcome_unknown(desk.connection, f"{key} is still being created", 1) from None

    async def _claim(self, write: Write, ends: float) -> Claim | Settled:
        """Waits, within the deadline, for whichever process is at it."""
        desk, poll = self._desk, _FIRST_POLL
        while True:
            owner, seconds = f"{desk.process}.{next(desk.numbers)}", ends - desk.clock.monotonic() + desk.grace
            found = await desk.journal.claim(write, owner=owner, process=desk.process, seconds=seconds)
            if not isinstance(found, Held):
                return found
            if desk.clock.monotonic() + poll >= ends:
                left = (found.until - desk.clock.now()).total_seconds()
                raise outcome_unknown(desk.connection, f"{write.business_key} is being created by another process", left)
            await desk.sleep(poll)
            poll = min(poll * 2, _LONGEST_POLL)

    async def _owned(self, claim: Claim, new: Model, ends: float) -> R:
        """Whatever happens, the row is left saying what is known, and free."""
        problem: Problem | None = None
        try:
            return await self._carry_out(claim, new, ends)
        except Problem as error:
            problem = error
            raise
        finally:
            if claim.state is not State.CONFIRMED:
                claim.interrupted(self._desk.clock.now())
                with suppress(Unavailable):  # the row then goes on saying SENT, and will be looked up
                    await self._desk.journal.save(claim, claim.state, problem=problem, release=True)

    async def _carry_out(self, claim: Claim, new: Model, ends: float) -> R:
        desk = self._desk
        for number in itertools.count(1):
            found = await self._already_there(claim, new, ends, first=number == 1)
            if found is not None:
                return await self._found(claim, found)
            if claim.doubtful or number > 1:
                claim.attempts += 1
                if not await desk.journal.save(claim, State.SENT):
                    raise outcome_unknown(desk.connection, f"{claim.write.business_key} was taken over by another process", 1)
            pause = await self._attempt(claim, number, ends, new)
            if not isinstance(pause, float):
                return await self._confirm(claim, pause)
            await desk.sleep(pause)
        raise AssertionError("count() has no end")

    async def _already_there(self, claim: Claim, new: Model, ends: float, *, first: bool) -> Model | None:
        """A doubtful write is looked up; so is the first sight of what may have been there before us, if that is to be kept."""
        if claim.doubtful:
            return await self._look_up(claim, new, ends)
        return await self._look_up.ask(claim, new, ends) if self._keep_existing and first else None

    async def _attempt(self, claim: Claim, number: int, ends: float, new: Model) -> R | float:
        """The object, or the seconds to pause before the next attempt."""
        desk = self._desk
        try:
            return await self._send(number, ends, claim, new)
        except Problem as problem:
            claim.failed(problem, desk.clock.now())
            pause = desk.retries.pause_before_next(problem, number, ends)
            if pause is None:
                raise
            await desk.journal.save(claim, claim.state, problem=problem)
            return pause

    async def _found(self, claim: Claim, found: Model) -> R:
        result = await self._confirm(claim, self._returns.model_validate(found.model_dump()))
        self._check_content(claim.fingerprint, claim.write)
        return result

    async def _confirm(self, claim: Claim, result: R) -> R:
        """An answer that the journal did not take is as good as lost: the next attempt looks it up."""
        key = claim.write.business_key
        try:
            await self._desk.journal.save(claim, State.CONFIRMED, result=result.model_dump(mode="json"), release=True)
        except Unavailable as error:
            raise outcome_unknown(self._desk.connection, f"{key} was answered, but {error.detail}", 1) from error
        claim.state = State.CONFIRMED
        return result

    def _check_content(self, sent: str, write: Write) -> None:
        if sent != write.fingerprint and not self._keep_existing:
            detail = f"{write.connection}: {write.business_key} was already created from other data"
            raise Conflict(detail, system=write.connection, field="key", fix="use another key, or send the same data")


def fingerprint(new: Model) -> str:
    """SHA-256 of the content; members that are absent do not count, so a form may grow optional ones."""
    content = json.dumps(new.model_dump(mode="json", exclude_none=True), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
