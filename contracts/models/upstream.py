"""How foreign services and their shadows do, as one process of the gateway sees them."""

from typing import Annotated

from pydantic import Field

from contracts.models.base import Instant, Model, Name

Count = Annotated[int, Field(ge=0)]
Status = Annotated[int, Field(ge=100, le=599)]


class UpstreamStanding(Model):
    """One address. `usable`: it takes its turn; `healthy`: what the active checks say."""

    address: Name
    usable: bool
    healthy: bool
    under_way: Count
    answered: Count
    failed: Count


class ServiceStanding(Model):
    """One service, or the upstreams of a canary. `notes`: what of its document passes unchecked or is not offered."""

    api: Name
    upstreams: Annotated[list[UpstreamStanding], Field(max_length=100)]
    repeated: Count
    notes: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=2000)] = []


class Services(Model):
    """Those of the configuration in force."""

    items: Annotated[list[ServiceStanding], Field(max_length=2000)]


class Comparison(Model):
    """How the answers of one operation compared. `skipped`: they cannot be repeated; `dropped`: the line was full."""

    operation: Name
    same: Count = 0
    different: Count = 0
    failed: Count = 0
    skipped: Count = 0
    dropped: Count = 0


class MirrorDifference(Model):
    """Where a shadow answered otherwise: pointers into the answers, never values."""

    operation: Name
    at: Instant
    real_status: Status
    shadow_status: Status
    pointers: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=20)]


class MirrorStanding(Model):
    """One mirror since this process took over the configuration."""

    name: Name
    api: Name
    operations: Annotated[list[Comparison], Field(max_length=10_000)]
    latest: Annotated[list[MirrorDifference], Field(max_length=100)]


class Mirrors(Model):
    """Those of the configuration in force."""

    items: Annotated[list[MirrorStanding], Field(max_length=1000)]
