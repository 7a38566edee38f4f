"""Answers that break their contract are counted by operation, and told to the log once a minute for each of them."""

from collections.abc import Iterable, Sequence

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from kernel.clock import Clock

PAUSE = 60.0  # seconds between two lines about one operation


class BrokenPromises(Collector):
    """`trivium_answers_checked_total` and `trivium_broken_promises_total`."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._clock = clock
        self._checked: dict[str, int] = {}
        self._broken: dict[str, int] = {}
        self._told_at: dict[str, float] = {}
        registry.register(self)

    def checked(self, operation: str, found: Sequence[str], correlation_id: str) -> None:
        """One answer was looked at, and this is what was wrong with it."""
        self._checked[operation] = self._checked.get(operation, 0) + 1
        if not found:
            return
        self._broken[operation] = self._broken.get(operation, 0) + 1
        now = self._clock.monotonic()
        if now - self._told_at.get(operation, float("-inf")) >= PAUSE:
            self._told_at[operation] = now
            structlog.get_logger("gateway").warning(
                "an answer breaks its contract", operation=operation, found=list(found), correlation_id=correlation_id
            )

    def collect(self) -> Iterable[Metric]:
        for name, meaning, counts in (
            ("trivium_answers_checked", "Answers held against their contract.", self._checked),
            ("trivium_broken_promises", "Answers that broke it.", self._broken),
        ):
            family = CounterMetricFamily(name, meaning, labels=("operation",))
            for operation, count in sorted(counts.items()):
                family.add_metric((operation,), count)
            yield family

    def describe(self) -> Iterable[Metric]:
        return ()
