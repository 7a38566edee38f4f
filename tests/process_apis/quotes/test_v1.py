"""The quotes API as its callers see it."""

import pytest
from httpx import ASGITransport, AsyncClient

from process_apis.quotes.v1 import quotes_api

URL = "/process/quotes/v1/validations"


@pytest.fixture
async def client(decisions):
    async with AsyncClient(transport=ASGITransport(quotes_api(decisions).app), base_url="http://trivium") as client:
        yield client


async def test_a_validation_answers_with_every_check(client):
    answer = await client.post(URL, json={"connection": "salesforce", "id": "0Q01003"})

    assert answer.status_code == 200
    assert (answer.json()["verdict"], len(answer.json()["checks"])) == ("ok", 14)
    assert answer.json()["total"] == {"amount": "18580.02", "currency": "USD"}


async def test_a_quote_that_may_not_be_ordered_is_an_answer_not_an_error(client):
    answer = await client.post(URL, json={"connection": "salesforce", "id": "0Q01009"})

    assert (answer.status_code, answer.json()["verdict"]) == (200, "not_ok")


@pytest.mark.parametrize(
    ("record", "status"),
    [({"connection": "salesforce", "id": "nope"}, 404), ({"connection": "hubspot", "id": "1"}, 422), ({"id": "1"}, 422)],
)
async def test_what_cannot_be_asked_is_a_problem(client, record, status):
    answer = await client.post(URL, json=record)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
