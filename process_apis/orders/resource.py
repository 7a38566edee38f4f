"""An order run as the order resource: TM Forum's states, the trace through every system, the problem that holds it."""

from collections.abc import Mapping
from typing import Any

from contracts.models.intake import Order, OrderState, OrderTrace
from contracts.models.operation import CrmRecord
from kernel.durable.port import FINAL, RunRecord, RunState

API = "/process/orders/v1"
STATES: Mapping[RunState, OrderState] = {
    RunState.PENDING: OrderState.ACKNOWLEDGED,
    RunState.RUNNING: OrderState.IN_PROGRESS,
    RunState.WAITING: OrderState.PENDING,
    RunState.HELD: OrderState.HELD,
    RunState.COMPLETED: OrderState.COMPLETED,
    RunState.REFUSED: OrderState.REJECTED,
    RunState.CANCELLED: OrderState.CANCELLED,
    RunState.FAILED: OrderState.FAILED,
}
RUN_STATES: Mapping[OrderState, RunState] = {shown: state for state, shown in STATES.items()}


def order(record: RunRecord, taken_back: RunRecord | None, *, jeopardy: bool) -> Order:
    """`taken_back`: the run that cancels the finished order, if there is one."""
    facts = record.facts
    plan: Mapping[str, Any] = facts.get("plan") or {}
    connection, _, quote_id = record.subject["quote"].partition("/")
    return Order.model_validate(
        {
            "id": record.key,
            "state": _state(record, taken_back),
            "quote": CrmRecord(connection=connection, id=quote_id),
            "quote_number": record.subject.get("quote_number"),
            "customer_key": record.subject.get("customer") or plan.get("customer_key"),
            "legal_entity": plan.get("legal_entity"),
            "total": plan.get("total"),
            "trace": _trace(facts, plan),
            "checks": facts.get("checks") or [],
            "problem": record.problem or (taken_back.problem if taken_back else None),
            "information_required": RunState.HELD in (record.state, taken_back and taken_back.state),
            "jeopardy": jeopardy and record.state not in FINAL,
            "correlation_id": record.correlation_id,
            "operation": f"{API}/operations/{record.key}",
            "created_at": record.created_at,
            "updated_at": record.updated_at,
        }
    )


def _state(record: RunRecord, taken_back: RunRecord | None) -> OrderState:
    if taken_back is None:
        return STATES[record.state]
    return OrderState.CANCELLED if taken_back.state is RunState.COMPLETED else OrderState.PENDING_CANCELLATION


def _trace(facts: Mapping[str, Any], plan: Mapping[str, Any]) -> OrderTrace:
    names = ("opportunity", "quote", "crm_account", "erp_customer", "billing_customer")
    found = {name: plan.get(name) for name in names}
    made = {name: facts.get(name) for name in ("sales_order", "sales_order_number", "subscription")}
    return OrderTrace.model_validate({**found, **made})
