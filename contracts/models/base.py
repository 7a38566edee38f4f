"""The one base of all models, and the bounded types they share: nothing we accept or answer is unbounded."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Immutable, closed to unknown members; absent and null mean the same."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="float")


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/#-]*$")]
Key = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
ConnectionId = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9-]*$")]
Code = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(max_length=2000)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@ ]+@[^@ ]+$")]
Quantity = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
Months = Annotated[int, Field(strict=True, ge=1, le=120)]
Days = Annotated[int, Field(strict=True, ge=0, le=3650)]
Instant = AwareDatetime
