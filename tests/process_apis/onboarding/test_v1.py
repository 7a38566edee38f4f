"""The onboarding API: 202 with the operation while it goes on, 201 or 200 once it is over."""

from datetime import UTC, datetime

import pytest
from httpx import ASGITransport, AsyncClient

from contracts.models.onboarding import CreditDecision, NewOnboarding, Onboarding, OnboardingState
from contracts.models.operation import Operation, Reason
from process_apis.onboarding.v1 import onboarding_api
from tests.process_apis.platforms.world import account

URL = "/process/onboarding/v1"
TERMS = {"payment_days": 30, "credit_limit": {"amount": "20000.00", "currency": "USD"}}
BODY = {"account": {"connection": "salesforce", "id": "0011001"}, "terms": TERMS}
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
OVER = [OnboardingState.COMPLETED, OnboardingState.REFUSED, OnboardingState.CANCELLED, OnboardingState.FAILED]


class Desk:
    """Implements the port `OnboardingProcess`: one onboarding in the state that the test says."""

    def __init__(self) -> None:
        self.state = OnboardingState.COMPLETED
        self.asked: list[tuple[object, ...]] = []

    def _onboarding(self, *asked: object) -> Onboarding:
        self.asked.append(asked)
        return Onboarding(
            id="ACC-1", state=self.state, account=account("ACC-1001"), operation=f"{URL}/operations/ACC-1", created_at=NOON,
            updated_at=NOON,
        )  # fmt: skip

    async def start_onboarding(self, request: NewOnboarding, idempotency_key: str) -> Onboarding:
        return self._onboarding("start", request.account.id, idempotency_key)

    async def get_onboarding(self, onboarding_id: str) -> Onboarding:
        return self._onboarding("get", onboarding_id)

    async def decide_onboarding(self, onboarding_id: str, decision: CreditDecision, idempotency_key: str) -> Onboarding:
        return self._onboarding("decide", onboarding_id, decision.decision, idempotency_key)

    async def release_onboarding(self, onboarding_id: str, reason: Reason, idempotency_key: str) -> Onboarding:
        return self._onboarding("release", onboarding_id, reason.reason, idempotency_key)

    async def get_onboarding_operation(self, operation_id: str) -> Operation:
        return Operation(
            id=operation_id, process="onboarding", state="waiting", done=False, correlation_id="corr-1", created_at=NOON,
            updated_at=NOON, waiting_for="credit", resource=f"{URL}/onboardings/ACC-1", steps=[],
        )  # fmt: skip


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
async def client(desk):
    headers = {"Idempotency-Key": "key-1234"}
    async with AsyncClient(
        transport=ASGITransport(onboarding_api(desk).app), base_url="http://trivium", headers=headers
    ) as client:
        yield client


@pytest.mark.parametrize("state", OnboardingState)
async def test_a_start_answers_201_once_it_is_over_and_202_with_the_operation_before(client, desk, state):
    desk.state = state
    answer = await client.post(f"{URL}/onboardings", json=BODY)

    over = state in OVER
    assert (answer.status_code, answer.json()["state"]) == (201 if over else 202, state.value)
    assert answer.headers["Location"] == (f"{URL}/onboardings/ACC-1" if over else f"{URL}/operations/ACC-1")
    assert desk.asked == [("start", "0011001", "key-1234")]


@pytest.mark.parametrize(
    ("action", "body", "asked"),
    [
        ("decisions", {"decision": "refuse", "reason": "too risky"}, ("decide", "ACC-1", "refuse", "key-1234")),
        ("releases", {"reason": "put right"}, ("release", "ACC-1", "put right", "key-1234")),
    ],
)
@pytest.mark.parametrize(("state", "status"), [(OnboardingState.REFUSED, 200), (OnboardingState.HELD, 202)])
async def test_a_persons_word_answers_200_once_it_is_over_and_202_before(client, desk, action, body, asked, state, status):
    desk.state = state
    answer = await client.post(f"{URL}/onboardings/ACC-1/{action}", json=body)

    assert (answer.status_code, desk.asked) == (status, [asked])


async def test_an_onboarding_and_its_operation_are_shown(client):
    shown, operation = await client.get(f"{URL}/onboardings/ACC-1"), await client.get(f"{URL}/operations/ACC-1")

    assert (shown.status_code, shown.json()["operation"]) == (200, f"{URL}/operations/ACC-1")
    assert (operation.status_code, operation.json()["waiting_for"]) == (200, "credit")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**BODY, "terms": {**TERMS, "credit_limit": {"amount": 20000.0, "currency": "USD"}}}, "/terms/credit_limit/amount"),
        ({**BODY, "terms": {**TERMS, "payment_days": -1}}, "/terms/payment_days"),
        ({"account": BODY["account"]}, "/terms"),
    ],
)
async def test_what_does_not_fit_the_contract_names_the_field(client, desk, body, pointer):
    answer = await client.post(f"{URL}/onboardings", json=body)

    assert (answer.status_code, desk.asked) == (422, [])
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("word", [{"decision": "perhaps", "reason": "who knows"}, {"decision": "approve"}])
async def test_a_decision_is_yes_or_no_and_has_a_reason(client, desk, word):
    answer = await client.post(f"{URL}/onboardings/ACC-1/decisions", json=word)

    assert (answer.status_code, desk.asked) == (422, [])
