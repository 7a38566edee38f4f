"""The breaker: after enough failures in a row nothing is sent for a while, then one call finds out whether it is over."""

import math
from dataclasses import dataclass
from enum import Enum

from kernel.clock import Clock
from kernel.problem import OutcomeUnknown, PlatformDown, Problem
from kernel.settings import Patience


class Verdict(Enum):
    """What one attempt says about the platform's health."""

    ANSWERED = "answered"
    FAILED = "failed"
    NOTHING = "nothing"  # the attempt never reached the platform, or was called off


@dataclass(frozen=True, slots=True)
class Ticket:
    """Admission of one attempt; a verdict that comes after the breaker has moved on does not count."""

    era: int
    probe: bool


def verdict(error: BaseException | None) -> Verdict:
    """Down, timeout and 5xx are failures; a refusal, a limit or an unintelligible answer shows that someone is there."""
    match error:
        case PlatformDown():
            return Verdict.FAILED
        case OutcomeUnknown(retryable=True):
            return Verdict.FAILED
        case None | Problem():
            return Verdict.ANSWERED
        case _:
            return Verdict.NOTHING


class Breaker:
    """Closed, open, or half-open with a single probe; one per connection and process."""

    def __init__(self, connection: str, patience: Patience, clock: Clock) -> None:
        self._connection, self._clock = connection, clock
        self._limit, self._seconds = patience.breaker_failures, patience.breaker_seconds
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False
        self._era = 0

    @property
    def open(self) -> bool:
        return self._opened_at is not None

    def admit(self) -> Ticket:
        """Raises PlatformDown, with the seconds to wait, while open or while the probe is out."""
        if self._opened_at is None:
            return Ticket(self._era, probe=False)
        left = self._opened_at + self._seconds - self._clock.monotonic()
        if left > 0 or self._probing:
            detail = f"{self._connection} failed {self._limit} times in a row; it is given a pause"
            raise PlatformDown(detail, system=self._connection, retry_after=max(1, math.ceil(left)))
        self._probing = True
        return Ticket(self._era, probe=True)

    def settle(self, ticket: Ticket, result: Verdict) -> None:
        """Every ticket is settled exactly once."""
        if ticket.era != self._era:
            return
        match result:
            case Verdict.ANSWERED if ticket.probe:
                self._move(opened_at=None)
            case Verdict.ANSWERED:
                self._failures = 0
            case Verdict.FAILED:
                self._failures += 1
                if ticket.probe or self._failures >= self._limit:
                    self._move(opened_at=self._clock.monotonic())
            case Verdict.NOTHING if ticket.probe:
                self._probing = False

    def _move(self, opened_at: float | None) -> None:
        self._opened_at, self._failures, self._probing = opened_at, 0, False
        self._era += 1
