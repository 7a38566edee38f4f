"""The steps of an onboarding: each is one call on one platform under one key."""

from collections.abc import Awaitable, Callable

from contracts.models.party import CreditTerms, Customer, CustomerStatusChange
from contracts.models.sales import References
from contracts.ports.system import Systems
from master_data.book import MasterData
from process_apis.onboarding.records import Existing, OnboardingPlan

BLOCKED, ACTIVE = CustomerStatusChange(status="blocked"), CustomerStatusChange(status="active")


class OnboardingSteps:
    """Binds each step to the plan; the run calls what it gets with the step's idempotency key."""

    def __init__(self, systems: Systems, book: MasterData) -> None:
        self._systems, self._book = systems, book

    def look_in_erp(self, plan: OnboardingPlan) -> Callable[[str], Awaitable[Existing]]:
        async def step(_: str) -> Existing:
            return Existing(customer=await self._systems.erp(plan.erp).find_customer(plan.customer.key))

        return step

    def create_in_erp(self, plan: OnboardingPlan) -> Callable[[str], Awaitable[Customer]]:
        return lambda key: self._systems.erp(plan.erp).create_customer(plan.customer, key)

    def block_in_erp(self, plan: OnboardingPlan) -> Callable[[Customer, str], Awaitable[object]]:
        return lambda customer, _: self._systems.erp(plan.erp).set_customer_status(customer.reference.id, BLOCKED)

    def activate_in_erp(self, plan: OnboardingPlan, customer: Customer) -> Callable[[str], Awaitable[Customer]]:
        return lambda _: self._systems.erp(plan.erp).set_customer_status(customer.reference.id, ACTIVE)

    def set_terms(self, plan: OnboardingPlan, customer: Customer, terms: CreditTerms) -> Callable[[str], Awaitable[Customer]]:
        return lambda _: self._systems.erp(plan.erp).set_credit_terms(customer.reference.id, terms)

    def look_in_billing(self, plan: OnboardingPlan) -> Callable[[str], Awaitable[Existing]]:
        async def step(_: str) -> Existing:
            return Existing(customer=await self._systems.billing(plan.billing).find_customer(plan.customer.key))

        return step

    def create_in_billing(self, plan: OnboardingPlan, terms: CreditTerms) -> Callable[[str], Awaitable[Customer]]:
        new = plan.customer.model_copy(update={"terms": terms})
        return lambda key: self._systems.billing(plan.billing).create_customer(new, key)

    def block_in_billing(self, plan: OnboardingPlan) -> Callable[[Customer, str], Awaitable[object]]:
        return lambda customer, _: self._systems.billing(plan.billing).set_customer_status(customer.reference.id, BLOCKED)

    def activate_in_billing(self, plan: OnboardingPlan, customer: Customer) -> Callable[[str], Awaitable[Customer]]:
        return lambda _: self._systems.billing(plan.billing).set_customer_status(customer.reference.id, ACTIVE)

    def link(
        self, plan: OnboardingPlan, ledger: Customer, billed: Customer, terms: CreditTerms
    ) -> Callable[[str], Awaitable[object]]:
        granted = {
            "legal_name": ledger.legal_name,
            "payment_days": str(terms.payment_days),
            "credit_limit": str(terms.credit_limit),
            "legal_entity": plan.legal_entity,
        }

        async def step(_: str) -> None:
            for customer in (ledger, billed):
                await self._book.references.link(plan.customer.key, customer.reference)
            await self._book.ownership.observe(plan.customer.key, granted, by="erp")

        return step

    def write_back(self, plan: OnboardingPlan, ledger: Customer, billed: Customer) -> Callable[[str], Awaitable[object]]:
        references = References(erp_customer_id=ledger.reference.id, billing_customer_id=billed.reference.id)
        crm = self._systems.crm(plan.account.connection)
        return lambda _: crm.write_account_references(plan.account.id, references)
