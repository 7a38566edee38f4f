"""Onboarding: from the CRM's account to a customer with credit terms in the ERP and in billing."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.models.base import Code, Id, Instant, Key, Model
from contracts.models.operation import CrmRecord
from contracts.models.party import CreditTerms
from contracts.models.reference import Reference


class NewOnboarding(Model):
    """Which account to onboard, and the credit terms that sales asks finance for."""

    account: CrmRecord
    terms: CreditTerms


class CreditDecision(Model):
    """Finance's word. Approving may grant other terms than were asked for."""

    decision: Literal["approve", "refuse"]
    terms: CreditTerms | None = None
    reason: Annotated[str, Field(min_length=3, max_length=500)]


class OnboardingState(StrEnum):
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    AWAITING_CREDIT_DECISION = "awaiting_credit_decision"
    HELD = "held"
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Onboarding(Model):
    """One onboarding; `customer_key` is the business key under which every platform knows the customer."""

    id: Id
    state: OnboardingState
    account: CrmRecord
    customer_key: Key | None = None
    legal_entity: Code | None = None
    terms: CreditTerms | None = None
    erp_customer: Reference | None = None
    billing_customer: Reference | None = None
    problem: Mapping[str, Any] | None = None
    operation: Annotated[str, Field(max_length=300)]
    created_at: Instant
    updated_at: Instant
