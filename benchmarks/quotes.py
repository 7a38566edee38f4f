"""(b) Wall time of quote validation over its slowest single check, every platform answering 100 ms late.

Each check is also made alone in the same round, with all it needs to know: what the slowest takes is what nobody can beat.
"""

from collections.abc import Sequence
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

from benchmarks.measure import ratios, spread, verdict
from benchmarks.sandboxed import Sandboxed, sandboxed
from contracts.models.validation import Verdict
from process_apis.quotes.checks import QUESTIONS, Question
from process_apis.quotes.process import QuoteDecisions

GOAL = 1.15
LATENCY = 0.1  # seconds, added by each platform to each answer
DEADLINE = 10.0  # seconds for a check: none may end for lack of time
ROUNDS = 15


async def measure(out: Console, rounds: int = ROUNDS) -> float:
    """Prints each check alone and all of them together; answers the median ratio."""
    together, alone = list[float](), {question.name: list[float]() for question in QUESTIONS}
    async with sandboxed() as world:
        await _seconds(world, QUESTIONS)  # tokens are fetched once, not by every validation
        await world.slow_down(LATENCY)
        for _ in range(rounds):
            together.append(await _seconds(world, QUESTIONS))
            for question in QUESTIONS:
                alone[question.name].append(await _seconds(world, (question,)))
    found = ratios(together, alone[max(alone, key=lambda name: median(alone[name]))])
    out.print(_table(together, alone, found))
    return median(found)


async def _seconds(world: Sandboxed, questions: Sequence[Question]) -> float:
    decisions = QuoteDecisions(world.systems, world.book, world.house.clock, DEADLINE, questions)
    begun = perf_counter()
    answer = await decisions.validate_quote(world.quote)
    seconds = perf_counter() - begun
    if answer.verdict is not Verdict.OK:
        raise RuntimeError(f"the quote must pass: {answer.model_dump_json(indent=1)}")
    return seconds


def _table(together: list[float], alone: dict[str, list[float]], found: list[float]) -> Table:
    table = Table("what", "ms", "over the slowest check", "goal")
    table.title = f"(b) quote validation, {LATENCY * 1000:.0f} ms vendor latency"
    whole = f"{median(together) * 1000:.0f}"
    table.add_row(f"all {len(alone)} checks", whole, spread(found), verdict(median(found), GOAL), end_section=True)
    for name, seconds in sorted(alone.items(), key=lambda entry: -median(entry[1])):
        table.add_row(f"{name} alone", f"{median(seconds) * 1000:.0f}")
    return table
