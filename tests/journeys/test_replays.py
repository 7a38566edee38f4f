"""A caller that repeats a call gets the answer it was given, from whichever process it asks, also after the first one is gone."""

import pytest

from tests.journeys.caller import CRM, caller
from tests.journeys.databases import fresh_postgres
from tests.journeys.deployment import plain
from tests.journeys.orders import onboarded_quotes

pytestmark = pytest.mark.slow


@pytest.mark.postgres
async def test_every_gateway_gives_the_answer_that_one_gave(deploy):
    with fresh_postgres() as database_url:
        deployment = deploy({"TRIVIUM_DATABASE_URL": database_url, "TRIVIUM_ANSWER_WITHIN": "20"})
        await deployment.start_sandbox()
        await deployment.start_gateway()
        other_door = await deployment.start_another_gateway()
        async with caller(deployment) as client, plain(other_door, timeout=20) as http:
            (quote,) = await onboarded_quotes(deployment, client, 1)
            path, key = f"/experience/sales-desk/v1/quotes/{CRM}/{quote}/orders", f"order-{quote}"
            first = await client.insist("POST", path, {}, key)
            elsewhere = await client.at(http).insist("POST", path, {}, key)
            other_body = await client.at(http).insist("POST", path, {"customer_reference": "PO-1"}, key)
            await deployment.kill("gateway")
            await deployment.start_gateway()
            later = await client.insist("POST", path, {}, key)

        assert first.status_code == 201, first.text
        assert "idempotency-replayed" not in first.headers
        for again in (elsewhere, later):
            assert (again.status_code, again.content) == (201, first.content)
            assert again.headers["idempotency-replayed"] == "true"
            assert again.headers["location"] == first.headers["location"]
            assert again.headers["x-correlation-id"] != first.headers["x-correlation-id"]
        assert (other_body.status_code, other_body.json()["type"]) == (422, "urn:trivium:problem:key-reused")


async def test_what_an_erp_seldom_changes_is_kept_and_recognised(deploy):
    deployment = deploy()
    await deployment.start_sandbox()
    await deployment.start_gateway()
    async with caller(deployment) as client:
        path = "/system/erp/v1/netsuite/legal-entities/1"
        first, again = await client.ask("GET", path), await client.ask("GET", path)
        seen = await client.ask("GET", path, If_None_Match=first.headers["etag"])

    assert first.headers["cache-status"] == "trivium; fwd=miss; stored"
    assert again.headers["cache-status"].startswith("trivium; hit; ttl=")
    assert again.content == first.content
    assert (seen.status_code, seen.content) == (304, b"")
