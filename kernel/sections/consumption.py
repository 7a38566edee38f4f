"""`[consumption]`: which calls the door looks at to know who uses what."""

from typing import Annotated

from pydantic import Field

from kernel.sections.base import Section


class Consumption(Section):
    """`sample`: of each client and operation the first call of a day in each process, and then each so-manieth, is looked at.
    `keep_days`: `trivium contracts impact` and `retire` look 30 days back."""

    enabled: bool = True
    sample: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    keep_days: Annotated[int, Field(ge=30, le=400)] = 90
