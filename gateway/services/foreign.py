"""The services, canaries and mirrors of one configuration: opened and closed together, and counted for the metrics."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.contracts import BadContract
from gateway.dispatch import Dispatch, Target
from gateway.pipeline import Operation
from gateway.services.bundle import Read
from gateway.services.credentials import proof
from gateway.services.diversion import Diversion
from gateway.services.mirror import Mirror
from gateway.services.overlay import Governed, governed
from gateway.upstreams.cluster import Cluster, Rules
from gateway.upstreams.endpoint import Address
from gateway.upstreams.headers import Passing
from gateway.upstreams.lease import Lease
from gateway.upstreams.probe import Probes
from gateway.upstreams.target import Proof, Upstream
from kernel.clock import Clock
from kernel.sections.services import Canary, Connections, Retries, Service
from kernel.sections.services import Mirror as MirrorRule
from kernel.settings import Settings, settings_file


@dataclass(frozen=True)
class Means:
    """What services work with. `data`: what secret files are relative to; `ours`: who we are, for our own APIs elsewhere."""

    data: Path
    clock: Clock
    lease: Lease
    ours: Proof


class Opened:
    """What one configuration opened. `close` it when its last call is over."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.clusters: list[Cluster] = []
        self.mirrors: list[Mirror] = []
        self.targets: dict[str, Target] = {}
        self.notes: dict[str, Sequence[str]] = {}  # by API
        self._probes: list[Probes] = []
        self._canaries: list[tuple[Canary, Target | None]] = []

    @classmethod
    async def of(cls, settings: Settings, services: Mapping[str, Governed], means: Means) -> Self:
        """Everything that the settings ask for. Raises SecretMissing, nothing left open."""
        opened = cls(means)
        try:
            for found in services.values():
                opened.serve(found)
            for canary in settings.canaries:
                opened.divert(canary, services.get(canary.api))
            for mirror in settings.mirrors:
                opened.mirror(mirror, services.get(mirror.api))
        except BaseException:
            await opened.close()
            raise
        return opened

    def dispatch(self, ours: Mapping[str, Target], served: Sequence[Operation]) -> Target:
        """Raises BadContract where a canary or a mirror speaks of what is not served."""
        dispatch = Dispatch({**ours, **self.targets})
        if not self._canaries and not self.mirrors:
            return dispatch
        return Diversion(dispatch, served, self._canaries, self.mirrors)

    def serve(self, found: Governed) -> None:
        """Raises SecretMissing."""
        service = found.service
        self.notes[service.api] = found.notes
        self.targets[service.api] = self.upstream(found, service.upstreams)
        self._probes.append(Probes(self.clusters[-1], service.health))

    def upstream(self, found: Governed, urls: Sequence[str]) -> Upstream:
        """The service, or its canary, at these addresses."""
        service, shown = found.service, proof(found.service.token, self._means.data)
        cluster = self._cluster(service.api, [_with_path(url, found.base) for url in urls], _rules(service))
        passing = Passing(
            service.prefix, credential=service.token == "forward",  # noqa: S105 - a setting's word
            cookies=service.cookies, forwarded=service.forwarded, marked=True,
        )  # fmt: skip
        return Upstream(
            cluster, passing=passing, proof=shown, keep_host=service.host == "keep", stall=service.stall,
            raw_errors=service.errors == "pass", websockets=service.websocket, lease=self._means.lease,
        )  # fmt: skip

    def divert(self, rule: Canary, found: Governed | None) -> None:
        """`found`: None for one of our own APIs, which is then in another deployment that knows our processes."""
        if not rule.upstreams:
            self._canaries.append((rule, None))
        elif found is not None:
            self._canaries.append((rule, self.upstream(found, rule.upstreams)))
        else:
            cluster = self._cluster(rule.api, rule.upstreams, Rules(Retries(attempts=2, statuses=[])))
            self._canaries.append((rule, Upstream(cluster, proof=self._means.ours, lease=self._means.lease)))

    def mirror(self, rule: MirrorRule, found: Governed | None) -> Mirror:
        """Raises SecretMissing."""
        prefix, base = ("", "") if found is None else (found.service.prefix, found.base)
        rules = Rules(Retries(attempts=1, statuses=[]), connections=Connections(most=rule.at_once, waiting=0))
        cluster = Cluster(f"mirror {rule.name}", [_with_path(url, base) for url in rule.upstreams], rules)
        forward = rule.token == "forward"  # noqa: S105 - a setting's word
        passing = Passing(prefix, credential=forward, cookies=False, forwarded=False, marked=True)
        mirror = Mirror(rule, cluster, passing, proof(rule.token, self._means.data), self._means.clock)
        mirror.start()
        self.mirrors.append(mirror)
        return mirror

    async def close(self) -> None:
        await asyncio.gather(*(probes.stop() for probes in self._probes), *(mirror.stop() for mirror in self.mirrors))
        for cluster in self.clusters:
            cluster.close()

    def _cluster(self, name: str, urls: Sequence[str], rules: Rules) -> Cluster:
        self.clusters.append(Cluster(name, urls, rules, now=self._means.clock.monotonic))
        return self.clusters[-1]


