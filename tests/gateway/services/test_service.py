"""A foreign service through the whole door: found below its prefix, called where it is, told nothing that is not for it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.upstreams.lease import Lease
from kernel.secrets import SecretMissing
from tests.gateway.services.conftest import catalog
from tests.gateway.upstreams.conftest import Talk

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
BINARY = {"content": {"image/*": {}}, "required": True}
DOCUMENT = catalog(
    {
        "/": {"get": {"operationId": "root"}},
        "/items/": {"get": {"operationId": "list_items"}},
        "/items/{id}": {"get": {"operationId": "get_item"}, "put": {"operationId": "put_image", "requestBody": BINARY}},
        "/find": {"get": {"operationId": "find", "parameters": [{"in": "query", "name": "where", "schema": {"type": "object"}}]}},
        "/stream": {"get": {"operationId": "stream"}},
    }
)


class Upstream:
    """Keeps what it was asked, answers what it is told to."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.answer = OK + b"\r\n{}"

    async def __call__(self, talk: Talk) -> None:
        while True:
            self.heads.append(await talk.request())
            await talk.say(self.answer)

    def header(self, name: bytes) -> list[bytes]:
        lines = self.heads[-1].split(b"\r\n")[1:]
        return [value.strip() for key, _, value in (line.partition(b":") for line in lines) if key == name]


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def url(raw_upstream: Any, upstream: Upstream) -> str:
    return str((await raw_upstream(upstream)).url)


CALLED = {"/catalog/v1": b"/", "/catalog/v1/items": b"/items/", "/catalog/v1/items/a%20b": b"/items/a%20b"}


@pytest.mark.parametrize("path", CALLED)
async def test_it_is_called_where_it_is(governing: Any, url: str, upstream: Upstream, path: str) -> None:
    house, _ = await governing(DOCUMENT, url)
    answer = await house.ask("GET", path)

    assert (answer.status, answer.body) == (200, b"{}")
    assert upstream.heads[0].split(b" ")[1] == CALLED[path]
    assert upstream.header(b"host") == [url.removeprefix("http://").encode()]
    assert (upstream.header(b"x-forwarded-prefix"), upstream.header(b"via")) == ([b"/catalog/v1"], [b"1.1 trivium"])


async def test_below_the_upstreams_own_path_and_else_the_documents(governing: Any, url: str, upstream: Upstream) -> None:
    document = catalog({"/items": {"get": {"operationId": "list"}}}, servers=[{"url": "https://else.example/api"}])
    by_document, _ = await governing(document, url)
    by_settings, _ = await governing(document, url + "/own")
    await by_document.ask("GET", "/catalog/v1/items")
    await by_settings.ask("GET", "/catalog/v1/items")

    assert [head.split(b" ")[1] for head in upstream.heads] == [b"/api/items", b"/own/items"]


async def test_what_it_does_not_promise_does_not_exist(governing: Any, url: str, upstream: Upstream) -> None:
    house, _ = await governing(DOCUMENT, url)
    statuses = [
        (await house.ask("GET", path)).status for path in ("/catalog/v1/admin", "/catalog", "/catalog/v2/items", "/items")
    ]

    assert statuses == [404] * 4
    assert (await house.ask("POST", "/catalog/v1/items")).status == 405
    assert (await house.ask("GET", "/catalog/v1/items?unknown=1")).status == 422
    assert upstream.heads == []


async def test_a_parameter_that_spreads_lets_any_query_pass(governing: Any, url: str, upstream: Upstream) -> None:
    house, _ = await governing(DOCUMENT, url)
    await house.ask("GET", "/catalog/v1/find?color=red&size=1")

    assert upstream.heads[0].startswith(b"GET /find?color=red&size=1 ")


async def test_a_body_of_a_promised_kind_streams_and_another_is_refused(governing: Any, raw_upstream: Any) -> None:
    async def script(talk: Talk) -> None:
        heads.append(await talk.request())
        bodies.append(await talk.reader.readexactly(6))
        await talk.say(OK + b"\r\n{}")

    heads, bodies = list[bytes](), list[bytes]()
    house, _ = await governing(DOCUMENT, (await raw_upstream(script)).url)
    other = await house.ask("PUT", "/catalog/v1/items/7", {"content-type": "text/plain"}, b"abc")
    missing = await house.ask("PUT", "/catalog/v1/items/7", {"content-type": "image/png"})
    large = await house.ask("PUT", "/catalog/v1/items/7", {"content-type": "image/png", "content-length": "99999999"}, b"abc")
    good = await house.ask("PUT", "/catalog/v1/items/7", {"content-type": "image/png", "content-length": "6"}, b"abc", b"def")

    assert [answer.status for answer in (other, missing, large, good)] == [415, 422, 413, 200]
    assert bodies == [b"abcdef"]
    assert b"content-length: 6\r\n" in heads[0]


