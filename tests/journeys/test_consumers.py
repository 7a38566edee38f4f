"""Who uses what is known over the whole deployment: two gateways, one database, and commands that name whoever would break."""

import asyncio

import pytest
import yaml

from gateway.house import CONTRACTS
from tests.journeys import people
from tests.journeys.caller import CRM, caller
from tests.journeys.databases import fresh_postgres
from tests.journeys.deployment import plain

pytestmark = pytest.mark.slow
USE = "/ops/gateway/v1/consumption?api=process/quotes/v1"


def narrower(folder):
    """Quotes v1 whose answers say nothing of checks any more."""
    document = yaml.safe_load((CONTRACTS / "process/quotes/v1.yaml").read_text(encoding="utf-8"))
    answer = document["components"]["schemas"]["QuoteValidation"]
    del answer["properties"]["checks"]
    answer["required"].remove("checks")
    (folder / "changed.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(folder / "changed.yaml")


async def until_seen(client, count):
    async with asyncio.timeout(30):
        while True:
            items = (await client.ask("GET", USE)).json()["items"]
            if sum(line["calls"] for line in items if line["part"] == "call") == count:
                return items
            await asyncio.sleep(0.2)


@pytest.mark.postgres
async def test_use_of_all_gateways_is_known_and_names_whom_a_change_breaks(deploy):
    with fresh_postgres() as database_url:
        deployment = deploy({"TRIVIUM_DATABASE_URL": database_url})
        await deployment.start_sandbox()
        await deployment.start_gateway()
        other_door = await deployment.start_another_gateway()
        record = {"connection": CRM, "id": await people.quote_id(deployment, "Q-1001")}
        async with caller(deployment, "quotes:validate", "gateway:read") as client, plain(other_door, timeout=20) as http:
            for door in (client, client.at(http)):
                answer = await door.ask("POST", "/process/quotes/v1/validations", record)
                assert answer.status_code == 200, answer.text
            items = await until_seen(client, 2)
            asked = ("contracts", "impact", narrower(deployment.folder), "--old", str(CONTRACTS / "process/quotes/v1.yaml"))
            code, said = await deployment.run(*asked)

        assert {(line["part"], line.get("field")): line["calls"] for line in items}.items() >= {
            ("call", None): 2, ("request", "connection"): 2, ("request", "id"): 2, ("response", "checks"): 2,
            ("response", "verdict"): 2,
        }.items()  # fmt: skip
        assert record["id"] not in str(items)
        (client_id,) = {line["client_id"] for line in items}
        assert code == 1, said
        assert client_id in said
        assert "response-required-property-removed" in said


async def test_our_own_expectations_hold_in_a_process_of_their_own(deploy, tmp_path):
    deployment = deploy()
    code, said = await deployment.run("contracts", "verify", "--in-process")
    file = CONTRACTS.parent / "consumers/expectations/sales-portal.yaml"
    broken = tmp_path / "broken.yaml"
    broken.write_text(file.read_text(encoding="utf-8").replace("status: 404", "status: 422"), encoding="utf-8")
    failed, why = await deployment.run("contracts", "verify", "--in-process", str(broken))

    assert (code, "3 of 3 expectations are met" in said) == (0, True), said
    assert (failed, "422 was expected, 404 came" in why) == (1, True), why
