"""Contestants take turns in short rounds, so that whatever else the machine does falls on all of them alike."""

import gc
from collections.abc import Awaitable, Callable, Mapping
from statistics import median, quantiles
from time import process_time

Contestant = Callable[[int], Awaitable[None]]  # does so many calls


async def cpu_per_call(contestants: Mapping[str, Contestant], *, rounds: int, calls: int) -> dict[str, list[float]]:
    """Seconds of this process's CPU per call (all threads), one figure a round; the first round of each is not counted.

    Who begins a round rotates: nobody always runs in the cache that another one has warmed.
    """
    names, found = list(contestants), {name: list[float]() for name in contestants}
    for name in names:
        await contestants[name](calls)
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            begun = process_time()
            await contestants[name](calls)
            found[name].append((process_time() - begun) / calls)
    gc.unfreeze()
    return found


def ratios(over: list[float], under: list[float]) -> list[float]:
    """One ratio a round."""
    return [upper / lower for upper, lower in zip(over, under, strict=True)]


def spread(figures: list[float]) -> str:
    """The median, and between which two figures the middle half lies."""
    low, _, high = quantiles(figures, n=4)
    return f"{median(figures):.2f}  ({low:.2f}–{high:.2f})"


def verdict(ratio: float, goal: float) -> str:
    return f"[green]≤ {goal}[/]" if ratio <= goal else f"[red]missed ({goal})[/]"
