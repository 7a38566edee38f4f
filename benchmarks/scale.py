"""(g) Ten thousand operations in two hundred contracts: from the files to a door that is ready, and finding one path among them.

What is built is what `trivium serve` builds: the configuration read, checked, recorded and kept, and a chain for each operation.
"""

import gc
import resource
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import process_time

from rich.console import Console
from rich.table import Table
from starlette.types import ASGIApp

from benchmarks import estate
from benchmarks.measure import verdict
from gateway.contracts import load_texts
from gateway.governed import governed
from gateway.house import House
from gateway.opening import open_house
from gateway.pipeline import Call, Forward, Operation
from gateway.routes import Router
from kernel.settings import Settings, Telemetry

CONTRACTS, ROUNDS, PATHS = 200, 3, 20_000
GOAL = 3.0  # seconds
SAME = 1.5  # one path among all over one path among fifty: what other memory in the caches costs


class Nobody:
    """Behind each operation."""

    def forward(self, _: Operation) -> Forward:
        return _nowhere


async def _nowhere(_: Call) -> None:
    return None


async def measure(out: Console, contracts: int = CONTRACTS, rounds: int = ROUNDS) -> Mapping[str, float]:
    """Prints and answers the medians: seconds of CPU (all threads), and the ratio of the routing."""
    fresh, again = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "contracts" / "openapi"
        size = sum(map(len, estate.write(there, contracts).values()))
        for number in range(rounds):
            settings = Settings(
                data=Path(folder) / f"data-{number}", telemetry=Telemetry(log_level="warning"), configuration={"contracts": there}
            )
            fresh.append(await _start(settings))
            again.append(await _start(settings))
    figures = {"fresh": median(fresh), "again": median(again), "routing": _routing(contracts)}
    out.print(_table(figures, contracts, size))
    return figures


async def _start(settings: Settings) -> float:
    begun = process_time()
    async with open_house(settings, "bench", promised=()) as house:
        await governed(house, "bench", _furnish)
        taken = process_time() - begun
    gc.collect()
    return taken


async def _furnish(house: House) -> ASGIApp:
    return house.door(house.promised, {operation.api: Nobody() for operation in house.promised}, issues_tokens=True)


def _routing(contracts: int) -> float:
    """One path found among all operations, over the same among those of one contract."""
    few, many = (Router((each, _nowhere) for each in load_texts(dict(estate.texts(count)))) for count in (1, contracts))
    return median(_finding(many) / _finding(few) for _ in range(9))


def _finding(router: Router) -> float:
    begun = process_time()
    for _ in range(PATHS):
        router.find(["process", "estate-000", "v1", "orders", "o-1"])
    return process_time() - begun


def _table(figures: Mapping[str, float], contracts: int, size: int) -> Table:
    title = f"(g) {contracts * estate.OPERATIONS:,} operations in {contracts} contracts of {size // contracts // 1000} kB"
    table = Table("what", "figure", "goal", title=title)
    table.add_row("start, fresh data directory", f"{figures['fresh']:.2f} s CPU", verdict(figures["fresh"], GOAL))
    table.add_row("start, the same again", f"{figures['again']:.2f} s CPU", verdict(figures["again"], GOAL))
    table.add_row("finding a path, over the same among 50", f"{figures['routing']:.2f}", verdict(figures["routing"], SAME))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    table.add_row("most memory of the process (two of them at a time)", f"{peak} MB", "")
    return table
