"""Counting is exact and bounded; the log never holds a call up, and what it gives up is counted."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from gateway.observe import BUCKETS, AccessLog, Metrics, Record


def _record(seconds: float = 0.001, status: int = 200, operation: str = "get_order") -> Record:
    return Record(operation, "GET", "/orders", status, seconds, "acme", "c-0000001", "00-a-b-00")


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from([0, 200, 204, 404, 429, 500])), max_size=60))
def test_every_call_is_counted_once_in_its_bucket(calls: list[tuple[float, int]]) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, batch=7)
    for seconds, status in calls:
        metrics.add(_record(seconds, status))
    found = registry.get_sample_value

    for status in {status // 100 for _, status in calls}:
        labels = {"operation": "get_order", "method": "GET", "status": f"{status}xx" if status else "none"}
        own = [seconds for seconds, code in calls if code // 100 == status]
        assert found("trivium_requests_total", labels) == len(own)
        assert found("trivium_request_seconds_sum", labels) == pytest.approx(sum(own))
        for bound in BUCKETS:
            within = found("trivium_request_seconds_bucket", {**labels, "le": str(bound)})
            assert within == sum(seconds <= bound for seconds in own)


def test_the_exposition_is_what_prometheus_reads() -> None:
    registry = CollectorRegistry()
    Metrics(registry).add(_record(0.003))
    text = generate_latest(registry).decode()

    assert "# TYPE trivium_requests_total counter" in text
    assert "# TYPE trivium_request_seconds histogram" in text
    assert 'trivium_request_seconds_bucket{le="0.005",method="GET",operation="get_order",status="2xx"} 1.0' in text
    assert 'le="+Inf"' in text


def test_a_log_that_cannot_keep_up_gives_lines_up_and_says_how_many() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    stuck, written = threading.Event(), list[Mapping[str, Any]]()

    def slow(line: Mapping[str, Any]) -> None:
        stuck.wait(5)
        written.append(line)

    log = AccessLog(slow, on_drop=metrics.dropped, cap=10, pause=0.01)
    for _ in range(50):
        log.add(_record())
    log.start()
    stuck.set()
    log.stop()

    assert len(written) == 10
    assert registry.get_sample_value("trivium_access_log_dropped_total") == 40


def test_a_full_disk_does_not_end_the_log() -> None:
    written, dropped = list[Mapping[str, Any]](), list[int]()

    def full_at_first(line: Mapping[str, Any]) -> None:
        if len(dropped) < 3:
            raise OSError(28, "No space left on device")
        written.append(line)

    log = AccessLog(full_at_first, on_drop=lambda: dropped.append(1), pause=0.01)
    for _ in range(5):
        log.add(_record())
    log.start()
    log.stop()

    assert (len(written), len(dropped)) == (2, 3)


def test_a_line_is_an_event_with_its_fields() -> None:
    log = AccessLog()
    log.add(_record(0.0012345678))
    with structlog.testing.capture_logs() as logs:
        log.start()
        log.stop()

    assert logs[0]["event"] == "request"
    assert (logs[0]["operation"], logs[0]["status"], logs[0]["seconds"]) == ("get_order", 200, 0.001235)


def test_the_log_can_be_started_again() -> None:
    written = list[Mapping[str, Any]]()
    log = AccessLog(written.append)
    for _ in range(2):
        log.start()
        log.add(_record())
        log.stop()

    assert len(written) == 2
