"""`[oauth]`: tokens, keys, and what portal users and applicants get."""

from typing import Annotated

from pydantic import Field

from kernel.secrets import SecretRef
from kernel.sections.base import Section

Days = Annotated[float, Field(gt=0, le=400)]


class OAuth(Section):
    """`audiences` are accepted and issued beside the public URL. `registrations`: how many may wait; 0: nobody can apply."""

    audiences: list[str] = []
    key_encryption: SecretRef | None = None
    key_rotation_days: Annotated[float, Field(gt=0, le=400)] = 30
    refresh_idle_days: Days = 14
    refresh_longest_days: Days = 90
    registrations: Annotated[int, Field(ge=0, le=10_000)] = 100
