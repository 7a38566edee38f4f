"""What every transaction shares: how a run is started under a caller's key, who may see it, and how it is shown as an operation.

A run belongs to the CRM account it was started for (`subject["account"]`, as "connection/account_id"). Whoever is restricted to
certain accounts sees the runs of these; any other run is to them one that does not exist.
"""

from collections.abc import Mapping
from hashlib import sha256

from pydantic import BaseModel

from contracts.models.operation import CrmRecord, Operation, OperationStep
from contracts.models.reference import Reference
from kernel.context import caller, correlation_id, may_see
from kernel.durable.port import FINAL, Durable, RunRecord, Start
from kernel.problem import NotFound


def start_of(request: BaseModel, idempotency_key: str, subject: Mapping[str, str]) -> Start:
    """Who starts what: the fingerprint is that of the whole request, so the same key cannot mean two things."""
    said, whom = f"{type(request).__name__}:{request.model_dump_json()}", caller.get()
    return Start(
        client=whom.client or "anonymous",
        idempotency_key=idempotency_key,
        fingerprint=sha256(said.encode()).hexdigest(),
        correlation_id=correlation_id.get() or "none",
        subject=dict(subject),
        accounts=None if whom.accounts is None else sorted(whom.accounts),
        partner=whom.partner,
    )


def account_of(reference: CrmRecord | Reference) -> str:
    return f"{reference.connection}/{reference.id}"


def visible(record: RunRecord) -> bool:
    """Whether the caller may know of this run."""
    return may_see(record.subject.get("account", ""))


async def existing(durable: Durable, process: str, key: str) -> RunRecord:
    """The run under a key; raises NotFound where there is none that the caller may know of."""
    record = await durable.get(f"{process}:{key}")
    if record is None or not visible(record):
        raise NotFound(f"there is no {process} {key}")
    return record


def no_such(kind: str, record: CrmRecord) -> NotFound:
    """The one answer to callers who are restricted, whether the record is another's or nobody's."""
    return NotFound(f"there is no {kind} {record.id} in {record.connection}", system=record.connection)


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
