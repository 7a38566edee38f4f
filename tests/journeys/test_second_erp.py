"""A second ERP is configuration: one more connection, one more route, and the mappings of its own names."""

import tomllib

import httpx
import pytest

from tests.journeys import people
from tests.journeys.caller import caller
from tests.journeys.deployment import ROOT, free_ports

GERMAN_BOOKS = """
[[connections]]
id = "netsuite-de"
vendor = "netsuite"
base_url = "http://127.0.0.1:{port}"

[connections.credentials]
client_id = "sandbox-netsuite"
certificate_id = "trivium-sandbox"
private_key = {{ file = "sandbox/netsuite.pem" }}
"""


@pytest.mark.slow
async def test_german_customers_are_kept_in_the_german_erp(deploy):
    deployment = deploy()
    (port,) = free_ports(1)
    await deployment.start_sandbox()
    second = f"http://127.0.0.1:{port}"
    certificates = ["--certificates", str(deployment.data / "sandbox" / "certificates")]
    await deployment.start(
        "german books", "sandbox", f"--serve=netsuite={port}", *certificates, ready=f"{second}/__sandbox__/faults"
    )
    text = deployment.file.read_text()
    german = text.index('legal_entity = "DE01"')
    routed = text[:german] + text[german:].replace('erp = "netsuite"', 'erp = "netsuite-de"', 1)
    deployment.file.write_text(routed + GERMAN_BOOKS.format(port=port))
    await deployment.start_gateway()

    async with caller(deployment) as client:
        for mapping in tomllib.loads((ROOT / "mappings.example.toml").read_text())["mappings"]:
            if mapping.get("connection") == "netsuite":
                there = {**mapping, "connection": "netsuite-de", "valid_from": mapping["valid_from"].isoformat()}
                answer = await client.ask("POST", "/ops/master-data/v1/mappings", there)
                assert answer.status_code == 201, answer.text
        onboarded = await client.onboard(await people.account_id(deployment, "ACC-1002"), "EUR", "100000.00")
        order = (await client.submit(await people.quote_id(deployment, "Q-1002"))).json()

    async with httpx.AsyncClient(trust_env=False) as control:
        there = (await control.get(f"{second}/__sandbox__/records/salesOrder")).json()
    assert onboarded["erp_customer"]["connection"] == "netsuite-de"
    assert (order["state"], order["trace"]["sales_order"]["connection"]) == ("completed", "netsuite-de")
    assert len(there) == 1
    assert await deployment.records("netsuite", "salesOrder") == []
