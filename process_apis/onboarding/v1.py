"""Onboarding v1: start it, follow it, decide on its credit terms."""

from typing import Annotated

from fastapi import Path, Response

from contracts.models.onboarding import CreditDecision, NewOnboarding, Onboarding, OnboardingState
from contracts.models.operation import Operation, Reason
from contracts.ports.process import OnboardingProcess
from kernel.api import Api, IdempotencyKey
from kernel.calls import billing, crm, erp
from kernel.problem import NotFound
from kernel.tenancy import FILTERED, by_body

OnboardingId = Annotated[str, Path(min_length=1, max_length=160, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
ENDED = frozenset({OnboardingState.COMPLETED, OnboardingState.REFUSED, OnboardingState.CANCELLED, OnboardingState.FAILED})
GOES_ON = "It goes on; follow `operation`"
FOLLOW = {"get_onboarding": "onboarding_id", "get_onboarding_operation": "operation_id"}

STEPS = (
    *crm("get_account", "write_account_references"),
    *erp("find_customer", "create_customer", "set_customer_status", "set_credit_terms"),
    *billing("find_customer", "create_customer", "set_customer_status"),
)


def onboarding_api(onboardings: OnboardingProcess) -> Api:
    api = Api(
        "process", "onboarding", "1.0.0", "Onboarding", "From the CRM's account to a customer with credit terms everywhere.",
        "quote-to-cash",
        {
            "onboarding:write": "Onboard customers", "onboarding:read": "Follow onboardings",
            "credit:approve": "Decide on credit terms",
        },
        audience="partner",
    )  # fmt: skip

    @api.post(
        "/onboardings",
        scope="onboarding:write",
        status=201,
        also={202: GOES_ON},
        problems=(NotFound,),
        headers=("Location",),
        links=FOLLOW,
        tenancy=by_body("/account/connection", "/account/id"),
        calls=STEPS,
    )
    async def start_onboarding(request: NewOnboarding, idempotency_key: IdempotencyKey, response: Response) -> Onboarding:
        """Creates the customer in the ERP, asks finance for credit terms, then creates it in billing and writes the references
        to the CRM. There is one onboarding per account: asking again answers the one that is there.
        """
        return _answer(await onboardings.start_onboarding(request, idempotency_key), response, ended=201)

    @api.get("/onboardings/{onboarding_id}", scope="onboarding:read", tenancy=FILTERED)
    async def get_onboarding(onboarding_id: OnboardingId) -> Onboarding:
        """Where the onboarding stands."""
        return await onboardings.get_onboarding(onboarding_id)

    @api.post(
        "/onboardings/{onboarding_id}/decisions",
        scope="credit:approve",
        also={202: GOES_ON},
        headers=("Location",),
        links=FOLLOW,
        audience="internal",
        calls=STEPS,
    )
    async def decide_onboarding(
        onboarding_id: OnboardingId, decision: CreditDecision, idempotency_key: IdempotencyKey, response: Response
    ) -> Onboarding:
        """Finance approves the credit terms, or others, or refuses; a refusal undoes what the onboarding did."""
        return _answer(await onboardings.decide_onboarding(onboarding_id, decision, idempotency_key), response, ended=200)

    @api.post(
        "/onboardings/{onboarding_id}/releases",
        scope="onboarding:write",
        also={202: GOES_ON},
        headers=("Location",),
        links=FOLLOW,
        tenancy=FILTERED,
        calls=STEPS,
    )
    async def release_onboarding(
        onboarding_id: OnboardingId, reason: Reason, idempotency_key: IdempotencyKey, response: Response
    ) -> Onboarding:
        """Attempts the step that holds the onboarding again, once its problem is put right."""
        return _answer(await onboardings.release_onboarding(onboarding_id, reason, idempotency_key), response, ended=200)

    @api.get("/operations/{operation_id}", scope="onboarding:read", tenancy=FILTERED)
    async def get_onboarding_operation(operation_id: OnboardingId) -> Operation:
        """The work behind an onboarding, step by step."""
        return await onboardings.get_onboarding_operation(operation_id)

    return api


def _answer(onboarding: Onboarding, response: Response, ended: int) -> Onboarding:
    response.status_code = ended if onboarding.state in ENDED else 202
    response.headers["Location"] = onboarding.operation if response.status_code == 202 else _resource(onboarding)
    return onboarding


def _resource(onboarding: Onboarding) -> str:
    return f"/process/onboarding/v1/onboardings/{onboarding.id}"
