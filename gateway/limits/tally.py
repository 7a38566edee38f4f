"""What limits did, as metrics: whom they refused, whom they would have, and how many calls the shared store did not count."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

_LABELS = ("operation", "policy", "mode")


class Tally:
    """Counts of this process. Series are bounded by the contracts: operation × policy × mode."""

    def __init__(self) -> None:
        self.refusals: Counter[tuple[str, str, str]] = Counter()
        self.uncounted = 0

    def refused(self, operation: str, policy: str, *, shadow: bool = False) -> None:
        self.refusals[operation, policy, "shadow" if shadow else "enforced"] += 1


class LimitMetrics(Collector):
    """`trivium_limit_refusals_total` and `trivium_limit_uncounted_total`."""

    def __init__(self, registry: CollectorRegistry, tally: Tally) -> None:
        self._tally = tally
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        refusals = CounterMetricFamily(
            "trivium_limit_refusals", "Calls that a limit refused, or would have in the shadow.", labels=_LABELS
        )
        for labels, count in sorted(self._tally.refusals.copy().items()):
            refusals.add_metric(labels, count)
        yield refusals
        yield CounterMetricFamily(
            "trivium_limit_uncounted", "Calls decided while the shared store was away.", self._tally.uncounted
        )

    def describe(self) -> Iterable[Metric]:
        return ()  # or registering would collect
