"""What this process goes by, for whoever asks: its readiness page, its metrics, and the other processes."""

import secrets
from collections.abc import Iterable
from time import monotonic
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.configuration.changes import changes
from gateway.configuration.history import History, Process
from gateway.configuration.snapshot import told
from kernel.settings import Settings

REPORT_EVERY = 5.0  # seconds; at once when something has changed


class Standing(Collector):
    """`faults`: why it is not what it should be."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.number, self.digest, self.faults, self.wanted = 0, "", list[str](), 0
        self._reported: tuple[Any, ...] = ()
        self._report_at = 0.0

    def now(self, number: int, digest: str, faults: list[str]) -> None:
        self.number, self.digest, self.faults, self.wanted = number, digest, faults, number

    def refused(self, number: int, faults: list[str]) -> None:
        self.wanted, self.faults = number, faults

    def about(self) -> dict[str, Any]:
        """For the readiness page, which anybody may read: no fault is told, only that there is one."""
        state = "last good" if self.faults else "in force"
        return {"configuration": {"number": self.number, "digest": self.digest[:12], "state": state}}

    async def report(self, history: History, part: str) -> None:
        said = (self.number, self.digest, tuple(self.faults))
        if said == self._reported and monotonic() < self._report_at:
            return
        fault = "; ".join(self.faults)
        await history.report(Process(self.id, part, self.number, self.digest, fault, 0))
        self._reported, self._report_at = said, monotonic() + REPORT_EVERY

    def restart(self, before: Settings, after: Settings) -> list[str]:
        return list(changes((), (), (told(before), told(after))).restart)

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("trivium_configuration_number", "The configuration this process goes by.", self.number)
        broken = "1 while the newest configuration cannot be used and the last good one is in force."
        yield GaugeMetricFamily("trivium_configuration_last_good", broken, 1 if self.faults else 0)

    def describe(self) -> Iterable[Metric]:
        return ()
