"""(a) as a table: what a governed call costs over the bare one, and what a hand-made guard costs."""

from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks import door, over_http
from benchmarks.measure import ratios, spread, verdict

GOAL = 1.3  # for the call in process


async def measure(out: Console) -> dict[str, float]:
    """Prints the table; answers the median ratio of each request in process."""
    table = Table("request", "bare µs", "governed µs", "by hand µs", "governed / bare", "goal", "by hand / bare")
    table.title = "(a) CPU per request"
    found = {}
    for name, seconds in (await door.in_process()).items():
        found[name] = median(ratios(seconds["governed"], seconds["bare"]))
        table.add_row(f"{name}, in process", *_row(seconds, verdict(found[name], GOAL)))
    for name, seconds in (await over_http.measure()).items():
        table.add_row(f"{name}, behind uvicorn", *_row(seconds, ""))
    out.print(table)
    return found


def _row(seconds: dict[str, list[float]], goal: str) -> list[str]:
    micros = [f"{median(seconds[name]) * 1e6:.0f}" for name in ("bare", "governed", "peer")]
    return [*micros, spread(ratios(seconds["governed"], seconds["bare"])), goal, spread(ratios(seconds["peer"], seconds["bare"]))]
