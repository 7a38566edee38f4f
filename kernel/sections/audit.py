"""`[audit]`: what is kept for whoever has to know later who did what."""

from typing import Annotated, Literal

from pydantic import Field

from kernel.secrets import SecretRef
from kernel.sections.base import Section


class Audit(Section):
    """The hash-chained log. `buffer`: entries in memory while the database does not answer; `every`, `anchors`: seconds."""

    enabled: bool = True
    key: SecretRef | None = None
    on_failure: Literal["refuse_writes", "drop_and_count"] = "refuse_writes"
    buffer: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    every: Annotated[float, Field(ge=0.01, le=60)] = 0.2
    anchors: Annotated[float, Field(ge=1, le=86_400)] = 60.0
