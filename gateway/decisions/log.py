"""The decision log of one process: trails wait in a bounded buffer, and a thread makes receipts of them and writes these.

No call waits for it. What cannot be kept (the buffer is full, the database is away) is given up and counted.
"""

import json
import random
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.models.receipt import Receipt
from gateway.decisions.receipt import contract_digest, receipt, rules, told
from gateway.decisions.store import DecisionStore, Row, row_of
from gateway.decisions.trail import Trail
from gateway.pipeline import Operation
from kernel.clock import Clock
from kernel.sections.decisions import Decisions

CAP = 10_000  # trails waiting to be written
MOST_RULES = 50_000  # operations, over all configurations, of which this process knows that they are written
PURGE_EVERY = 60.0  # seconds
_ASIDE = "unrouted"


class Kept:
    """Where the trails of one configuration go. `chains`: the policies of each operation, known once its door is built."""

    def __init__(self, log: "DecisionLog", configuration: str, settings: Decisions) -> None:
        self.configuration, self._log, self._share = configuration, log, settings.successes
        self.chains: Mapping[str, tuple[str, ...]] = {}
        self._digests: dict[int, str] = {}

    def wants(self, status: int) -> bool:
        """Every refusal; of successes a share, and no more a second than the settings say."""
        if not 0 < status < 400:
            return True
        log = self._log
        if log.room <= 0 or (self._share < 1 and random.random() >= self._share):
            return False
        log.room -= 1
        return True

    def add(self, trail: Trail) -> None:
        self._log.add(self, trail)

    def rules_of(self, operation: Operation) -> Row:
        chain = self.chains.get(operation.id) or self.chains.get(_ASIDE) or ("application",)
        return rules(operation, chain, self._digest(operation))

    def _digest(self, operation: Operation) -> str:
        if operation.document is None:
            return ""
        known = self._digests.get(id(operation.document))  # the operation keeps it alive, and this the operation's contract
        if known is None:
            known = self._digests[id(operation.document)] = contract_digest(operation)
        return known


class DecisionLog(Collector):
    """Opened once a process; `under` gives each configuration its own entrance."""

    def __init__(
        self, store: DecisionStore, settings: Decisions, clock: Clock, registry: CollectorRegistry, *, pause: float = 0.2
    ) -> None:
        self.settings, self._store, self._clock, self._pause = settings, store, clock, pause
        self._waiting: deque[tuple[Kept, Trail]] = deque()
        self._written: set[tuple[str, str]] = set()
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._purge_at = monotonic()
        self._failing = False
        self.dropped = 0
        self.room = self._allowance()
        self._registry = registry
        registry.register(self)

    def under(self, configuration: str, settings: Decisions) -> Kept:
        return Kept(self, configuration, settings)

    def add(self, kept: Kept, trail: Trail) -> None:
        if len(self._waiting) >= CAP:
            self.dropped += 1
        else:
            self._waiting.append((kept, trail))

    def start(self) -> None:
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Writes what waits, taking at most two seconds for it."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join(timeout=2)
            self._thread = None
        else:
            self.flush()
        self._registry.unregister(self)
        self._store.close()

    def find(self, request_id: str) -> tuple[Receipt, str] | None:
        """Blocking. The receipt, and the partner whose call it was ("": none)."""
        found = self._store.find(request_id)
        if found is None and self._waiting:
            self.flush()
            found = self._store.find(request_id)
        return None if found is None else (receipt(*found), str(found[0]["partner"]))

    def flush(self) -> None:
        """Blocking. Writes what waits now."""
        with self._writing:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), 500))]
                try:
                    self._write(batch)
                    self._failing = False
                except Exception as error:  # a database that is away must not end the log for good
                    self.dropped += len(batch)
                    self._complain(error)

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily("trivium_decisions_dropped", "Receipts given up.", self.dropped)

    def describe(self) -> Iterable[Metric]:
        return ()

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            self.room = self._allowance()
            self.flush()
            if monotonic() >= self._purge_at:
                self._purge()
        self.flush()

    def _allowance(self) -> int:
        return max(int(self.settings.successes_per_second * self._pause), 1 if self.settings.successes_per_second else 0)

    def _write(self, batch: list[tuple[Kept, Trail]]) -> None:
        self._store.open()
        ruled = {(kept.configuration, trail.operation.id): (kept, trail) for kept, trail in batch}
        fresh = {key: _ruled(*found) for key, found in ruled.items() if key not in self._written}
        self._store.write([_row(kept, trail) for kept, trail in batch], list(fresh.values()))
        if len(self._written) > MOST_RULES:
            self._written.clear()
        self._written.update(fresh)

    def _purge(self) -> None:
        self._purge_at = monotonic() + PURGE_EVERY
        before = int((self._clock.now().timestamp() - self.settings.keep_days * 86_400) * 1000)
        self._written.clear()  # what is forgotten is written again when it is needed again
        try:
            while self._store.forget(before, self.settings.most) and not self._stopping.is_set():
                pass
        except Exception as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        if not self._failing:  # once, not five times a second
            structlog.get_logger("decisions").error("receipts cannot be written", reason=type(error).__name__)
        self._failing = True


def _row(kept: Kept, trail: Trail) -> Row:
    record = trail.record
    named = {"request_id": record.request_id, "operation": record.operation[:200]}
    caller = trail.caller
    return row_of(int(trail.at * 1000), kept.configuration, record.status, caller.client, caller.partner, named, told(trail))


def _ruled(kept: Kept, trail: Trail) -> Row:
    operation: Operation = trail.operation
    said: Any = kept.rules_of(operation)
    return {
        "configuration": kept.configuration, "operation": trail.record.operation[:200], "at": int(trail.at * 1000),
        "told": json.dumps(said, ensure_ascii=False),
    }  # fmt: skip
