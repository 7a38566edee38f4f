"""Onboarding as its callers see it: eligibility is answered at once, the rest is durable work under the customer's key."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.models.onboarding import CreditDecision, NewOnboarding, Onboarding, OnboardingState
from contracts.models.operation import Operation, Reason
from contracts.models.party import Account, Address, CreditTerms, NewCustomer
from contracts.models.reference import Reference
from contracts.ports.system import Systems
from kernel.context import caller, may_see, restricted
from kernel.durable.port import Durable, RunRecord, RunState, owner
from kernel.problem import Conflict, Invalid, NotFound, Refused
from master_data.book import MasterData
from process_apis.onboarding.records import CREDIT, PROCESS, OnboardingPlan
from process_apis.operations import account_of, existing, no_such, operation, start_of, visible

API = "/process/onboarding/v1"
STATES = {
    RunState.PENDING: OnboardingState.ACKNOWLEDGED,
    RunState.RUNNING: OnboardingState.IN_PROGRESS,
    RunState.WAITING: OnboardingState.AWAITING_CREDIT_DECISION,
    RunState.HELD: OnboardingState.HELD,
    RunState.COMPLETED: OnboardingState.COMPLETED,
    RunState.REFUSED: OnboardingState.REFUSED,
    RunState.CANCELLED: OnboardingState.CANCELLED,
    RunState.FAILED: OnboardingState.FAILED,
}


class Onboardings:
    """Implements the port `OnboardingProcess`. `answer_within`: seconds a caller waits before the work goes on without it."""

    def __init__(self, systems: Systems, book: MasterData, durable: Durable, answer_within: float) -> None:
        self._systems, self._book, self._durable, self._answer_within = systems, book, durable, answer_within

    async def start_onboarding(self, request: NewOnboarding, idempotency_key: str) -> Onboarding:
        """One onboarding per customer: whoever asks again, under whatever key, is shown the one that is there."""
        start = start_of(request, idempotency_key, {"account": account_of(request.account)})
        if not may_see(start.subject["account"]):
            raise no_such("account", request.account)
        record = await self._durable.replayed(start)
        if record is None:
            account = await self._systems.crm(request.account.connection).get_account(request.account.id)
            plan = await self._plan(request, account)
            key, there = await self._key(plan.customer.key)
            if there is not None:
                _refuse_hidden(there, request)
                record = await self._durable.join(there.id, start)
            else:
                about = {"customer": plan.customer.key, "legal_entity": plan.legal_entity}
                record = await self._durable.start(PROCESS, key, plan, replace(start, subject={**start.subject, **about}))
        _refuse_hidden(record, request)
        return await self._answer(record)

    async def get_onboarding(self, onboarding_id: str) -> Onboarding:
        return onboarding(await existing(self._durable, PROCESS, onboarding_id))

    async def decide_onboarding(self, onboarding_id: str, decision: CreditDecision, idempotency_key: str) -> Onboarding:
        """Finance's decision; raises Conflict when none is awaited, e.g. because it has been taken."""
        record = await existing(self._durable, PROCESS, onboarding_id)
        if decision.terms is not None and (asked := record.facts.get("terms")) is not None:
            _granted_in(decision.terms, CreditTerms.model_validate(asked).credit_limit.currency)
        await self._durable.signal(record.id, CREDIT, decision, once=f"{_asker()}:{idempotency_key}")
        return await self._answer(record)

    async def release_onboarding(self, onboarding_id: str, reason: Reason, idempotency_key: str) -> Onboarding:
        record = await existing(self._durable, PROCESS, onboarding_id)
        return await self._answer(await self._durable.release(record.id, f"{caller.get().client}: {reason.reason}"))

    async def get_onboarding_operation(self, operation_id: str) -> Operation:
        return operation(await existing(self._durable, PROCESS, operation_id), API, "onboardings")

    async def _answer(self, record: RunRecord) -> Onboarding:
        return onboarding(await self._durable.wait(record.id, self._answer_within))

    async def _key(self, customer_key: str) -> tuple[str, RunRecord | None]:
        """The onboarding's key, and what stands under it; an account whose onboarding ended without a customer gets the next."""
        number, key = 1, customer_key
        while (earlier := await self._durable.get(f"{PROCESS}:{key}")) is not None:
            if earlier.state not in (RunState.REFUSED, RunState.CANCELLED, RunState.FAILED):
                return key, earlier
            number, key = number + 1, f"{customer_key}.{number + 1}"
        return key, None

    async def _plan(self, request: NewOnboarding, account: Account) -> OnboardingPlan:
        """Eligibility: the account is active, its parent exists, and it says all that the ERP needs."""
        system = request.account.connection
        if not account.active:
            fix = "reactivate the account in the CRM"
            raise Refused(f"the account {account.number} is inactive", field="account.active", system=system, fix=fix)
        if account.parent is not None:
            await self._parent_exists(account, account.parent)
        if account.address is None or account.email is None:
            missing = "address" if account.address is None else "email"
            raise Refused(
                f"the account {account.number} has no {missing}", field=f"account.{missing}", system=system,
                fix=f"enter the account's billing {missing} in the CRM",
            )  # fmt: skip
        route = self._book.routing.of(account.address.country)
        _same_currency(account, request.terms, route.currency, system)
        await self._link(account)
        await self._observe(account)
        customer = NewCustomer(
            key=account.number, legal_name=account.name, email=account.email, address=account.address, currency=account.currency,
            legal_entity=route.erp_entity_id, tax_id=account.tax_id,
        )  # fmt: skip
        return OnboardingPlan(
            account=request.account, customer=customer, asked_terms=request.terms, legal_entity=route.legal_entity, erp=route.erp,
            erp_entity_id=route.erp_entity_id, billing=route.billing,
        )  # fmt: skip

    async def _parent_exists(self, account: Account, parent: Reference) -> None:
        try:
            await self._systems.crm(parent.connection).get_account(parent.id)
        except NotFound:
            raise Refused(
                f"the parent {parent.id} of the account {account.number} does not exist", field="account.parent",
                system=parent.connection, fix="correct the account's parent in the CRM",
            ) from None  # fmt: skip

    async def _link(self, account: Account) -> None:
        try:
            await self._book.references.link(account.number, account.reference)
        except Conflict:
            if not restricted():
                raise
            taken = f"the number {account.number} is that of another customer"  # whose, is not this caller's to know
            raise Conflict(taken, field="account.number", system=account.reference.connection) from None

    async def _observe(self, account: Account) -> None:
        address = _one_line(account.address) if account.address else None
        said = {"name": account.name, "email": account.email, "address": address, "currency": account.currency}
        await self._book.ownership.observe(account.number, {**said, "tax_id": account.tax_id}, by="crm")


