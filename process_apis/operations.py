"""What every transaction shares: how a run is started under a caller's key, and how it is shown as an operation."""

from collections.abc import Mapping
from hashlib import sha256

from pydantic import BaseModel

from contracts.models.operation import Operation, OperationStep
from kernel.context import caller, correlation_id
from kernel.durable.port import FINAL, Durable, RunRecord, Start
from kernel.problem import NotFound


def start_of(request: BaseModel, idempotency_key: str, subject: Mapping[str, str]) -> Start:
    """Who starts what: the fingerprint is that of the whole request, so the same key cannot mean two things."""
    said = f"{type(request).__name__}:{request.model_dump_json()}"
    return Start(
        client=caller.get() or "anonymous",
        idempotency_key=idempotency_key,
        fingerprint=sha256(said.encode()).hexdigest(),
        correlation_id=correlation_id.get() or "none",
        subject=dict(subject),
    )


async def existing(durable: Durable, process: str, key: str) -> RunRecord:
    """The run under a key; raises NotFound."""
    record = await durable.get(f"{process}:{key}")
    if record is None:
        raise NotFound(f"there is no {process} {key}")
    return record


def operation(record: RunRecord, api: str, resource: str) -> Operation:
    """The run as its operation resource; `api` is the path prefix of the API, `resource` what the run works on, below it."""
    steps = [
        OperationStep(
            name=step.name,
            state=step.state,
            attempts=step.attempts,
            started_at=step.started_at,
            finished_at=step.finished_at,
            problem=step.problem,
        )
        for step in record.steps
    ]
    return Operation(
        id=record.key,
        process=record.process,
        state=record.state.value,
        done=record.state in FINAL,
        correlation_id=record.correlation_id,
        created_at=record.created_at,
        updated_at=record.updated_at,
        waiting_for=record.waiting_for,
        resource=f"{api}/{resource}/{record.key}",
        problem=record.problem,
        steps=steps,
    )
