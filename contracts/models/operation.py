"""Durable work as a caller follows it: the operation, its steps, and the problem that holds or ended it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.models.base import Code, CorrelationId, Id, Instant, Model, Name, Text


class ProblemBody(Model):
    """RFC 9457, with the field at fault, the system that said so and the fix."""

    model_config = {"extra": "allow"}

    type: Annotated[str, Field(max_length=200)]
    title: Name
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Text
    field: Name | None = None
    system: Name | None = None
    fix: Text | None = None
    correlation_id: CorrelationId | None = None
    instance: Annotated[str, Field(max_length=200)] | None = None


StepState = Literal["running", "done", "retrying", "held", "undone"]


class OperationStep(Model):
    name: Name
    state: StepState
    attempts: Annotated[int, Field(ge=0, le=1_000_000)]
    started_at: Instant
    finished_at: Instant | None = None
    problem: Mapping[str, Any] | None = None


class Operation(Model):
    """One piece of durable work. `done` once nothing more will happen; `resource` is what it works on."""

    id: Id
    process: Code
    state: Code
    done: bool
    correlation_id: CorrelationId
    created_at: Instant
    updated_at: Instant
    waiting_for: Code | None = None
    resource: Annotated[str, Field(max_length=300)]
    problem: Mapping[str, Any] | None = None
    steps: Annotated[list[OperationStep], Field(max_length=500)]


class Reason(Model):
    """Why a person asks for this; kept with the record."""

    reason: Annotated[str, Field(min_length=3, max_length=500)]


class CrmRecord(Model):
    """A record of a connected CRM: which connection, and the CRM's own id."""

    model_config = {"json_schema_extra": {"examples": [{"connection": "salesforce", "id": "0Q05g0000000001CAA"}]}}

    connection: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["salesforce"])]
    id: Id
