"""Spans: a run and its steps belong to the trace of whoever started the run."""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kernel.problem import Refused
from tests.kernel.durable.places import Place, asked
from tests.kernel.durable.stories import Request, Vendor, order


def recorded() -> InMemorySpanExporter:
    """The provider can be set once in a process; whoever came first, we listen."""
    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


async def test_runs_and_steps_join_the_callers_trace(embedded: Place) -> None:
    exporter = recorded()
    vendor = Vendor(Refused("no"))
    async with embedded.engine(order=order(vendor, "erp.create")) as durable:
        with trace.get_tracer("test").start_as_current_span("request") as request:
            await durable.start("order", "Q-1", Request(), asked())
        await durable.wait("order:Q-1", 10)
        await durable.release("order:Q-1", "ann")
        await durable.wait("order:Q-1", 10)

    spans = [span for span in exporter.get_finished_spans() if (span.attributes or {}).get("trivium.run")]
    assert [span.name for span in spans] == ["erp.create", "run order", "erp.create", "run order"]
    assert {span.context.trace_id for span in spans} == {request.get_span_context().trace_id}
    assert spans[0].parent is not None
    assert spans[0].parent.span_id == spans[1].context.span_id
    assert [span.status.is_ok for span in spans] == [False, True, True, True]
