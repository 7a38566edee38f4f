"""What is kept of every call: two metrics labelled by operationId, and one access log line written by a thread of its own.

A call only leaves a record behind: records are counted in batches, and written elsewhere. Series are bounded by the
contracts: operation × method × status class. The log's buffer is bounded too: when the log cannot keep up, lines are given
up and counted, and no call waits.
"""

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
_LABELS: Final = ("operation", "method", "status")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # callers may make up any other
_BOUNDS: Final = (*map(str, BUCKETS), "+Inf")
Write = Callable[[Mapping[str, Any]], object]


class Record(NamedTuple):
    """One answered call. Status 0: the caller left first."""

    operation: str
    method: str
    path: str
    status: int
    seconds: float
    client: str
    correlation_id: str
    traceparent: str
    request_id: str = ""
    partner: str = ""


class _Series:
    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets, self.seconds = [0] * len(_BOUNDS), 0.0


class Metrics(Collector):
    """`trivium_requests_total` and `trivium_request_seconds`, exact whenever they are collected."""

    def __init__(self, registry: CollectorRegistry, *, batch: int = 500) -> None:
        self.registry, self._batch = registry, batch
        self._fresh: deque[Record] = deque()
        self._series: dict[tuple[str, str, int], _Series] = {}
        self._dropped = 0
        self._counting = threading.Lock()  # the registry may be collected from any thread
        self._followers: list[Callable[[Sequence[Record]], None]] = []
        registry.register(self)

    def add(self, record: Record) -> None:
        self._fresh.append(record)
        if len(self._fresh) >= self._batch:
            self._count()

    def dropped(self) -> None:
        self._dropped += 1

    def follow(self, tell: Callable[[Sequence[Record]], None]) -> None:
        """Tells of every record from now on, once, in batches, when they are counted; see `settle`."""
        self._followers.append(tell)

    def settle(self) -> None:
        """Counts what was added and is not counted yet."""
        self._count()

    def collect(self) -> Iterable[Metric]:
        self._count()
        requests = CounterMetricFamily("trivium_requests", "Calls answered at the door.", labels=_LABELS)
        seconds = HistogramMetricFamily("trivium_request_seconds", "Seconds from head to end of the answer.", labels=_LABELS)
        with self._counting:
            for (operation, method, status), series in sorted(self._series.items()):
                labels = (operation, method, f"{status}xx" if status else "none")
                requests.add_metric(labels, sum(series.buckets))
                seconds.add_metric(labels, list(zip(_BOUNDS, _cumulated(series.buckets), strict=True)), series.seconds)
        return requests, seconds, CounterMetricFamily("trivium_access_log_dropped", "Log lines given up.", self._dropped)

    def describe(self) -> Iterable[Metric]:
        return ()  # or registering would collect

    def _count(self) -> None:
        with self._counting:
            batch = [self._fresh.popleft() for _ in range(len(self._fresh))]
            for record in batch:
                method = record.method if record.method in _METHODS else "other"
                key = (record.operation, method, record.status // 100)
                series = self._series.get(key)
                if series is None:
                    series = self._series[key] = _Series()
                series.buckets[bisect_left(BUCKETS, record.seconds)] += 1
                series.seconds += record.seconds
            for tell in self._followers:
                tell(batch)


class AccessLog:
    """One line a call, buffered and written elsewhere every `pause` seconds."""

    def __init__(
        self, write: Write | None = None, *, on_drop: Callable[[], None] = lambda: None, cap: int = 20_000, pause: float = 0.2
    ) -> None:
        self._write, self._on_drop, self._cap, self._pause = write or _structlog, on_drop, cap, pause
        self._records: deque[Record] = deque()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, record: Record) -> None:
        if len(self._records) >= self._cap:
            self._on_drop()
        else:
            self._records.append(record)

    def start(self) -> None:
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Writes what is buffered, waiting at most two seconds for it."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join(timeout=2)
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            self._drain()
        self._drain()

    def _drain(self) -> None:
        while self._records:
            record = self._records.popleft()
            try:
                self._write(record._asdict())
            except Exception:  # a full disk must not end the log for good
                self._on_drop()


def _cumulated(counts: Iterable[int]) -> list[int]:
    total, found = 0, []
    for count in counts:
        total += count
        found.append(total)
    return found


def _structlog(line: Mapping[str, Any]) -> None:
    structlog.get_logger("access").info("request", **{**line, "seconds": round(line["seconds"], 6)})
