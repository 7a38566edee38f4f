"""What the door decided about one call and why, without secrets: who asked, what held, which policy decided, what it took."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.models.base import CorrelationId, Instant, Model, Name

Seconds = Annotated[float, Field(ge=0)]
Digest = Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]*$")]
Policies = Annotated[list[Name], Field(max_length=100)]


class TokenFacts(Model):
    """What the token proved; never the token. `age`: seconds since it was issued."""

    client: Name
    subject: Name
    scopes: Annotated[list[Name], Field(max_length=1000)] = []
    plan: Name
    partner: Name | None = None
    issuer: Annotated[str, Field(max_length=1000)] | None = None
    key_id: Name | None = None
    age: Seconds | None = None


class LimitState(Model):
    """One limit as the call met it. `before` and `after`: calls left; `reset`: seconds until more can be had."""

    policy: Name
    quota: int
    window: int | None = None
    before: int | None = None
    after: int | None = None
    reset: int | None = None


class Behind(Model):
    """Where the call went once the door let it through, and what that took."""

    api: Name
    by: Literal["application", "upstream"]
    seconds: Seconds


class Receipt(Model):
    """One call, decided. `ran`: the policies that had their say, in order; `decided_by`: whose word was the last."""

    request_id: Annotated[str, Field(min_length=1, max_length=64)]
    at: Instant
    method: Annotated[str, Field(max_length=64)]
    path: Annotated[str, Field(max_length=1024)]
    status: Annotated[int, Field(ge=0, le=599)]
    operation: Name
    api: Name
    version: Annotated[str, Field(max_length=64)]
    contract_digest: Digest
    configuration: Digest
    ran: Policies
    decided_by: Name
    problem: Annotated[str, Field(max_length=300)] | None = None
    seconds: Seconds
    behind: Behind | None = None
    token: TokenFacts | None = None
    limits: Annotated[list[LimitState], Field(max_length=100)] = []
    facts: Mapping[str, Any] = {}
    correlation_id: CorrelationId
    trace_id: Annotated[str, Field(max_length=64)]