def _refuse_hidden(record: RunRecord, request: NewOnboarding) -> None:
    """It may be of another account, which has this one's number."""
    if not visible(record):
        raise no_such("account", request.account)


def _asker() -> str:
    return owner(caller.get().client, caller.get().partner)


def onboarding(record: RunRecord) -> Onboarding:
    """The run as its resource."""
    facts, subject = record.facts, record.subject
    connection, _, account_id = subject["account"].partition("/")
    terms = facts.get("terms")
    return Onboarding.model_validate(
        {
            "id": record.key,
            "state": STATES[record.state],
            "account": {"connection": connection, "id": account_id},
            "customer_key": subject["customer"],
            "legal_entity": subject["legal_entity"],
            "terms": CreditTerms.model_validate(terms) if terms else None,
            "erp_customer": _reference(facts, "erp_customer"),
            "billing_customer": _reference(facts, "billing_customer"),
            "problem": record.problem,
            "operation": f"{API}/operations/{record.key}",
            "created_at": record.created_at,
            "updated_at": record.updated_at,
        }
    )


def _one_line(address: Address) -> str:
    parts = (address.line1, address.postal_code, address.city, address.state, address.country)
    return ", ".join(part for part in parts if part)


def _reference(facts: Mapping[str, Any], name: str) -> Reference | None:
    return Reference.model_validate(facts[name]) if facts.get(name) else None


def _same_currency(account: Account, terms: CreditTerms, currency: str, system: str) -> None:
    if account.currency != currency:
        raise Refused(
            f"the legal entity for this country sells in {currency}, the account is in {account.currency}",
            field="account.currency", system=system, fix=f"set the account's currency to {currency} in the CRM",
        )  # fmt: skip
    _granted_in(terms, currency)


def _granted_in(terms: CreditTerms, currency: str) -> None:
    if terms.credit_limit.currency != currency:
        raise Invalid(
            f"a credit limit in {terms.credit_limit.currency} for a customer in {currency}",
            field="terms.credit_limit.currency", system="trivium", fix=f"ask for a limit in {currency}",
        )  # fmt: skip
