"""A door before one service, as a process of its own whose memory can be measured: `python streaming_door.py UPSTREAM_URL`.

Says its port in one line, serves until its input ends, then says how many kilobytes it had at most.
"""

import asyncio
import json
import resource
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry

from gateway.door import Door
from gateway.limits.limiter import Limiter
from gateway.observe import AccessLog, Metrics
from gateway.pipeline import Operation, Policy
from gateway.policies import Means, policies
from gateway.policies.trace import Observation
from gateway.server import options
from gateway.services.foreign import Means as Surroundings
from gateway.services.foreign import Opened
from gateway.services.overlay import governed
from gateway.upstreams.lease import Lease
from kernel.clock import SystemClock
from kernel.sections.services import Service

ANY = {"content": {"application/octet-stream": {}}}
DOCUMENT = {
    "openapi": "3.1.0", "info": {"title": "Blobs", "version": "1.0.0"},
    "paths": {"/blob": {"get": {"operationId": "read_blob"}, "put": {"operationId": "write_blob", "requestBody": ANY}}},
}  # fmt: skip


def _nobody_is_asked(_: Operation) -> Policy | None:
    return None


async def serve(url: str) -> None:
    service = Service(
        name="blobs", contract=Path("blobs.json"), prefix="/blobs/v1", upstreams=[url], max_body=10**9, timeout=30,
        public=["read_blob", "write_blob"], limits={"default": [{"policy": "burst", "quota": 100_000, "window": 60}]},
    )  # fmt: skip
    found = governed(service, lambda _: json.dumps(DOCUMENT))

    async def nothing(_: object) -> list[tuple[bytes, bytes]]:
        return []

    opened = Opened(Surroundings(Path(), SystemClock(), Lease(), nothing))
    opened.serve(found)
    metrics = Metrics(CollectorRegistry())
    means = Means(Observation(metrics, AccessLog(lambda _: None)), _nobody_is_asked, Limiter(clock=SystemClock()))
    door = Door(found.operations, policies=policies(means), dispatch=opened.dispatch({}, found.operations))
    place = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(door, log_level="critical", lifespan="off", **options()))
    serving = asyncio.create_task(server.serve(sockets=[place]))
    sys.stdout.write(f"{place.getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving
    await opened.close()
    sys.stdout.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}\n")


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
