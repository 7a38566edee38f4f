"""`[catalog]`: the pages at /catalog on which APIs are found, read and tried."""

from typing import Annotated, Literal

from pydantic import Field

from kernel.sections.base import Section


class Catalog(Section):
    """`open`: when somebody without a token sees what is not public. `client_id`: the client whose users sign in on the pages."""

    enabled: bool = True
    open: Literal["never", "sandbox", "always"] = "sandbox"
    sandbox_tokens: bool = True
    client_id: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")] = ""
