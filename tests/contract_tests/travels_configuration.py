"""The part of the travel that asks the gateway what it decided and what it goes by."""

from tests.journeys.caller import Caller

GATEWAY = "/ops/gateway/v1"


async def configuration(caller: Caller) -> dict[str, str]:
    """A receipt, the history, the files applied, and a way back; answers the ids by the parameters that take them."""
    listed = await caller.ask("GET", f"{GATEWAY}/configurations")
    request_id = listed.headers["x-request-id"]
    receipt = await caller.ask("GET", f"{GATEWAY}/decisions/{request_id}")
    number = str(listed.json()["items"][0]["number"])
    applied = await caller.ask("POST", f"{GATEWAY}/configurations", {"digest": listed.json()["items"][0]["digest"]})
    restored = await caller.ask("POST", f"{GATEWAY}/configurations/{number}/restorations")

    assert [answer.status_code for answer in (listed, receipt, applied, restored)] == [200, 200, 201, 201], restored.text
    assert receipt.json()["operation"] == "ops.gateway.v1.list_configurations"
    return {"request_id": request_id}
