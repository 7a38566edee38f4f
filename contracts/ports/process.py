"""What the experience layer, and callers through the gateway, may ask of the processes.

A method's name is the operationId of its endpoint. Work that outlives the deadline goes on: the answer then shows where it
stands, and the operation it names can be followed. Every method raises `kernel.problem.Problem` subclasses only.
"""

from typing import Protocol

from contracts.models.base import Id
from contracts.models.customer360 import CustomerView
from contracts.models.intake import NewOrder, Order, Orders, OrderState
from contracts.models.onboarding import CreditDecision, NewOnboarding, Onboarding
from contracts.models.operation import CrmRecord, Operation, Reason
from contracts.models.validation import QuoteValidation


class OnboardingProcess(Protocol):
    """Account to customer, with finance's decision on credit terms in the middle."""

    async def start_onboarding(self, request: NewOnboarding, idempotency_key: str) -> Onboarding: ...

    async def get_onboarding(self, onboarding_id: Id) -> Onboarding: ...

    async def decide_onboarding(self, onboarding_id: Id, decision: CreditDecision, idempotency_key: str) -> Onboarding: ...

    async def release_onboarding(self, onboarding_id: Id, reason: Reason, idempotency_key: str) -> Onboarding: ...

    async def get_onboarding_operation(self, operation_id: Id) -> Operation: ...


class QuoteProcess(Protocol):
    """Decisions about quotes: answered at once, nothing is written."""

    async def validate_quote(self, request: CrmRecord) -> QuoteValidation: ...


class OrderProcess(Protocol):
    """Quote to order."""

    async def submit_order(self, request: NewOrder, idempotency_key: str) -> Order: ...

    async def get_order(self, order_id: Id) -> Order: ...

    async def list_orders(
        self, state: OrderState | None = None, customer_key: str | None = None, cursor: Id | None = None, limit: int = 50
    ) -> Orders: ...

    async def release_order(self, order_id: Id, reason: Reason, idempotency_key: str) -> Order: ...

    async def cancel_order(self, order_id: Id, reason: Reason, idempotency_key: str) -> Order: ...

    async def get_order_operation(self, operation_id: Id) -> Operation: ...


class CustomerProcess(Protocol):
    """Reading one customer across the systems."""

    async def get_customer_view(self, connection: str, account_id: Id) -> CustomerView: ...
