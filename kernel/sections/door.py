"""`[door]`: what holds for every answer and every request whatever its operation: CORS, response checks, header limits."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from kernel.sections.base import Section

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")  # as browsers send it (RFC 6454 section 6.2)
SCOPE = r"^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*$"
Checking = Literal["off", "sample", "enforce"]
Classification = Annotated[str, Field(pattern="^(?:internal|confidential|payment|tax)$")]


def _origin(text: str) -> str:
    if text != "*" and not _ORIGIN.fullmatch(text):
        raise ValueError(f"{text!r} is no origin: write scheme and host in lower case, such as https://portal.example.com, or *")
    return text


Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], Field(max_length=200)]


class Cors(Section):
    """Whose pages may read answers in a browser. `max_age`: seconds a browser keeps a preflight's answer."""

    origins: Origins = ()
    credentials: bool = False
    max_age: Annotated[int, Field(ge=0, le=86_400)] = 600

    @model_validator(mode="after")
    def _no_credentials_for_everybody(self) -> Self:
        if self.credentials and "*" in self.origins:
            raise ValueError("credentials are for origins that are named; * is everybody")
        return self


class Door(Section):
    """The door's own settings. Head limits are counts and bytes; `clearance`: the scope that opens a class of fields."""

    cors: Cors = Cors()
    most_headers: Annotated[int, Field(ge=20, le=200)] = 100
    largest_head: Annotated[int, Field(ge=4_096, le=65_536)] = 32_768
    longest_header: Annotated[int, Field(ge=2_048, le=65_536)] = 16_384
    longest_target: Annotated[int, Field(ge=1_024, le=65_536)] = 8_192
    response_validation: Checking = "sample"
    response_sample: Annotated[float, Field(ge=0, le=1)] = 0.01
    clearance: Mapping[Classification, Annotated[str, Field(pattern=SCOPE)]] = {
        "confidential": "fields:confidential", "payment": "fields:payment", "tax": "fields:tax",
    }  # fmt: skip