SHOWN: dict[str, tuple[Any, bytes, list[bytes]]] = {
    "nothing": ("none", b"authorization", []),
    "the callers own": ("forward", b"authorization", [b"Bearer outer"]),
    "a bearer token": ({"secret": {"file": "token"}}, b"authorization", [b"Bearer s3cret"]),
    "a key of its own": ({"secret": {"file": "token"}, "header": "X-Api-Key"}, b"x-api-key", [b"s3cret"]),
}


@pytest.mark.parametrize("name", SHOWN)
async def test_it_is_shown_what_the_settings_say(governing: Any, url: str, upstream: Upstream, tmp_path: Path, name: str) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    token, header, wanted = SHOWN[name]
    house, _ = await governing(DOCUMENT, url, token=token)
    await house.ask("GET", "/catalog/v1/items", {"authorization": "Bearer outer"})

    assert upstream.header(header) == wanted


async def test_a_secret_that_is_not_there_stops_the_start(governing: Any, url: str) -> None:
    with pytest.raises(SecretMissing):
        await governing(DOCUMENT, url, token={"secret": {"env": "TRIVIUM_TEST_NOWHERE"}})


async def test_when_it_does_not_accept_our_credentials_that_is_not_the_callers_fault(
    governing: Any, url: str, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("old")
    upstream.answer = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n"
    house, _ = await governing(DOCUMENT, url, token={"secret": {"file": "token"}})
    answer = await house.ask("GET", "/catalog/v1/items")

    assert answer.status == 502
    assert "www-authenticate" not in answer.headers


async def test_its_errors_pass_as_they_are_if_that_is_wanted(governing: Any, url: str, upstream: Upstream) -> None:
    upstream.answer = b"HTTP/1.1 404 No\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngone"
    told, _ = await governing(DOCUMENT, url)
    raw, _ = await governing(DOCUMENT, url, errors="pass")

    assert (await told.ask("GET", "/catalog/v1/items")).headers["content-type"] == "application/problem+json"
    assert (await raw.ask("GET", "/catalog/v1/items")).body == b"gone"


async def test_its_host_may_be_the_one_that_was_called(governing: Any, url: str, upstream: Upstream) -> None:
    house, _ = await governing(DOCUMENT, url, host="keep")
    await house.ask("GET", "/catalog/v1/items", {"host": "api.example"})

    assert upstream.header(b"host") == [b"api.example"]


async def test_a_redirect_leads_back_through_the_door(governing: Any, url: str, upstream: Upstream) -> None:
    upstream.answer = f"HTTP/1.1 303 See\r\nLocation: {url}/items/9\r\nContent-Length: 0\r\n\r\n".encode()
    house, _ = await governing(DOCUMENT, url)

    assert (await house.ask("GET", "/catalog/v1/items")).headers["location"] == "/catalog/v1/items/9"


async def test_head_is_asked_as_head(governing: Any, url: str, upstream: Upstream) -> None:
    upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
    house, _ = await governing(DOCUMENT, url)
    answer = await house.ask("HEAD", "/catalog/v1/items")

    assert upstream.heads[0].startswith(b"HEAD /items/ ")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "999", b"")


async def test_events_arrive_as_they_happen_and_silence_is_no_fault(governing: Any, raw_upstream: Any) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await asyncio.sleep(0.3)
        await talk.say(b"data: 2\n\n")

    house, _ = await governing(DOCUMENT, (await raw_upstream(script)).url, stall=0.1, timeout=0.2)
    answer = await house.ask("GET", "/catalog/v1/stream")

    assert answer.body == b"data: 1\n\ndata: 2\n\n"


async def test_events_end_with_the_token(governing: Any, raw_upstream: Any) -> None:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await talk.gone()

    upstream = await raw_upstream(script)
    times = iter([0.0, 0.0, 100.0])
    lease = Lease(now=lambda: next(times, 100.0), every=0.01)
    house, _ = await governing(DOCUMENT, upstream.url, lease=lease)
    house.caller = replace(house.caller, token_id="t", expires_at=50)
    answer = await asyncio.wait_for(house.ask("GET", "/catalog/v1/stream"), 5)

    assert answer.body == b"data: 1\n\n"
    await asyncio.wait_for(upstream.ended.wait(), 5)
