"""The orders API: 201 when it is over, 202 with the operation while it is not."""

from datetime import UTC, datetime

import pytest
from httpx import ASGITransport, AsyncClient

from contracts.models.intake import NewOrder, Order, Orders, OrderState, OrderTrace
from contracts.models.operation import Operation, Reason
from kernel.problem import Conflict, KeyReused, NotFound, Refused
from process_apis.orders.v1 import orders_api
from tests.process_apis.platforms.world import quote

URL = "/process/orders/v1"
BODY = {"quote": {"connection": "salesforce", "id": "0Q01003"}}
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
OVER = [OrderState.COMPLETED, OrderState.CANCELLED, OrderState.FAILED, OrderState.REJECTED]


class Desk:
    """Implements the port `OrderProcess`: one order in the state that the test says, and a record of what was asked."""

    def __init__(self) -> None:
        self.state = OrderState.COMPLETED
        self.problem: Exception | None = None
        self.next: str | None = None
        self.asked: list[tuple[object, ...]] = []

    def _order(self, *asked: object) -> Order:
        self.asked.append(asked)
        if self.problem is not None:
            raise self.problem
        return Order(
            id="O-1", state=self.state, quote=quote("Q-1003"), trace=OrderTrace(), correlation_id="corr-1",
            operation=f"{URL}/operations/O-1", created_at=NOON, updated_at=NOON,
        )  # fmt: skip

    async def submit_order(self, request: NewOrder, idempotency_key: str) -> Order:
        return self._order("submit", request, idempotency_key)

    async def get_order(self, order_id: str) -> Order:
        return self._order("get", order_id)

    async def list_orders(
        self, state: OrderState | None = None, customer_key: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Orders:
        return Orders(items=[self._order("list", state, customer_key, cursor, limit)], next=self.next)

    async def release_order(self, order_id: str, reason: Reason, idempotency_key: str) -> Order:
        return self._order("release", order_id, reason.reason, idempotency_key)

    async def cancel_order(self, order_id: str, reason: Reason, idempotency_key: str) -> Order:
        return self._order("cancel", order_id, reason.reason, idempotency_key)

    async def get_order_operation(self, operation_id: str) -> Operation:
        self._order("operation", operation_id)
        return Operation(
            id="O-1", process="order", state="held", done=False, correlation_id="corr-1", created_at=NOON, updated_at=NOON,
            resource=f"{URL}/orders/O-1", steps=[],
        )  # fmt: skip


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
async def client(desk):
    headers = {"Idempotency-Key": "key-1234"}
    async with AsyncClient(transport=ASGITransport(orders_api(desk).app), base_url="http://trivium", headers=headers) as client:
        yield client


@pytest.mark.parametrize("state", OrderState)
async def test_a_submission_answers_201_once_it_is_over_and_202_with_the_operation_before(client, desk, state):
    desk.state = state
    answer = await client.post(f"{URL}/orders", json=BODY)

    over = state in OVER
    assert (answer.status_code, answer.json()["state"]) == (201 if over else 202, state.value)
    assert answer.headers["Location"] == (f"{URL}/orders/O-1" if over else f"{URL}/operations/O-1")
    assert desk.asked == [("submit", NewOrder(quote=quote("Q-1003")), "key-1234")]


@pytest.mark.parametrize(("action", "name"), [("releases", "release"), ("cancellations", "cancel")])
@pytest.mark.parametrize(("state", "status"), [(OrderState.COMPLETED, 200), (OrderState.PENDING_CANCELLATION, 202)])
async def test_a_persons_word_answers_200_once_it_is_over_and_202_before(client, desk, action, name, state, status):
    desk.state = state
    answer = await client.post(f"{URL}/orders/O-1/{action}", json={"reason": "put right"})

    assert answer.status_code == status
    assert desk.asked == [(name, "O-1", "put right", "key-1234")]


async def test_an_order_and_its_operation_are_shown(client):
    order, operation = await client.get(f"{URL}/orders/O-1"), await client.get(f"{URL}/operations/O-1")

    assert (order.status_code, order.json()["operation"]) == (200, f"{URL}/operations/O-1")
    assert (operation.status_code, operation.json()["resource"]) == (200, f"{URL}/orders/O-1")


async def test_a_page_links_to_the_next_with_the_same_question(client, desk):
    desk.next = "O-9"
    params = {"state": "completed", "customer_key": "ACC 1&2", "limit": 1}
    first = await client.get(f"{URL}/orders", params=params)
    desk.next = None
    second = await client.get(first.links["next"]["url"])

    assert desk.asked[0] == ("list", OrderState.COMPLETED, "ACC 1&2", None, 1)
    assert desk.asked[1] == ("list", OrderState.COMPLETED, "ACC 1&2", "O-9", 1)
    assert (first.json()["next"], "link" in second.headers) == ("O-9", False)


@pytest.mark.parametrize(
    ("problem", "status"),
    [(Refused("no", field="quote"), 422), (KeyReused("no"), 422), (Conflict("no"), 409), (NotFound("no"), 404)],
)
async def test_a_refusal_is_a_problem(client, desk, problem, status):
    desk.problem = problem
    answer = await client.post(f"{URL}/orders", json=BODY)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == problem.type


@pytest.mark.parametrize(
    ("body", "headers", "pointer"),
    [
        ({}, {}, "/quote"),
        ({**BODY, "discount": "10"}, {}, "/discount"),
        ({"quote": {"connection": "Salesforce", "id": "1"}}, {}, "/quote/connection"),
        (BODY, {"Idempotency-Key": "short"}, "/Idempotency-Key"),
    ],
)
async def test_what_does_not_fit_the_contract_names_the_field(client, desk, body, headers, pointer):
    answer = await client.post(f"{URL}/orders", json=body, headers=headers)

    assert (answer.status_code, desk.asked) == (422, [])
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
