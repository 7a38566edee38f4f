"""`[replays]` and `[cache]`: how long answers are kept to be given again."""

from typing import Annotated

from pydantic import Field

from kernel.sections.base import Section

MEGABYTE = 1_048_576


class Replays(Section):
    """Answers to creates, kept by Idempotency-Key. `lease`: seconds after which a key is free of a process that died."""

    keep_hours: Annotated[int, Field(ge=24, le=24 * 31)] = 24
    largest_answer: Annotated[int, Field(ge=1_024, le=MEGABYTE)] = 262_144  # bytes
    lease: Annotated[float, Field(ge=1, le=60)] = 5.0


class Cache(Section):
    """Answers to reads whose contract says they may be kept; 0 entries: none are."""

    entries: Annotated[int, Field(ge=0, le=1_000_000)] = 10_000
    bytes: Annotated[int, Field(ge=MEGABYTE, le=4096 * MEGABYTE)] = 64 * MEGABYTE
    largest_answer: Annotated[int, Field(ge=1_024, le=16 * MEGABYTE)] = MEGABYTE  # bytes
