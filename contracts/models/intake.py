"""The order as Trivium keeps it: what was asked, what each platform made of it, and where it stands."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from contracts.models.base import Code, CorrelationId, Id, Instant, Key, Model
from contracts.models.money import Money
from contracts.models.operation import CrmRecord
from contracts.models.reference import Reference
from contracts.models.validation import Check


class NewOrder(Model):
    """The approved quote that is to become an order, and the customer's own reference if there is one."""

    quote: CrmRecord
    customer_reference: Code | None = None


class OrderState(StrEnum):
    """TM Forum's names (TMF622, product order states)."""

    ACKNOWLEDGED = "acknowledged"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "in_progress"
    PARTIAL = "partial"
    COMPLETED = "completed"
    FAILED = "failed"
    ASSESSING_CANCELLATION = "assessing_cancellation"
    PENDING_CANCELLATION = "pending_cancellation"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class OrderTrace(Model):
    """The same deal in every system, from the opportunity to the subscription."""

    opportunity: Reference | None = None
    quote: Reference | None = None
    crm_account: Reference | None = None
    erp_customer: Reference | None = None
    billing_customer: Reference | None = None
    sales_order: Reference | None = None
    sales_order_number: Code | None = None
    subscription: Reference | None = None


class Order(Model):
    """One order. `information_required`: a person must act; `jeopardy`: it is older than its target and not finished."""

    id: Id
    state: OrderState
    quote: CrmRecord
    quote_number: Key | None = None
    customer_key: Key | None = None
    legal_entity: Code | None = None
    total: Money | None = None
    trace: OrderTrace
    checks: Annotated[list[Check], Field(max_length=30)] = []
    problem: Mapping[str, Any] | None = None
    information_required: bool = False
    jeopardy: bool = False
    correlation_id: CorrelationId
    operation: Annotated[str, Field(max_length=300)]
    created_at: Instant
    updated_at: Instant


class Orders(Model):
    """A page of orders, newest first; `next` is the cursor of the following page."""

    items: Annotated[list[Order], Field(max_length=200)]
    next: Id | None = None
