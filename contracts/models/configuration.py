"""The configurations of the gateway: which are kept, which is in force, and what each process goes by."""

from typing import Annotated

from pydantic import Field

from contracts.models.base import Instant, Model, Name, Text

Digest = Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]*$")]
Number = Annotated[int, Field(ge=0, le=2**53)]


class ConfigurationEntry(Model):
    """One configuration that was put in force. `restart`: settings beside it that differ and wait for a restart."""

    number: Number
    digest: Digest
    at: Instant
    by: Name
    reason: Text
    restart: Annotated[list[Name], Field(max_length=1000)] = []


class ProcessStanding(Model):
    """What a process of the deployment goes by. `fault`: why that is not the newest."""

    id: Name
    part: Name
    number: Number
    digest: Digest
    fault: Text | None = None


class ConfigurationHistory(Model):
    """The newest first; the first is the one to follow."""

    items: Annotated[list[ConfigurationEntry], Field(max_length=1000)]
    processes: Annotated[list[ProcessStanding], Field(max_length=1000)]


class ConfigurationWanted(Model):
    """`digest`: of the files that were planned; others are refused. Whatever the files say is put in force where it is absent."""

    digest: Digest | None = None
