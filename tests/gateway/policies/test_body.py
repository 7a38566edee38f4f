"""A body is never larger than its contract allows, announced or not."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

ORDERS = "/process/orders/v1/orders"
HEADERS = {"content-type": "application/json", "idempotency-key": "order-0001"}


async def test_the_announced_length_decides_before_a_byte_is_read(house: Any) -> None:
    answer = await house.ask("POST", ORDERS, {**HEADERS, "content-length": "2001"}, b"{}")

    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert answer.json()["detail"] == "the body may have 2000 bytes"


async def test_a_body_of_exactly_the_size_is_read(house: Any) -> None:
    body = b'{"quote": "q"}'.ljust(2000)

    assert (await house.ask("POST", ORDERS, HEADERS, body)).status == 200


async def test_an_unannounced_body_is_counted_as_it_comes(house: Any) -> None:
    chunked = {**HEADERS, "transfer-encoding": "chunked"}
    large = await house.ask("POST", ORDERS, chunked, b'{"quote": "q"}', *[b" " * 500] * 4)
    fitting = await house.ask("POST", ORDERS, chunked, b'{"quote": "q"}', *[b" " * 500] * 3)

    assert (large.status, fitting.status) == (413, 200)


@pytest.mark.parametrize("swallows", [True, False])
async def test_an_application_that_streams_is_stopped_too(build: Any, swallows: bool) -> None:
    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while (await receive()).get("more_body"):
                pass
        except Exception:
            if not swallows:
                raise
        await send({"type": "http.response.start", "status": 400, "headers": [(b"content-type", b"application/problem+json")]})
        await send({"type": "http.response.body", "body": b"{}"})

    house = build(mounts={"upload": streaming})
    answer = await house.ask("POST", "/upload", {"transfer-encoding": "chunked"}, *[b"a" * 40_000] * 3)

    assert answer.status == 413
