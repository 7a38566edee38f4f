"""The story of an onboarding. A refusal undoes what this run did, and only that: a customer who was there before stays."""

from datetime import timedelta

from contracts.models.onboarding import CreditDecision
from contracts.models.party import Customer
from kernel.durable.port import Run, RunState, Stop
from process_apis.onboarding.records import CREDIT, Existing, Onboarded, OnboardingPlan
from process_apis.onboarding.steps import OnboardingSteps


class OnboardingWorkflow:
    """`decide_within`: how long finance has; afterwards the onboarding is refused."""

    def __init__(self, steps: OnboardingSteps, decide_within: timedelta) -> None:
        self._steps, self._decide_within = steps, decide_within

    async def __call__(self, run: Run, plan: OnboardingPlan) -> Onboarded:
        steps = self._steps
        in_erp = await run.step("look for customer in ERP", steps.look_in_erp(plan), Existing)
        ledger = in_erp.customer or await run.step(
            "create customer in ERP", steps.create_in_erp(plan), Customer, undo=steps.block_in_erp(plan)
        )
        await run.note(erp_customer=ledger.reference.model_dump(), terms=plan.asked_terms.model_dump(mode="json"))
        terms = (await self._credit_decision(run, plan)).terms or plan.asked_terms
        await run.step("set credit terms in ERP", steps.set_terms(plan, ledger, terms), Customer)
        if not ledger.active:
            await run.step("activate customer in ERP", steps.activate_in_erp(plan, ledger), Customer)
        in_billing = await run.step("look for customer in billing", steps.look_in_billing(plan), Existing)
        billed = in_billing.customer or await run.step(
            "create customer in billing", steps.create_in_billing(plan, terms), Customer, undo=steps.block_in_billing(plan)
        )
        if not billed.active:
            billed = await run.step("activate customer in billing", steps.activate_in_billing(plan, billed), Customer)
        await run.note(billing_customer=billed.reference.model_dump())
        await run.do("record cross-references", steps.link(plan, ledger, billed, terms))
        await run.do("write references to CRM", steps.write_back(plan, ledger, billed))
        return Onboarded(erp_customer=ledger.reference, billing_customer=billed.reference, terms=terms)

    async def _credit_decision(self, run: Run, plan: OnboardingPlan) -> CreditDecision:
        decision = await run.decision(CREDIT, CreditDecision, self._decide_within)
        if decision is None:
            raise Stop(RunState.REFUSED, f"finance did not decide on credit terms within {self._decide_within.days} days")
        if decision.decision == "refuse":
            raise Stop(RunState.REFUSED, f"finance refused: {decision.reason}")
        await run.note(terms=(decision.terms or plan.asked_terms).model_dump(mode="json"))
        return decision
