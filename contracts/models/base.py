"""The one base of all models, and the bounded types they share: nothing we accept or answer is unbounded."""

from types import NoneType
from typing import Annotated, Any, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Immutable, closed to unknown members; absent and null mean the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """What may be null may be absent: answers leave null members out, and whoever reads them must find them again."""
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if NoneType in get_args(field.annotation) and field.is_required():
                raise TypeError(f"{cls.__name__}.{name} may be null, so give it the default None")


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/#-]*$")]
Key = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
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
