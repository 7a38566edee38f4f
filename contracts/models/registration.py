"""Applications for registration as whoever decides on them sees them: what a client says of itself, and what became of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.models.base import Instant, Model
from contracts.models.partner import AccountNames, ClientId, Name, PartnerId, Plan, Scopes, Why

RegistrationId = Annotated[str, Field(pattern=r"^tvg_[0-9a-f]{20}$", examples=["tvg_0123456789abcdef0123"])]
Words = Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=10)]


class RegistrationState(StrEnum):
    """A decision is for good."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Registration(Model):
    """One application. `keys`: how many public keys came with it; `client_id`: the client it became."""

    id: RegistrationId
    state: RegistrationState
    name: Name
    scopes: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=1000)]
    grant_types: Words
    redirect_uris: Words
    auth_method: Annotated[str, Field(max_length=100)]
    contacts: Words
    keys: Annotated[int, Field(ge=0, le=100)]
    client_id: ClientId | None = None
    decided_by: Annotated[str, Field(max_length=255)] | None = None
    decided_at: Instant | None = None
    reason: Why | None = None
    created_at: Instant


class Registrations(Model):
    """The oldest first, at most 200."""

    items: Annotated[list[Registration], Field(max_length=200)]


class Approval(Model):
    """`scopes` may be fewer than were asked for. With a `partner`: its plan, and its accounts or fewer."""

    scopes: Scopes | None = None
    plan: Plan = "default"
    partner: PartnerId | None = None
    accounts: AccountNames | None = None


class Rejection(Model):
    """The applicant is told the reason."""

    reason: Why