@dataclass(eq=False)
class Foreign(Collector):
    """All that is open in this process: that of the configuration in force, and of those whose last calls are not over."""

    opened: list[Opened] = field(default_factory=list)

    async def open(self, settings: Settings, services: Mapping[str, Governed], means: Means, closing: AsyncExitStack) -> Opened:
        """`closing`: that of the configuration. Raises SecretMissing."""
        opened = await Opened.of(settings, services, means)
        closing.push_async_callback(opened.close)
        closing.callback(self.opened.remove, opened)
        self.opened.append(opened)
        return opened

    @property
    def in_force(self) -> Opened | None:
        return self.opened[-1] if self.opened else None

    def collect(self) -> Iterable[Metric]:
        labels = ("service", "upstream")
        calls = CounterMetricFamily(
            "trivium_upstream_calls", "Calls by upstream and how they ended.", labels=(*labels, "outcome")
        )
        usable = GaugeMetricFamily("trivium_upstream_usable", "Whether an upstream takes its turn.", labels=labels)
        busy = GaugeMetricFamily("trivium_upstream_calls_under_way", "Calls under way.", labels=labels)
        mirrored = CounterMetricFamily(
            "trivium_mirrored_calls", "Repeated calls by how their answers compare.", labels=("mirror", "operation", "outcome")
        )
        for opened in self.opened[-1:]:
            for cluster in opened.clusters:
                for at in cluster.endpoints:
                    where = (cluster.name, at.address.authority)
                    calls.add_metric((*where, "answered"), at.answered)
                    calls.add_metric((*where, "failed"), at.failed)
                    usable.add_metric(where, at.condition.preferred)
                    busy.add_metric(where, at.under_way)
            for mirror in opened.mirrors:
                for (operation, outcome), count in list(mirror.counts.items()):  # another thread collects
                    mirrored.add_metric((mirror.rule.name, operation, outcome), count)
        return calls, usable, busy, mirrored

    def describe(self) -> Iterable[Metric]:
        return ()  # or registering would collect


def governed_services(services: Sequence[Service], read: Read) -> dict[str, Governed]:
    """By API. Raises BadContract with all that is wrong with any of them."""
    found: dict[str, Governed] = {}
    faults: list[str] = []
    for service in services:
        if service.api in found:
            faults.append(f"service {service.name}: the name is taken twice")
        try:
            found[service.api] = governed(service, read)
        except BadContract as error:
            faults.append(str(error))
    if faults:
        raise BadContract("\n".join(faults))
    return found


def services_beside(settings: Settings) -> tuple[Operation, ...]:
    """What the services promise as their files stand beside the settings file, for whoever has no configuration in force."""
    folder = (settings_file() or Path("trivium.toml")).parent
    return operations_of(governed_services(settings.services, lambda name: (folder / name).read_text(encoding="utf-8")))


def operations_of(services: Mapping[str, Governed]) -> tuple[Operation, ...]:
    return tuple(operation for found in services.values() for operation in found.operations)


def _rules(service: Service) -> Rules:
    failing = frozenset(service.retries.statuses) or frozenset({502, 503, 504})
    return Rules(service.retries, service.ejection, service.connections, least=service.balancing == "least", failing=failing)


def _with_path(url: str, base: str) -> str:
    """An upstream without a path of its own is where the document says that its paths begin."""
    return url if Address.of(url).path else url + base
