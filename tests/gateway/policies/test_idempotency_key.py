"""What must not be done twice needs the caller's key, and the refusal says how to send one."""

from typing import Any

import pytest


@pytest.mark.parametrize("key", ["order-0001", "8e03978e-40d5-43dd-bc93-6894a57f9324", '"8e03978e-40d5"', "a"])
async def test_a_key_lets_the_call_through_untouched(house: Any, key: str) -> None:
    answer = await house.submit({"quote": "q"}, **{"idempotency-key": key})

    assert answer.status == 200
    assert (b"idempotency-key", key.encode()) in house.echo.scopes[0]["headers"]


@pytest.mark.parametrize("key", ["", " ", "a b", '"', '"open', "x" * 256, "caf\xe9", "a\tb"])
async def test_a_key_that_cannot_be_read_is_refused(house: Any, key: str) -> None:
    answer = await house.submit({"quote": "q"}, **{"idempotency-key": key})

    assert (answer.status, answer.json()["field"]) == (400, "Idempotency-Key")
    assert house.echo.scopes == []


async def test_without_a_key_the_refusal_says_how(house: Any) -> None:
    answer = await house.ask("POST", "/process/orders/v1/orders", {"content-type": "application/json"}, b'{"quote": "q"}')

    assert answer.status == 400
    assert answer.json()["detail"] == "this operation needs an Idempotency-Key"
    assert "UUID" in answer.json()["fix"]


async def test_reading_needs_none(house: Any) -> None:
    assert (await house.ask("GET", "/process/orders/v1/orders")).status == 200
