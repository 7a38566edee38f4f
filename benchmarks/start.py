"""(d) From the start of `trivium serve` to the first served requests, and what of it is importing.

The imitations are up already, as platforms are. Fresh: an empty data directory. Warm: the same one again, with a client and a
token from before, so that the first governed call needs nothing but the door.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

from benchmarks.processes import ROOT, Place, answers, place
from gateway.opening import open_house

ROUNDS = 5
GOVERNED = "/process/orders/v1/orders"


@dataclass(frozen=True)
class Begun:
    """Seconds from the start of the process."""

    ready: float
    governed: float | None = None


async def measure(out: Console, rounds: int = ROUNDS) -> Mapping[str, float]:
    """Prints and answers medians in seconds."""
    fresh, warm, nothing, imports = list[Begun](), list[Begun](), list[float](), list[float]()
    for _ in range(rounds):
        nothing.append(await _timed("pass"))
        imports.append(await _timed("import gc; gc.disable(); import trivium.cli"))  # as `-m trivium` does it
        with tempfile.TemporaryDirectory() as folder:
            there = place(folder)
            async with there.sandbox():
                fresh.append(await _start(there))
                token = await _token(there)
                warm.append(await _start(there, token))
    figures = {
        "python itself (-c pass)": median(nothing),
        "imports of `trivium serve`": median(imports),
        "fresh: to the first 200 of /health/ready": median(begun.ready for begun in fresh),
        "warm: to the first 200 of /health/ready": median(begun.ready for begun in warm),
        "warm: to the first 200 of a governed call": median(begun.governed or 0 for begun in warm),
    }
    out.print(_table(figures))
    return figures


async def _start(there: Place, token: str = "") -> Begun:
    begun = perf_counter()
    async with there.running("serve") as process:
        ready = await answers(f"{there.url}/health/ready", process) - begun
        if not token:
            return Begun(ready)
        governed = await answers(f"{there.url}{GOVERNED}", process, {"Authorization": f"Bearer {token}"})
        return Begun(ready, governed - begun)


async def _token(there: Place) -> str:
    """A token that the next process will believe: the signing keys are in the data directory."""
    async with open_house(there.settings(), "bench") as house:
        return house.oauth.tokens.issue("bench", ["orders:read"])


async def _timed(code: str) -> float:
    begun = perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)
    await process.wait()
    return perf_counter() - begun


def _table(figures: Mapping[str, float]) -> Table:
    table = Table("from the start of the process", "ms", "share of the first warm governed call", title="(d) start")
    whole = list(figures.values())[-1]
    for name, seconds in figures.items():
        table.add_row(name, f"{seconds * 1000:.0f}", f"{seconds / whole:.2f}")
    return table
