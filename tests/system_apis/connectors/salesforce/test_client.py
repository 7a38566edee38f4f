import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kernel.clock import SystemClock
from kernel.context import correlation_id
from kernel.problem import BadPlatformAnswer, NotFound, OutcomeUnknown, PlatformBusy, PlatformDown, Refused
from kernel.settings import Connection
from system_apis.connector import Secrets
from system_apis.connectors.salesforce.client import SalesforceClient, Update
from system_apis.connectors.salesforce.options import Options
from tests.system_apis.connectors.salesforce.conftest import ENDED, ROOT, Scripted

ID = "001D000000IqhSLIAZ"
PAIR = [Update("Quote", "0Q05g0000000001AAA", {"A__c": "1"}), Update("Opportunity", "0065g0000000001AAA", {"A__c": "1"})]
NO_LOCK = [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access to this record", "fields": []}]
HALTED = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back"}]


@pytest.fixture
async def client(to_script: Connection) -> AsyncIterator[SalesforceClient]:
    made = SalesforceClient(to_script, Options(), Secrets(to_script), SystemClock())
    yield made
    await made.close()


def parts(*answers: tuple[int, Any]) -> dict[str, Any]:
    return {"compositeResponse": [{"httpStatusCode": status, "body": body, "httpHeaders": {}} for status, body in answers]}


async def test_every_call_names_session_client_and_correlation(client: SalesforceClient, scripted: Scripted) -> None:
    scripted.say(200, {"Id": ID})
    token = correlation_id.set("corr-12345")
    try:
        await client.row("Account", ID, ["Id", "Name"])
    finally:
        correlation_id.reset(token)
    (asked,) = scripted.calls

    assert (asked.method, urlsplit(asked.path).path) == ("GET", f"{ROOT}/sobjects/Account/{ID}")
    assert parse_qs(urlsplit(asked.path).query) == {"fields": ["Id,Name"]}
    assert asked.headers["authorization"] == "Bearer session-1"
    assert asked.headers["x-correlation-id"] == "corr-12345"
    assert asked.headers["sforce-call-options"] == "client=trivium/corr-12345"


async def test_a_correlation_id_cannot_add_call_options(client: SalesforceClient, scripted: Scripted) -> None:
    scripted.say(200, {"Id": ID})
    token = correlation_id.set("x, defaultNamespace=evil")
    try:
        await client.row("Account", ID, ["Id"])
    finally:
        correlation_id.reset(token)

    assert scripted.calls[0].headers["sforce-call-options"] == "client=trivium"


async def test_numbers_arrive_exactly(client: SalesforceClient, scripted: Scripted) -> None:
    scripted.say(200, b'{"Amount": 1200.100000000000000000001}')

    assert (await client.row("Opportunity", ID, ["Amount"]))["Amount"] == Decimal("1200.100000000000000000001")


async def test_pages_of_records_and_of_their_children_are_read_to_the_end(client: SalesforceClient, scripted: Scripted) -> None:
    lines, more = f"{ROOT}/query/01g5g000000AAA1-2", f"{ROOT}/query/01g5g000000AAA2-1"
    children = {"totalSize": 3, "done": False, "records": [{"Id": 1}, {"Id": 2}], "nextRecordsUrl": lines}
    scripted.say(200, {"done": False, "records": [{"Id": "a", "Lines": children}], "nextRecordsUrl": more})
    scripted.say(200, {"done": True, "records": [{"Id": "b", "Lines": None, "Parent": {"Id": "p"}}]})
    scripted.say(200, {"done": True, "records": [{"Id": 3}]})

    found = await client.query("SELECT Id FROM Quote")

    assert [one["Id"] for one in found] == ["a", "b"]
    assert [one["Id"] for one in found[0]["Lines"]["records"]] == [1, 2, 3]
    assert found[1]["Parent"] == {"Id": "p"}
    assert [one.path for one in scripted.calls[1:]] == [more, lines]


@pytest.mark.parametrize(
    "next_url",
    [
        None,
        7,
        "",
        "https://evil.example/services/data/v66.0/query/x-1",
        "//evil.example/x",
        f"{ROOT}/sobjects/User",
        f"{ROOT}/query/../x",
    ],
)
async def test_a_next_page_that_is_no_query_of_this_org_is_not_followed(
    client: SalesforceClient, scripted: Scripted, next_url: Any
) -> None:
    scripted.say(200, {"done": False, "records": [], "nextRecordsUrl": next_url})

    with pytest.raises(BadPlatformAnswer):
        await client.query("SELECT Id FROM Quote")

    assert len(scripted.calls) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", {"records": None}, {"records": [1]}, {"done": True}])
async def test_a_query_without_its_records_is_unintelligible(client: SalesforceClient, scripted: Scripted, body: Any) -> None:
    scripted.say(200, body)

    with pytest.raises(BadPlatformAnswer):
        await client.query("SELECT Id FROM Quote")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null"])
async def test_a_row_that_is_no_object_is_unintelligible(client: SalesforceClient, scripted: Scripted, body: bytes) -> None:
    scripted.say(200, body)

    with pytest.raises(BadPlatformAnswer):
        await client.row("Account", ID, ["Id"])


async def test_an_update_is_one_patch_that_no_alert_stops(client: SalesforceClient, scripted: Scripted) -> None:
    scripted.say(204, b"")

    await client.update(Update("Account", ID, {"ERP_Id__c": "1001"}))

    (asked,) = scripted.calls
    assert (asked.method, asked.path) == ("PATCH", f"{ROOT}/sobjects/Account/{ID}")
    assert json.loads(asked.body) == {"ERP_Id__c": "1001"}
    assert asked.headers["sforce-duplicate-rule-header"] == "allowSave=true"


async def test_updates_together_are_one_call_of_all_or_none(client: SalesforceClient, scripted: Scripted) -> None:
    scripted.say(200, parts((204, None), (204, None)))

    await client.update_together(PAIR)
    body = json.loads(scripted.calls[0].body)

    assert (scripted.calls[0].method, scripted.calls[0].path) == ("POST", f"{ROOT}/composite")
    assert body["allOrNone"] is True
    assert [(one["method"], one["url"], one["body"]) for one in body["compositeRequest"]] == [
        ("PATCH", f"{ROOT}/sobjects/Quote/0Q05g0000000001AAA", {"A__c": "1"}),
        ("PATCH", f"{ROOT}/sobjects/Opportunity/0065g0000000001AAA", {"A__c": "1"}),
    ]


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([(400, HALTED), (400, NO_LOCK)], PlatformBusy),
        ([(404, [{"errorCode": "NOT_FOUND", "message": "no"}]), (400, HALTED)], NotFound),
        ([(500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": "no"}]), (400, HALTED)], OutcomeUnknown),
        ([(400, HALTED), (400, HALTED)], Refused),
    ],
)
async def test_the_part_that_failed_is_told_and_not_those_it_halted(
    client: SalesforceClient, scripted: Scripted, answers: list[tuple[int, Any]], kind: type[Exception]
) -> None:
    scripted.say(200, parts(*answers))

    with pytest.raises(kind):
        await client.update_together(PAIR)


@pytest.mark.parametrize(
    "body", [{}, {"compositeResponse": []}, parts((204, None)), {"compositeResponse": [{}, {}]}, {"compositeResponse": [1, 2]}]
)
async def test_a_composite_answer_without_its_parts_is_unintelligible(
    client: SalesforceClient, scripted: Scripted, body: Any
) -> None:
    scripted.say(200, body)

    with pytest.raises(BadPlatformAnswer):
        await client.update_together(PAIR)


async def test_a_session_that_ends_in_the_middle_is_replaced_and_the_call_repeated(
    client: SalesforceClient, scripted: Scripted
) -> None:
    scripted.say(401, ENDED)
    scripted.say(204, b"")

    await client.update(Update("Account", ID, {"ERP_Id__c": "1001"}))

    assert [one.headers["authorization"] for one in scripted.calls] == ["Bearer session-1", "Bearer session-2"]
    assert scripted.calls[0].body == scripted.calls[1].body


async def test_a_second_refusal_of_a_session_is_told(client: SalesforceClient, scripted: Scripted) -> None:
    scripted.say(401, ENDED)
    scripted.say(401, ENDED)

    with pytest.raises(PlatformDown) as refusal:
        await client.resources()

    assert refusal.value.fix
    assert len(scripted.calls) == 2


async def test_a_session_that_is_of_no_use_for_the_api_is_not_replaced(client: SalesforceClient, scripted: Scripted) -> None:
    useless = [{"message": "This session is not valid for use with the REST API", "errorCode": "INVALID_SESSION_ID"}]
    scripted.say(401, useless)

    with pytest.raises(PlatformDown, match="not valid for use"):
        await client.resources()

    assert len(scripted.tokens) == 1


async def test_many_calls_that_lose_their_session_together_open_one(client: SalesforceClient, scripted: Scripted) -> None:
    scripted.say(200, {"ok": 1})
    await client.resources()
    for _ in range(20):
        scripted.say(401, ENDED)
    for _ in range(20):
        scripted.say(200, {"ok": 1})
    scripted.hold.clear()
    calls = [asyncio.create_task(client.resources()) for _ in range(20)]
    await scripted.until(lambda: len(scripted.calls) == 21 and len(scripted.tokens) == 2)
    scripted.hold.set()

    assert await asyncio.gather(*calls) == [{"ok": 1}] * 20
    assert len(scripted.tokens) == 2


@pytest.mark.parametrize("wrote", [True, False])
async def test_a_failure_is_in_doubt_for_a_write_only(client: SalesforceClient, scripted: Scripted, wrote: bool) -> None:
    scripted.say(503, b"<html>")

    with pytest.raises(OutcomeUnknown if wrote else PlatformDown, match="Salesforce: 503"):
        await (client.update(PAIR[0]) if wrote else client.resources())
