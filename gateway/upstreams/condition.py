"""Whether an upstream is worth a call, as its last calls and its checks say: in, out while others can serve, or left alone.

The first failures in a row take an upstream out of turn, but never the last one; more of them open its breaker, which lets
nothing through until its pause has passed and then one call as a trial. What fails again at once pauses twice as long.
"""

from collections.abc import Callable

from kernel.sections.services import Ejection

Now = Callable[[], float]  # monotonic seconds


class Condition:
    """Of one upstream."""

    __slots__ = ("_failures", "_now", "_open_until", "_out_until", "_pauses", "_rule", "_trying", "healthy")

    def __init__(self, rule: Ejection, now: Now) -> None:
        self._rule, self._now = rule, now
        self._failures = self._pauses = 0
        self._out_until = self._open_until = 0.0
        self._trying = False
        self.healthy = True  # what the active checks say

    @property
    def preferred(self) -> bool:
        """It takes its turn."""
        if not self._failures:
            return self.healthy
        return self.healthy and self.possible and self._now() >= self._out_until

    @property
    def possible(self) -> bool:
        """A call may go there if there is no better place."""
        return self._failures < self._rule.breaker or (self._now() >= self._open_until and not self._trying)

    @property
    def alone_for(self) -> float:
        """Seconds until something may be sent there again."""
        return max(0.0, self._open_until - self._now())

    def begin(self) -> None:
        if self._failures >= self._rule.breaker:
            self._trying = True

    def succeeded(self) -> None:
        if self._failures:
            self._failures = self._pauses = 0
            self._out_until = self._open_until = 0.0
            self._trying = False

    def failed(self, *, others: bool) -> None:
        """`others`: some other upstream takes its turn."""
        self._failures += 1
        self._trying = False
        if self._failures >= self._rule.breaker:
            self._open_until = self._pause()
        elif self._failures >= self._rule.failures and others:
            self._out_until = self._pause()

    def abandoned(self) -> None:
        """The call ended without saying anything about the upstream."""
        self._trying = False

    def _pause(self) -> float:
        seconds = min(self._rule.pause * 2.0**self._pauses, self._rule.longest_pause)
        self._pauses = min(self._pauses + 1, 30)
        return self._now() + seconds
