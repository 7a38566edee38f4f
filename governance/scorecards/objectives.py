"""Service level objectives: declared in the contract as `x-trivium-slo`, measured by what the gateway counted.

x-trivium-slo: {availability: 99.9, p95_ms: 300}   # percent of answers that are no 5xx; milliseconds for 95 % of them
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite

from prometheus_client.parser import text_string_to_metric_families

from governance.contract import Contract
from governance.scorecards.part import Part, share

DECLARED = 60  # what an objective that nobody measures is worth
_LATENCY = re.compile(r"p([1-9][0-9]?)_ms", re.ASCII)


@dataclass(frozen=True)
class Measured:
    """What was counted of one API and major: answers by class of status, and by the longest they may have taken (seconds)."""

    answers: Mapping[str, float]
    within: Mapping[float, float]  # cumulative

    @property
    def availability(self) -> float:
        total = sum(self.answers.values())
        return 100 * (1 - self.answers.get("5xx", 0) / total) if total else inf

    def longest(self, percent: int) -> float:
        """Seconds that so many percent took at most; infinite where the slowest bucket is needed."""
        total = self.within.get(inf, 0)
        return next((bound for bound, count in sorted(self.within.items()) if count >= total * percent / 100), inf)


def read(metrics: str) -> dict[str, Measured]:
    """What `/metrics` shows, by API and major: process/orders/v1. Raises ValueError for what is no such text."""
    answers: dict[str, dict[str, float]] = {}
    within: dict[str, dict[float, float]] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            api = "/".join(sample.labels.get("operation", "").split(".")[:3])
            if sample.name == "trivium_requests_total":
                status = sample.labels.get("status", "")
                counted = answers.setdefault(api, {})
                counted[status] = counted.get(status, 0) + sample.value
            elif sample.name == "trivium_request_seconds_bucket":
                bound, bounds = float(sample.labels["le"]), within.setdefault(api, {})
                bounds[bound] = bounds.get(bound, 0) + sample.value
    return {api: Measured(counted, within.get(api, {})) for api, counted in answers.items()}


def of_objectives(contract: Contract, measured: Measured | None) -> Part:
    """Nothing declared is 0; what is declared is worth something, what is met all of it."""
    said = contract.info.get("x-trivium-slo", contract.root.get("x-trivium-slo"))
    if not isinstance(said, dict) or not said:
        return Part("slo", 10, 0, "no objective is declared: x-trivium-slo")
    if measured is None or not sum(measured.answers.values()):
        return Part("slo", 10, DECLARED, "declared, not measured")
    verdicts = list(_verdicts(said, measured))
    if not verdicts:
        return Part("slo", 10, DECLARED, "declared in words that nothing measures: availability, p95_ms")
    missed = [words for met, words in verdicts if not met]
    return Part("slo", 10, share(len(verdicts) - len(missed), len(verdicts)), "; ".join(missed) or "all objectives are met")


def _verdicts(said: Mapping[str, object], measured: Measured) -> Iterator[tuple[bool, str]]:
    for name, wanted in sorted(said.items()):
        latency = _LATENCY.fullmatch(name)
        if isinstance(wanted, bool) or not isinstance(wanted, int | float):
            continue
        if name == "availability":
            yield measured.availability >= wanted, f"availability {measured.availability:.2f} % instead of {wanted} %"
        elif latency:
            longest = measured.longest(int(latency[1])) * 1000
            shown = f"up to {longest:.0f} ms" if isfinite(longest) else "longer than is measured"
            yield longest <= wanted, f"{latency[1]} % of the answers take {shown} instead of {wanted} ms"
