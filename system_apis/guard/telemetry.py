"""Every attempt at a platform leaves a span, a count, a duration, and, when it fails, a log event."""

from types import TracebackType

import structlog
from opentelemetry import context as otel
from opentelemetry import trace
from prometheus_client import Counter, Histogram

from kernel.clock import Clock
from kernel.context import correlation_id
from kernel.problem import Problem

CALLS = Counter("trivium_platform_calls", "Attempts at connected platforms", ["connection", "operation", "outcome"])
SECONDS = Histogram("trivium_platform_call_seconds", "Their durations, waiting included", ["connection", "operation"])

_tracer = trace.get_tracer("trivium.guard")
_log = structlog.get_logger("trivium.guard")


class Watch:
    """What is observed of one operation of one connection."""

    def __init__(self, vendor: str, connection: str, operation: str, clock: Clock) -> None:
        self.connection, self.operation, self.clock = connection, operation, clock
        self.span_name = f"{vendor}.{operation}"
        self.seconds = SECONDS.labels(connection, operation)
        self._counts: dict[str, Counter] = {}

    def attempt(self, number: int) -> "Attempt":
        return Attempt(self, number)

    def count(self, outcome: str) -> None:
        if outcome not in self._counts:
            self._counts[outcome] = CALLS.labels(self.connection, self.operation, outcome)
        self._counts[outcome].inc()


class Attempt:
    """A context around one attempt. `outcome` is ok, a problem's slug, or the name of another exception."""

    __slots__ = ("_began", "_number", "_span", "_token", "_watch")

    def __init__(self, watch: Watch, number: int) -> None:
        self._watch, self._number = watch, number

    def __enter__(self) -> None:
        watch = self._watch
        self._began = watch.clock.monotonic()
        attributes: dict[str, str | int] = {"trivium.connection": watch.connection, "trivium.attempt": self._number}
        self._span = _tracer.start_span(watch.span_name, kind=trace.SpanKind.CLIENT, attributes=attributes)
        # A span that nobody records needs no context of its own: its parent's does as well.
        self._token = otel.attach(trace.set_span_in_context(self._span)) if self._span.is_recording() else None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> None:
        watch, outcome = (
            self._watch,
            "ok" if error is None else error.slug if isinstance(error, Problem) else type(error).__name__,
        )
        seconds = watch.clock.monotonic() - self._began
        watch.count(outcome)
        watch.seconds.observe(seconds)
        if error is not None:
            self._span.set_status(trace.StatusCode.ERROR, outcome)
            self._tell(error, outcome, seconds)
        if self._token is not None:
            otel.detach(self._token)
        self._span.end()

    def _tell(self, error: BaseException, outcome: str, seconds: float) -> None:
        watch = self._watch
        expected = isinstance(error, Problem) and not error.retryable
        (_log.info if expected else _log.warning)(
            "platform call failed",
            connection=watch.connection,
            operation=watch.operation,
            attempt=self._number,
            problem=outcome,
            detail=error.detail if isinstance(error, Problem) else None,
            milliseconds=round(seconds * 1000),
            correlation_id=correlation_id.get(),
        )


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    return error.slug if isinstance(error, Problem) else type(error).__name__
