"""The audit log as an auditor reads it: who did what, when, through which operation, and how it ended."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from contracts.models.base import Instant, Model

Text = Annotated[str, Field(min_length=1, max_length=255)]


class AuditEntry(Model):
    """One write, refusal or failed proof. `status` 0: the caller left before the answer. `claimed`: a client without its proof.

    `chain` and `seq` are its place, `seal` what seals it; `digest` is the SHA-256 of the body that was sent.
    """

    chain: Annotated[str, Field(max_length=64)]
    seq: Annotated[int, Field(ge=0, le=2**53)]
    seal: Annotated[str, Field(max_length=64)]
    at: Instant
    kind: Annotated[str, Field(max_length=20)]
    client: Text | None = None
    subject: Text | None = None
    partner: Text | None = None
    issuer: Text | None = None
    actor: Text | None = None
    token: Text | None = None
    claimed: Text | None = None
    operation: Text | None = None
    method: Text | None = None
    ids: Annotated[Mapping[str, str], Field(max_length=20)] = {}
    status: Annotated[int, Field(ge=0, le=599)] = 0
    problem: Text | None = None
    correlation_id: Text | None = None
    request_id: Text | None = None
    digest: Text | None = None


class AuditEntries(Model):
    """The latest first; `next` is the cursor of the following page."""

    items: Annotated[list[AuditEntry], Field(max_length=200)]
    next: Annotated[str, Field(max_length=300)] | None = None
