"""`[replays]` and `[cache]`: how long answers are kept to be given again."""

from kernel.sections.base import Section


class Replays(Section):
    """Answers to creates, kept by Idempotency-Key."""


class Cache(Section):
    """Answers to reads whose contract says they may be kept."""
