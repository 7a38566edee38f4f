"""`[decisions]` and `[configuration]`: how long the door can say why it decided, and how it takes a new configuration."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from kernel.sections.base import Section


class Decisions(Section):
    """The decision log: every refusal, and successes as far as these numbers go. `most` rows are kept, the newest."""

    keep_days: Annotated[float, Field(gt=0, le=90)] = 1.0
    successes: Annotated[float, Field(ge=0, le=1)] = 1.0  # the share of successes that is kept…
    successes_per_second: Annotated[int, Field(ge=0, le=100_000)] = 200  # …and how many a second of each process at most
    most: Annotated[int, Field(ge=1_000, le=100_000_000)] = 500_000


class Configuration(Section):
    """`contracts`: the directory of the promises, relative to the settings file; the program's own when none is named.

    `strict`: a broken configuration stops the start, instead of the last good one being used.
    """

    contracts: Path | None = None
    strict: bool = False
    follow: Annotated[float, Field(ge=0.05, le=60)] = 0.5  # seconds between looks at what another process has put in force
    history: Annotated[int, Field(ge=2, le=1000)] = 50  # configurations that can be gone back to
