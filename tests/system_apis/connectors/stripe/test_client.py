import asyncio
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from kernel.context import correlation_id
from kernel.problem import BadPlatformAnswer, PlatformDown
from kernel.settings import Connection
from system_apis.connector import MissingCredential, Secrets
from system_apis.connectors.stripe.client import StripeClient
from tests.conformance.sandboxed import Sandbox
from tests.system_apis.connectors.stripe.conftest import Scripted

INVALID = {"error": {"message": "Invalid API Key provided: sk_test_****", "type": "invalid_request_error"}}


@pytest.fixture
async def client(to_script: Connection):  # type: ignore[no-untyped-def]
    made = StripeClient(to_script, Secrets(to_script))
    yield made
    await made.close()


def keep(file: Path, key: str) -> None:
    file.write_text(key)


def headers(asked: str) -> dict[str, str]:
    lines = asked.split("\r\n\r\n")[0].splitlines()[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_every_request_names_the_pinned_release_and_the_correlation(client: StripeClient, scripted: Scripted) -> None:
    scripted.say(200, {"id": "cus_1"})
    token = correlation_id.set("corr-1")
    try:
        await client.post("/v1/customers", {"name": "Acme & Söhne", "metadata": {"external_id": "A-1"}}, "key-1")
    finally:
        correlation_id.reset(token)
    sent = headers(scripted.asked[0])

    assert scripted.asked[0].startswith("POST /v1/customers HTTP/1.1")
    assert sent["stripe-version"] == "2026-10-28.endive"
    assert sent["authorization"] == "Bearer sk_test_sandbox"
    assert (sent["idempotency-key"], sent["x-correlation-id"]) == ("key-1", "corr-1")
    assert sent["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qsl(scripted.asked[0].split("\r\n\r\n")[1]) == [("name", "Acme & Söhne"), ("metadata[external_id]", "A-1")]


async def test_numbers_arrive_exactly(client: StripeClient, scripted: Scripted) -> None:
    scripted.say(200, b'{"percentage": 7.250000000000000001}')

    assert (await client.get("/v1/tax_rates/txr_1"))["percentage"] == Decimal("7.250000000000000001")


async def test_a_list_is_read_to_its_end(client: StripeClient, scripted: Scripted) -> None:
    scripted.say(200, {"data": [{"id": "in_3"}, {"id": "in_2"}], "has_more": True})
    scripted.say(200, {"data": [{"id": "in_1"}], "has_more": False})

    found = await client.listed("/v1/invoices", {"customer": "cus_1"})

    assert [one["id"] for one in found] == ["in_3", "in_2", "in_1"]
    assert "starting_after=in_2" in scripted.asked[1]


async def test_a_list_is_read_no_further_than_asked_for(client: StripeClient, scripted: Scripted) -> None:
    scripted.say(200, {"data": [{"id": "in_3"}, {"id": "in_2"}, {"id": "in_1"}], "has_more": True})

    assert [one["id"] for one in await client.listed("/v1/invoices", {}, at_most=2)] == ["in_3", "in_2"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'"x"'])
async def test_a_success_that_is_no_object_is_unintelligible(client: StripeClient, scripted: Scripted, body: bytes) -> None:
    scripted.say(200, body)

    with pytest.raises(BadPlatformAnswer):
        await client.get("/v1/customers/cus_1")


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"data": ["cus_1"]}, {"data": [{}]}])
async def test_a_list_without_its_objects_is_unintelligible(client: StripeClient, scripted: Scripted, body: object) -> None:
    scripted.say(200, body)

    with pytest.raises(BadPlatformAnswer):
        await client.listed("/v1/customers", {})


async def test_a_key_that_was_rolled_is_read_again_in_the_middle_of_a_call(
    client: StripeClient, scripted: Scripted, key_file: Path
) -> None:
    scripted.say(401, INVALID)
    scripted.say(200, {"id": "cus_1"})
    keep(key_file, "sk_test_rolled")

    assert await client.post("/v1/customers", {}, "key-1") == {"id": "cus_1"}
    assert [headers(one)["authorization"] for one in scripted.asked] == ["Bearer sk_test_sandbox", "Bearer sk_test_rolled"]
    assert {headers(one)["idempotency-key"] for one in scripted.asked} == {"key-1"}


async def test_a_key_that_is_simply_wrong_is_not_tried_twice(client: StripeClient, scripted: Scripted) -> None:
    scripted.say(401, INVALID)

    with pytest.raises(PlatformDown) as refusal:
        await client.get("/v1/prices")

    assert len(scripted.asked) == 1
    assert "credentials.secret_key" in (refusal.value.fix or "")


async def test_a_key_that_is_no_longer_kept_is_down_with_its_place(
    client: StripeClient, scripted: Scripted, key_file: Path
) -> None:
    scripted.say(401, INVALID)
    keep(key_file, "")

    with pytest.raises(PlatformDown) as refusal:
        await client.get("/v1/prices")

    assert str(key_file) in (refusal.value.fix or "")


async def test_many_calls_survive_a_rolled_key(to_sandbox: Connection, sandbox: Sandbox, key_file: Path) -> None:
    keep(key_file, "sk_test_expired")
    client = StripeClient(to_sandbox, Secrets(to_sandbox))
    keep(key_file, "rk_test_sandbox")
    try:
        answers = await asyncio.gather(*(client.get("/v1/prices", {"limit": 1}) for _ in range(20)))
    finally:
        await client.close()

    assert all(one["data"] for one in answers)


def test_a_secret_key_in_plain_text_is_refused_at_start() -> None:
    plain = Connection(id="stripe", vendor="stripe", base_url="http://127.0.0.1:1", credentials={"secret_key": "sk_test_x"})

    with pytest.raises(MissingCredential, match="must name a file or a variable"):
        StripeClient(plain, Secrets(plain))
