"""Secrets are named by where they are kept, read when needed, and never printed.

A reference is {"file": "path"} or {"env": "NAME"}; one that does not resolve fails closed, saying where it looked.
"""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class SecretMissing(ValueError):
    """A secret's reference leads nowhere."""


class SecretRef(BaseModel):
    """Exactly one of: a file holding the secret alone, an environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path | None = None
    env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError('name the secret by one of {file = "path"} or {env = "NAME"}')
        return self

    def resolve(self, relative_to: Path = Path()) -> SecretStr:
        """Reads it now, surrounding white space removed."""
        if self.env is not None:
            found = os.environ.get(self.env, "").strip()
            if not found:
                raise SecretMissing(f"the environment variable {self.env} is not set")
            return SecretStr(found)
        place = relative_to / self.file if self.file else relative_to
        try:
            found = place.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SecretMissing(f"cannot read the secret file {place}: {error.strerror}") from None
        if not found:
            raise SecretMissing(f"the secret file {place} is empty")
        return SecretStr(found)
