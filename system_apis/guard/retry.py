"""Retries: growing pauses with full jitter, as the platform asks, and never more than a share of the traffic."""

from collections.abc import Callable

from kernel.clock import Clock
from kernel.problem import Problem
from kernel.settings import Patience
from system_apis.guard.breaker import Breaker

_SHARE = 0.2  # retries per call: what a platform in trouble has to bear on top
_FLOOR = 10  # retries per window that are always allowed, so that thin traffic is retried too
_WINDOW = 10.0  # seconds


class RetryBudget:
    """Counts calls and retries of this and the last window of ten seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic()
        self._calls, self._retries = [0, 0], [0, 0]

    def called(self) -> None:
        self._turn()
        self._calls[0] += 1

    def spend(self) -> bool:
        """Takes one retry if there is one."""
        self._turn()
        allowed = _FLOOR + _SHARE * sum(self._calls)
        if sum(self._retries) + 1 > allowed:
            return False
        self._retries[0] += 1
        return True

    def _turn(self) -> None:
        passed = int((self._clock.monotonic() - self._since) / _WINDOW)
        if passed == 0:
            return
        self._since += passed * _WINDOW
        self._calls = [0, self._calls[0] if passed == 1 else 0]
        self._retries = [0, self._retries[0] if passed == 1 else 0]


class Retries:
    """Says how long to pause before the next attempt, or that there is none. `dice` answers evenly from [0, 1)."""

    def __init__(self, patience: Patience, breaker: Breaker, clock: Clock, dice: Callable[[], float]) -> None:
        self._patience, self._breaker, self._clock, self._dice = patience, breaker, clock, dice
        self._budget = RetryBudget(clock)

    def called(self) -> None:
        """A call came in: it earns its share of retries."""
        self._budget.called()

    def pause_before_next(self, problem: Problem, attempts: int, ends: float) -> float | None:
        """Seconds; None when the problem stands, `attempts` were enough, time is too short, or the platform has had enough."""
        if not problem.retryable or attempts >= self._patience.attempts or self._breaker.open:
            return None
        ceiling = min(self._patience.longest_pause, self._patience.first_pause * (1 << attempts - 1))
        pause = (problem.retry_after or 0) + ceiling * self._dice()
        if self._clock.monotonic() + pause >= ends or not self._budget.spend():
            return None
        return pause
