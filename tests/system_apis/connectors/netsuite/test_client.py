import json
from decimal import Decimal

import pytest

from kernel.context import correlation_id
from kernel.problem import BadPlatformAnswer, NotFound, OutcomeUnknown, PlatformDown
from kernel.settings import Connection
from system_apis.connector import Secrets
from system_apis.connectors.netsuite.client import NetSuiteClient
from tests.system_apis.connectors.netsuite.conftest import OwnClock, Scripted

ABSENT = {"status": 404, "o:errorDetails": [{"detail": "The record instance does not exist.", "o:errorCode": "NONEXISTENT_ID"}]}


@pytest.fixture
async def client(to_script: Connection, clock: OwnClock):  # type: ignore[no-untyped-def]
    made = NetSuiteClient(to_script, Secrets(to_script), clock)
    yield made
    await made.close()


async def test_every_request_is_validated_by_netsuite_and_carries_the_correlation(
    client: NetSuiteClient, scripted: Scripted
) -> None:
    scripted.say(204)
    scripted.say(200, {"id": "1"})
    scripted.say(200, {"items": [], "hasMore": False})
    set_back = correlation_id.set("corr-1")
    try:
        await client.put("/record/v1/customer/eid:A-1", {"replace": "addressBook"}, {"creditLimit": Decimal("0.10")})
        await client.get("/record/v1/customer/1", {"fields": "id"})
        await client.select("SELECT id FROM term WHERE daysuntilnetdue = ?", 30)
    finally:
        correlation_id.reset(set_back)
    put, get, query = scripted.asked

    assert put.line == "PUT /services/rest/record/v1/customer/eid:A-1?replace=addressBook HTTP/1.1"
    assert (put.headers["content-type"], put.body) == ("application/json", '{"creditLimit":0.10}')
    assert get.line == "GET /services/rest/record/v1/customer/1?fields=id HTTP/1.1"
    assert query.line.startswith("POST /services/rest/query/v1/suiteql?")
    assert query.headers["prefer"] == "transient"
    assert json.loads(query.body)["params"] == [30]
    for one in scripted.asked:
        assert one.headers["authorization"] == "Bearer token-1"
        assert one.headers["x-correlation-id"] == "corr-1"
        assert one.headers["x-netsuite-propertynamevalidation"] == one.headers["x-netsuite-propertyvaluevalidation"] == "Error"


async def test_nothing_is_said_of_a_correlation_that_there_is_not(client: NetSuiteClient, scripted: Scripted) -> None:
    scripted.say(200, {})
    await client.get("/record/v1/customer/1", {})

    assert "x-correlation-id" not in scripted.asked[0].headers


async def test_an_encoded_slash_in_a_key_stays_encoded(client: NetSuiteClient, scripted: Scripted) -> None:
    scripted.say(200, {})
    await client.get("/record/v1/customer/eid:A%2F1", {})

    assert scripted.asked[0].line == "GET /services/rest/record/v1/customer/eid:A%2F1 HTTP/1.1"


async def test_only_a_record_that_does_not_exist_is_none(client: NetSuiteClient, scripted: Scripted) -> None:
    scripted.say(404, ABSENT)
    scripted.say(404, ABSENT)
    scripted.say(404, {"o:errorDetails": [{"detail": "Record type 'custmer' does not exist.", "o:errorCode": "NOT_FOUND"}]})

    assert await client.find("/record/v1/customer/eid:A", {}) is None
    with pytest.raises(NotFound):
        await client.get("/record/v1/customer/eid:A", {})
    with pytest.raises(PlatformDown):
        await client.find("/record/v1/custmer/eid:A", {})


async def test_a_query_is_read_to_its_end(client: NetSuiteClient, scripted: Scripted) -> None:
    first = [{"id": str(n)} for n in range(1000)]
    scripted.say(200, {"items": first, "hasMore": True})
    scripted.say(200, {"items": [{"id": "1000"}], "hasMore": False})

    found = await client.select("SELECT id FROM item ORDER BY id")

    assert [row["id"] for row in found] == [str(n) for n in range(1001)]
    assert ["offset=0" in scripted.asked[0].line, "offset=1000" in scripted.asked[1].line] == [True, True]


@pytest.mark.parametrize(
    "page", [{}, {"items": None}, {"items": {}}, {"items": ["x"]}, {"items": [{"id": "1"}], "hasMore": True}]
)
async def test_a_page_without_its_rows_is_unintelligible(client: NetSuiteClient, scripted: Scripted, page: object) -> None:
    scripted.say(200, page)

    with pytest.raises(BadPlatformAnswer):
        await client.select("SELECT id FROM item")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null"])
async def test_a_success_that_is_no_object_is_unintelligible(client: NetSuiteClient, scripted: Scripted, body: bytes) -> None:
    scripted.say(200, body)

    with pytest.raises(BadPlatformAnswer):
        await client.get("/record/v1/customer/1", {})


async def test_a_failed_write_is_in_doubt_and_a_failed_query_is_not(client: NetSuiteClient, scripted: Scripted) -> None:
    for _ in range(2):
        scripted.say(500, {"o:errorDetails": [{"detail": "An unexpected error occurred.", "o:errorCode": "UNEXPECTED_ERROR"}]})

    with pytest.raises(OutcomeUnknown):
        await client.patch("/record/v1/customer/1", {"isInactive": True})
    with pytest.raises(PlatformDown) as failure:
        await client.select("SELECT id FROM item")
    assert not failure.value.ambiguous
