"""The sales desk: what it asks of the processes, and how it answers; it has no rules of its own."""

from datetime import UTC, datetime

import pytest
from httpx import ASGITransport, AsyncClient

from contracts.models.customer360 import CustomerView
from contracts.models.intake import NewOrder, Order, Orders, OrderState, OrderTrace
from contracts.models.operation import CrmRecord
from contracts.models.party import Account
from contracts.models.reference import Reference
from contracts.models.validation import Check, Finding, QuoteValidation, Verdict
from experience_apis.sales_desk.v1 import sales_desk_api
from kernel.problem import NotFound, PlatformTimeout, Refused

URL = "/experience/sales-desk/v1"
QUOTE = CrmRecord(connection="salesforce", id="0Q01003")
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
OVER = [OrderState.COMPLETED, OrderState.CANCELLED, OrderState.FAILED, OrderState.REJECTED]


class Processes:
    """Implements the ports `CustomerProcess`, `QuoteProcess` and (as far as it is used) `OrderProcess`."""

    def __init__(self) -> None:
        self.state = OrderState.COMPLETED
        self.problem: Exception | None = None
        self.asked: list[tuple[object, ...]] = []

    def _hear(self, *asked: object) -> None:
        self.asked.append(asked)
        if self.problem is not None:
            raise self.problem

    def _order(self) -> Order:
        return Order(
            id="O-1", state=self.state, quote=QUOTE, trace=OrderTrace(), correlation_id="corr-1",
            operation="/process/orders/v1/operations/O-1", created_at=NOON, updated_at=NOON,
        )  # fmt: skip

    async def get_customer_view(self, connection: str, account_id: str) -> CustomerView:
        self._hear("view", connection, account_id)
        reference = Reference(connection=connection, kind="account", id=account_id)
        account = Account(reference=reference, number="ACC-1003", name="Harbor", currency="USD", active=True)
        return CustomerView(customer_key="ACC-1003", account=account)

    async def validate_quote(self, request: CrmRecord) -> QuoteValidation:
        self._hear("validate", request)
        finding = Finding(field="quote.status", reason="the quote is Draft", fix="have it approved")
        check = Check(name="quote_approved", verdict=Verdict.NOT_OK, system="salesforce", milliseconds=3, findings=[finding])
        return QuoteValidation(quote=request, verdict=Verdict.NOT_OK, validated_at=NOON, checks=[check])

    async def submit_order(self, request: NewOrder, idempotency_key: str) -> Order:
        self._hear("submit", request, idempotency_key)
        return self._order()

    async def get_order(self, order_id: str) -> Order:
        self._hear("order", order_id)
        return self._order()

    async def list_orders(
        self, state: OrderState | None = None, customer_key: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Orders:
        self._hear("orders", state, customer_key)
        return Orders(items=[self._order()])


@pytest.fixture
def processes():
    return Processes()


@pytest.fixture
async def client(processes):
    api = sales_desk_api(processes, processes, processes)
    headers = {"Idempotency-Key": "key-1234"}
    async with AsyncClient(transport=ASGITransport(api.app), base_url="http://trivium", headers=headers) as client:
        yield client


async def test_a_customer_is_shown(client, processes):
    answer = await client.get(f"{URL}/customers/salesforce/0011003")

    assert (answer.status_code, answer.json()["account"]["name"]) == (200, "Harbor")
    assert processes.asked == [("view", "salesforce", "0011003")]


async def test_a_quote_is_checked_and_a_no_is_an_answer(client, processes):
    answer = await client.post(f"{URL}/quotes/salesforce/0Q01003/validations")

    assert (answer.status_code, answer.json()["verdict"]) == (200, "not_ok")
    assert answer.json()["checks"][0]["findings"][0]["fix"] == "have it approved"
    assert processes.asked == [("validate", QUOTE)]


@pytest.mark.parametrize("state", OrderState)
async def test_a_submission_answers_201_once_it_is_over_and_202_before_and_says_where_the_order_is(client, processes, state):
    processes.state = state
    answer = await client.post(f"{URL}/quotes/salesforce/0Q01003/orders", json={"customer_reference": "PO-77"})

    assert (answer.status_code, answer.json()["state"]) == (201 if state in OVER else 202, state.value)
    assert answer.headers["Location"] == f"{URL}/orders/O-1"
    assert processes.asked == [("submit", NewOrder(quote=QUOTE, customer_reference="PO-77"), "key-1234")]


async def test_where_it_is_said_to_be_the_order_is_found(client):
    submitted = await client.post(f"{URL}/quotes/salesforce/0Q01003/orders", json={})
    found = await client.get(submitted.headers["Location"])

    assert found.json() == submitted.json()


async def test_orders_are_listed_by_state_and_customer(client, processes):
    answer = await client.get(f"{URL}/orders", params={"state": "held", "customer_key": "ACC-1003"})

    assert [order["id"] for order in answer.json()["items"]] == ["O-1"]
    assert processes.asked == [("orders", OrderState.HELD, "ACC-1003")]


@pytest.mark.parametrize(("problem", "status"), [(Refused("the quote is Draft", checks=[{"name": "quote_approved"}]), 422),
                                                 (NotFound("no such quote"), 404), (PlatformTimeout("late"), 504)])  # fmt: skip
async def test_what_a_process_says_no_to_is_passed_on_as_it_is(client, processes, problem, status):
    processes.problem = problem
    answer = await client.post(f"{URL}/quotes/salesforce/0Q01003/orders", json={})

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json() == problem.body()


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("quotes/salesforce/0Q01003/orders", {"Idempotency-Key": "short"}, {}),
        ("quotes/salesforce/0Q01003/orders", {}, {"discount": "10"}),
        ("quotes/Sales Force/0Q01003/orders", {}, {}),
    ],
)
async def test_what_does_not_fit_the_contract_reaches_no_process(client, processes, path, headers, body):
    answer = await client.post(f"{URL}/{path}", json=body, headers=headers)

    assert (answer.status_code, processes.asked) == (422, [])
