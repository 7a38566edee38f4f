"""Partners as whoever runs the gateway sees them: a plan, accounts, clients with secrets, and what they used."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.models.base import Instant, Model

PartnerId = Annotated[str, Field(min_length=2, max_length=63, pattern=r"^[a-z][a-z0-9-]*[a-z0-9]$", examples=["acme"])]
AccountName = Annotated[
    str,
    Field(
        max_length=169, pattern=r"^[a-z][a-z0-9-]{0,39}/[A-Za-z0-9][A-Za-z0-9._:@#-]{0,127}$",
        examples=["salesforce/0018d00000AbCdEAAV"], description="CRM connection and the CRM's own account id",
    ),
]  # fmt: skip
AccountNames = Annotated[list[AccountName], Field(max_length=100)]
Plan = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$", examples=["default"])]
ClientId = Annotated[str, Field(min_length=1, max_length=255)]
Scope = Annotated[str, Field(max_length=80, pattern=r"^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*$", examples=["orders:read"])]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=100)]
Network = Annotated[str, Field(min_length=2, max_length=49, examples=["192.0.2.0/24"])]
_PLAIN = r"^[^\u0000-\u001f\u007f]+$"  # one line of text, without control characters
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=_PLAIN)]
Why = Annotated[str, Field(min_length=3, max_length=500, pattern=_PLAIN)]
Calls = Annotated[int, Field(ge=0, le=2**53)]


class PartnerState(StrEnum):
    """Closed is for good; suspended until it is resumed."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class NewPartner(Model):
    """Its id is yours to choose, and names it for ever."""

    id: PartnerId
    name: Name
    plan: Plan = "default"
    accounts: AccountNames = []
    contact: Name


class Partner(Model):
    """Its clients call on `plan` and see `accounts` alone. `reason`: why it is not active."""

    id: PartnerId
    name: Name
    plan: Plan
    accounts: AccountNames
    contact: Name
    state: PartnerState
    reason: Why | None = None
    created_at: Instant
    changed_at: Instant


class Partners(Model):
    """A page of partners by id; `next` is the cursor of the following page."""

    items: Annotated[list[Partner], Field(max_length=200)]
    next: PartnerId | None = None


class PlanChange(Model):
    plan: Plan


class AccountsChange(Model):
    """The accounts from now on, all of them."""

    accounts: AccountNames


class Because(Model):
    """Why it is done; kept with the partner."""

    reason: Why


class NewPartnerClient(Model):
    """`addresses`: the networks it may call from; without them it may call from anywhere."""

    name: Name
    scopes: Scopes
    addresses: Annotated[list[Network], Field(min_length=1, max_length=50)] | None = None


class ClientSecret(Model):
    """Shown here and never again."""

    client_id: ClientId
    client_secret: Annotated[str, Field(min_length=16, max_length=128)]


class RegisteredClient(Model):
    """A client of a partner, or of our own house (no partner)."""

    client_id: ClientId
    name: Annotated[str, Field(max_length=1000)]
    partner: PartnerId | None = None
    scopes: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=200)]
    plan: Annotated[str, Field(max_length=64)]
    active: bool
    secrets: Annotated[int, Field(ge=0, le=10)]
    created_at: Instant


class RegisteredClients(Model):
    """A page of clients by id; `next` is the cursor of the following page."""

    items: Annotated[list[RegisteredClient], Field(max_length=200)]
    next: ClientId | None = None


class Withdrawal(Model):
    """Forget every secret of the client but the one that it uses now."""

    keep: Annotated[str, Field(min_length=16, max_length=128)]


class Withdrawn(Model):
    secrets: Annotated[int, Field(ge=0, le=10)]


class UsageLine(Model):
    """How often one client called one operation on one day (UTC), by the class of the answers' status.

    `none`: the caller left before it was answered.
    """

    day: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    client_id: ClientId
    partner: PartnerId | None = None
    operation: Annotated[str, Field(max_length=255)]
    status: Annotated[str, Field(pattern=r"^([1-5]xx|none)$")]
    calls: Calls


class Usage(Model):
    """A page of usage, the latest day first; `next` is the cursor of the following page."""

    items: Annotated[list[UsageLine], Field(max_length=500)]
    next: Annotated[str, Field(max_length=1200)] | None = None
