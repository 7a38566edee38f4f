"""What an onboarding run is given, remembers and answers."""

from contracts.models.base import Code, Id, Model
from contracts.models.operation import CrmRecord
from contracts.models.party import CreditTerms, Customer, NewCustomer
from contracts.models.reference import Reference

PROCESS = "onboarding"
CREDIT = "credit"


class OnboardingPlan(Model):
    """An eligible account, as read when onboarding was asked for, and where its legal entity keeps books and bills."""

    account: CrmRecord
    customer: NewCustomer
    asked_terms: CreditTerms
    legal_entity: Code
    erp: Code
    erp_entity_id: Id
    billing: Code


class Existing(Model):
    """The customer that a platform already has under the key; None when it has none."""

    customer: Customer | None = None


class Onboarded(Model):
    erp_customer: Reference
    billing_customer: Reference
    terms: CreditTerms
