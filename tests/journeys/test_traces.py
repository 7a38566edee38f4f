"""One trace leads from the door through the layer and the run's steps to every vendor call, under one correlation id."""

import gzip
import http.server
import threading

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@pytest.fixture
def collector():
    """An OTLP receiver that keeps what it is sent."""
    spans = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                spans.extend(span for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [(), ("--split",)], ids=["one process", "split"])
async def test_an_order_is_one_trace_from_the_door_to_the_vendors(deploy, collector, mode):
    endpoint, spans = collector
    deployment = deploy({"TRIVIUM_TELEMETRY__OTLP_ENDPOINT": endpoint, "TRIVIUM_TELEMETRY__TRACE_RATIO": "1"})
    code, said = await deployment.run("up", "--once", *mode)

    assert code == 0, said
    door = next(span for span in spans if span.name == "experience.sales_desk.v1.place_order")
    names = {span.name for span in spans if span.trace_id == door.trace_id}
    assert "run order" in names
    assert {"create sales order in ERP", "create subscription in billing"} <= {name.removeprefix("step ") for name in names}
    assert {"netsuite.create_sales_order", "stripe.create_subscription", "salesforce.write_quote_references"} <= names
    assert any("/quotes/{connection}/{quote_id}/orders" in name for name in names), "the layer's own span is missing"
