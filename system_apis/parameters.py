"""Parameters that the system APIs share, and the 404 for a look-up that found nothing."""

from typing import Annotated, TypeVar

from fastapi import Path, Query

from contracts.models.base import Code
from kernel.problem import NotFound

T = TypeVar("T")

Connection = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="A configured connection", examples=["stripe"])]
ObjectId = Annotated[
    str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@#-]*$", description="The platform's own id")
]
BusinessKey = Annotated[
    str, Path(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", description="Our key of the object")
]
Codes = Annotated[list[Code], Query(min_length=1, max_length=100, description="Repeat the parameter for each")]
CurrencyCode = Annotated[str, Query(pattern=r"^[A-Z]{3}$", description="ISO 4217")]

MANY_LINES = 1_048_576  # bytes: 500 lines of the longest kind, with room for escapes


def found(value: T | None, what: str) -> T:
    """The value, or a 404 that says what is missing."""
    if value is None:
        raise NotFound(f"there is no {what}")
    return value
