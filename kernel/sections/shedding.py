"""`[shedding]`: when this process takes fewer calls than are asked of it, and how long a slow connection is borne."""

from typing import Annotated

from pydantic import Field

from kernel.sections.base import Section

Seconds = Annotated[float, Field(gt=0, le=3600)]


class Shedding(Section):
    """`target`: seconds that what arrives may stand in this process's queue; when it is longer, and not for a moment only, a
    growing share of the calls is refused, the least important first. `interval`: seconds after which the share may shrink again.
    `in_flight`: calls under way at once.

    `head`: seconds a request's head may take. `stall`: seconds a connection may neither bring nor take a byte of a body.
    `keep_alive`: seconds an idle connection is kept. `connections`: how many are open at once.
    """

    enabled: bool = True
    target: Annotated[float, Field(gt=0, le=60)] = 0.25
    interval: Annotated[float, Field(gt=0, le=60)] = 0.5
    in_flight: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    head: Seconds = 10.0
    stall: Seconds = 30.0
    keep_alive: Seconds = 15.0
    connections: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
