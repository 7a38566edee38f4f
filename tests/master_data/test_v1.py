"""The master data API as a data steward uses it."""

import pytest
from httpx import ASGITransport, AsyncClient

from contracts.models.reference import Reference
from kernel.context import Someone, caller
from kernel.settings import Settings
from master_data.book import master_data
from master_data.v1 import master_data_api

URL = "/ops/master-data/v1"
ITEM = {"kind": "item", "connection": "netsuite", "source": "PLAT", "target": "PLATFORM", "valid_from": "2026-01-01"}
KEYED = {"Idempotency-Key": "mapping-1"}


@pytest.fixture
def book(embedded, clock):
    return master_data(Settings(), embedded, clock)


@pytest.fixture
async def client(book):
    async with AsyncClient(transport=ASGITransport(master_data_api(book).app), base_url="http://trivium") as client:
        yield client


async def test_a_mapping_is_recorded_under_its_callers_name_and_listed(client):
    caller.set(Someone("ann"))
    made = await client.post(f"{URL}/mappings", json=ITEM, headers=KEYED)
    listed = await client.get(f"{URL}/mappings", params={"kind": "item", "source": "PLAT"})
    others = await client.get(f"{URL}/mappings", params={"kind": "charge"})

    assert made.status_code == 201
    assert made.json() == {**ITEM, "id": 1, "author": "ann", "recorded_at": "2026-06-15T12:00:00Z"}
    assert listed.json() == {"items": [made.json()]}
    assert others.json() == {"items": []}


async def test_a_contradicting_mapping_is_a_conflict_that_names_the_fix(client):
    await client.post(f"{URL}/mappings", json=ITEM, headers=KEYED)
    refused = await client.post(f"{URL}/mappings", json={**ITEM, "target": "OTHER"}, headers=KEYED)

    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    assert (refused.json()["field"], refused.json()["type"]) == ("valid_from", "urn:trivium:problem:conflict")
    assert "later valid_from" in refused.json()["fix"]


@pytest.mark.parametrize("wrong", [{"kind": "shoe"}, {"valid_from": "yesterday"}, {"target": ""}, {"colour": "red"}])
async def test_what_is_no_mapping_is_refused_with_its_field(client, wrong):
    refused = await client.post(f"{URL}/mappings", json={**ITEM, **wrong}, headers=KEYED)

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [f"/{name}" for name in wrong]


async def test_a_change_needs_an_idempotency_key(client):
    refused = await client.post(f"{URL}/mappings", json=ITEM)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/Idempotency-Key")


async def test_a_master_record_shows_attributes_proposals_and_references(client, book):
    reference = Reference(connection="salesforce", kind="account", id="0011")
    await book.references.link("ACC-1", reference)
    await book.ownership.observe("ACC-1", {"tax_id": "DE1"}, by="erp")
    await book.ownership.observe("ACC-1", {"tax_id": "DE2"}, by="crm")
    shown = (await client.get(f"{URL}/customers/ACC-1")).json()
    listed = (await client.get(f"{URL}/customers/ACC-1/references")).json()

    assert [(a["name"], a["value"], a["owner"], a["set_by"]) for a in shown["attributes"]] == [("tax_id", "DE1", "erp", "erp")]
    assert [(p["value"], p["proposed_by"]) for p in shown["proposals"]] == [("DE2", "crm")]
    assert shown["references"] == listed["items"]
    assert [item["reference"] for item in listed["items"]] == [reference.model_dump()]


@pytest.mark.parametrize(("accept", "value"), [(True, "DE2"), (False, "DE1")])
async def test_a_steward_decides_a_proposal(client, book, accept, value):
    await book.ownership.observe("ACC-1", {"tax_id": "DE1"}, by="erp")
    await book.ownership.observe("ACC-1", {"tax_id": "DE2"}, by="crm")
    [proposal] = await book.ownership.proposals("ACC-1")
    url = f"{URL}/customers/ACC-1/proposals/{proposal.id}"
    decided, again = [await client.put(url, json={"accept": accept}) for _ in range(2)]

    assert decided.json()["attributes"][0]["value"] == value
    assert decided.json()["proposals"] == []
    assert again.status_code == 404


async def test_a_customer_nobody_has_heard_of_is_not_found(client):
    missing = await client.get(f"{URL}/customers/ACC-9")
    listed = await client.get(f"{URL}/customers/ACC-9/references")

    assert (missing.status_code, missing.json()["detail"]) == (404, "there is no customer ACC-9")
    assert listed.json() == {"items": []}
