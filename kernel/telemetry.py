"""Logs as JSON lines without secrets, and traces that cross layers and platforms; both decided once at start.

Redaction is by the name of the field and by the shape of the value: what looks like a credential never reaches a line.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import structlog
from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from kernel.context import caller, correlation_id
from kernel.settings import Telemetry

REDACTED = "[redacted]"
COUNTED = "access"
_NAMES = re.compile(
    r"secret|password|passwd|token(?!_id)|authorization|api[-_]?key|assertion|private|credential|cookie|signature", re.I
)
_VALUES = re.compile(
    r"(?:(?:sk|rk|pk|whsec|tvs)_[A-Za-z0-9_]{6,})|(?:eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)"
    r"|(?:(?i:bearer|basic) [A-Za-z0-9+/=._~-]{8,})|(?:-----BEGIN [A-Z ]*PRIVATE KEY-----)"
)


def redacted(value: Any, name: str = "") -> Any:
    """The value without what looks like a credential, however deep it lies."""
    if name and _NAMES.search(name):
        return REDACTED
    match value:
        case str():
            return _VALUES.sub(REDACTED, value)
        case Mapping():
            return {key: redacted(inner, str(key)) for key, inner in value.items()}
        case list() | tuple():
            return [redacted(inner) for inner in value]
        case bytes():
            return f"<{len(value)} bytes>"
    return value


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: redacted(value, name) for name, value in event.items()}


def _identify(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if correlation_id.get():
        event.setdefault("correlation_id", correlation_id.get())
    if caller.get().client:
        event.setdefault("client", caller.get().client)
    return event


class Lenient(structlog.WriteLogger):
    """A full disk stops nobody: a line that cannot be written is lost."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def _loggers(stream: TextIO) -> Callable[..., structlog.WriteLogger]:
    """By name: the access log counts the lines it loses, so it is told of each."""
    counting, lenient = structlog.WriteLogger(stream), Lenient(stream)
    return lambda *names: counting if COUNTED in names else lenient


def configure_logs(settings: Telemetry) -> None:
    """Everything that logs, ours or a library's, as one JSON line (or, for people, a coloured one) on standard error."""
    render: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)  # never the locals of a frame
    )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _identify,
        structlog.processors.format_exc_info,
        _redact,
    ]
    level = getattr(logging, settings.log_level.upper())
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_loggers(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def configure_traces(settings: Telemetry, service: str) -> TracerProvider | None:
    """Sends sampled spans to the OTLP endpoint; None, and no cost, when there is no endpoint."""
    if settings.otlp_endpoint is None:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # costs start-up time

    sampler = ParentBased(TraceIdRatioBased(settings.trace_ratio))
    provider = TracerProvider(resource=Resource.create({"service.name": service}), sampler=sampler)
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


@contextmanager
def span_of(name: str, traceparent: str, **attributes: str) -> Iterator[None]:
    """The door's own span for a sampled call, child of whatever the caller's traceparent names."""
    parent = propagate.extract({"traceparent": traceparent})
    with trace.get_tracer("trivium").start_as_current_span(name, parent, kind=trace.SpanKind.SERVER, attributes=attributes):
        yield
