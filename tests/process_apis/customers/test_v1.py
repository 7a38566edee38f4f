"""The customers API: one view, with what is unavailable said beside it."""

import pytest
from httpx import ASGITransport, AsyncClient

from contracts.models.customer360 import CustomerView, Unavailable
from kernel.problem import NotFound, PlatformDown
from process_apis.customers.v1 import customers_api

URL = "/process/customers/v1/customers"


class Views:
    """Implements the port `CustomerProcess` for one account of the seeded world."""

    def __init__(self, account) -> None:
        self._account = account

    async def get_customer_view(self, connection: str, account_id: str) -> CustomerView:
        if account_id != self._account.reference.id:
            raise NotFound(f"there is no account {account_id}")
        missing = Unavailable(part="credit", problem=PlatformDown("down", system="netsuite").body())
        return CustomerView(customer_key="ACC-1003", account=self._account, unavailable=[missing])


@pytest.fixture
async def client(world):
    api = customers_api(Views(world.crm.accounts["0011003"]))
    async with AsyncClient(transport=ASGITransport(api.app), base_url="http://trivium") as client:
        yield client


async def test_a_view_names_what_is_unavailable(client):
    answer = await client.get(f"{URL}/salesforce/0011003")

    assert (answer.status_code, answer.json()["customer_key"]) == (200, "ACC-1003")
    assert [(one["part"], one["problem"]["system"]) for one in answer.json()["unavailable"]] == [("credit", "netsuite")]
    assert "credit" not in answer.json()


@pytest.mark.parametrize(("path", "status"), [("salesforce/0019999", 404), ("Sales Force/1", 422), ("salesforce/..%2F1", 404)])
async def test_what_is_no_account_is_a_problem(client, path, status):
    answer = await client.get(f"{URL}/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
