"""An answer names the promise it keeps; a promise that says something else has another name."""

import yaml

from governance.publishing.digest import digest
from tests.gateway.conftest import CONTRACT

ORDERS = "/process/orders/v1/orders"


async def test_every_answer_carries_the_digest_of_its_contract(build):
    house = build()

    found = await house.ask("GET", ORDERS)
    refused = await house.ask("GET", f"{ORDERS}?strange=1")

    assert found.headers["contract-digest"] == digest(yaml.safe_load(CONTRACT))
    assert (refused.status, refused.headers["contract-digest"]) == (422, found.headers["contract-digest"])


async def test_another_promise_has_another_name(build):
    one = await build().ask("GET", ORDERS)
    other = await build(CONTRACT.replace("maximum: 50", "maximum: 40")).ask("GET", ORDERS)

    assert one.headers["contract-digest"] != other.headers["contract-digest"]


async def test_what_is_at_no_contract_names_none(build):
    answer = await build().ask("GET", "/nowhere")

    assert "contract-digest" not in answer.headers
