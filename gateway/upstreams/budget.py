"""Repetitions are a share of the calls, and a few a second: an upstream in trouble is not buried under attempts to reach it."""

from gateway.upstreams.condition import Now

HALF = 5.0  # seconds: half of the window


class RetryBudget:
    """`share` of the calls of the last ten seconds, plus `per_second`."""

    __slots__ = ("_calls", "_now", "_per_second", "_retries", "_share", "_since")

    def __init__(self, share: float, per_second: float, now: Now) -> None:
        self._share, self._per_second, self._now = share, per_second, now
        self._since = now()
        self._calls, self._retries = [0, 0], [0, 0]  # this half of the window, the one before

    def call(self) -> None:
        self._turn()
        self._calls[0] += 1

    def take(self) -> bool:
        """Whether one more repetition is within the budget; counted if it is."""
        self._turn()
        allowed = self._share * sum(self._calls) + self._per_second * 2 * HALF
        if sum(self._retries) + 1 > allowed:
            return False
        self._retries[0] += 1
        return True

    def _turn(self) -> None:
        passed = self._now() - self._since
        if passed < HALF:
            return
        kept = passed < 2 * HALF
        self._calls = [0, self._calls[0] if kept else 0]
        self._retries = [0, self._retries[0] if kept else 0]
        self._since += HALF if kept else passed
