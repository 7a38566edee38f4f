"""A part of a scorecard: how good one side of an API is, and what it would take to be better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """`score`: 0 to 100; None where nothing can be said, and then it does not count. `why`: what was found."""

    name: str
    weight: int
    score: int | None
    why: str


def share(part: int, whole: int) -> int:
    """In percent, rounded down: only all of it is 100."""
    return 100 * part // whole if whole else 100
