"""The one base of all models, and the bounded types they share: nothing we accept or answer is unbounded."""

import re
from datetime import date
from types import NoneType
from typing import Annotated, Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

Classification = Literal["public", "internal", "confidential", "payment", "tax"]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def classified(name: Classification) -> dict[str, JsonValue]:
    """For `json_schema_extra`: who may see the field is decided at the door, by this."""
    return {"x-trivium-classification": name}


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


def _whole(value: Any) -> Any:
    """To JSON Schema 30.0 is an integer (2020-12, section 6.1.1); true and "30" are none, which strictness sees to."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written_out(value: Any) -> Any:
    """A number, or a text that holds one, would be taken for seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("send the date as a string such as '2026-06-15'")


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/#-]*$")]
Key = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
ConnectionId = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9-]*$")]
Code = Annotated[str, Field(min_length=1, max_length=64)]
CorrelationId = Annotated[str, Field(min_length=1, max_length=128)]
Name = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(max_length=2000)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Email = Annotated[
    str, Field(min_length=3, max_length=254, pattern=r"^[^@ ]+@[^@ ]+$", json_schema_extra=classified("confidential"))
]
TaxId = Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=classified("tax"))]
Whole = BeforeValidator(_whole)
Quantity = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000), Whole]
Months = Annotated[int, Field(strict=True, ge=1, le=120), Whole]
Days = Annotated[int, Field(strict=True, ge=0, le=3650), Whole]
Day = Annotated[date, BeforeValidator(_written_out)]
Instant = AwareDatetime
