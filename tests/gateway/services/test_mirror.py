"""Mirrors: a shadow hears what the share says, costs the real call nothing, and is told by where its answers differ."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.services.compare import Seen, differences
from gateway.services.foreign import Opened
from tests.gateway.services.conftest import catalog
from tests.gateway.upstreams.conftest import RawUpstream, Talk

BODY = {"content": {"application/json": {"schema": {}}}}
DOCUMENT = catalog(
    {
        "/items": {"get": {"operationId": "list_items"}, "post": {"operationId": "add_item", "requestBody": BODY}},
        "/blob": {"put": {"operationId": "put_blob", "requestBody": {"content": {"*/*": {}}}}},
    }
)
ITEMS = "/catalog/v1/items"


def answering(value: Any, status: int = 200, kind: bytes = b"application/json") -> Any:
    text = json.dumps(value).encode()

    async def script(talk: Talk) -> None:
        while True:
            head = await talk.request()
            size = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
            heard.append((head, await talk.reader.readexactly(size)))
            answer = b"HTTP/1.1 %d OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            await talk.say(answer % (status, kind, len(text), text))

    heard: list[tuple[bytes, bytes]] = []
    script.heard = heard  # type: ignore[attr-defined]
    return script


async def silent(talk: Talk) -> None:
    await talk.request()
    await talk.gone()


@pytest.fixture
async def real(raw_upstream: Any) -> RawUpstream:
    upstream: RawUpstream = await raw_upstream(answering({"items": [{"id": 1, "at": "10:00"}]}))
    return upstream


def mirror(shadow: RawUpstream, **said: Any) -> dict[str, Any]:
    return {"name": "next", "api": "services/catalog", "upstreams": [shadow.url], **said}


async def counted(opened: Opened, wanted: int, operation: str = "services.catalog.v1.list_items") -> dict[str, int]:
    async with asyncio.timeout(10):
        while True:
            counts = dict(opened.mirrors[0].by_operation().get(operation, {}))
            if sum(counts.values()) >= wanted:
                return counts
            await asyncio.sleep(0.005)


async def test_an_equal_answer_is_the_same(governing: Any, raw_upstream: Any, real: RawUpstream) -> None:
    shadow = await raw_upstream(answering({"items": [{"at": "10:00", "id": 1.0}]}))
    house, opened = await governing(DOCUMENT, real.url, mirrors=[mirror(shadow, ignore=["/items/*/id"])])
    answer = await house.ask("GET", ITEMS)

    assert answer.status == 200
    assert await counted(opened, 1) == {"same": 1}
    assert shadow.script.heard[0][0].startswith(b"GET /items HTTP/1.1")  # type: ignore[attr-defined]


async def test_a_difference_is_told_by_its_place_never_by_its_value(governing: Any, raw_upstream: Any, real: RawUpstream) -> None:
    shadow = await raw_upstream(answering({"items": [{"id": 2, "at": "secret"}], "jane@example.com": 1}))
    house, opened = await governing(DOCUMENT, real.url, mirrors=[mirror(shadow)])
    await house.ask("GET", ITEMS)
    counts = await counted(opened, 1)
    (latest,) = opened.mirrors[0].latest

    assert counts == {"different": 1}
    assert sorted(latest.pointers) == ["/*", "/items/0/at", "/items/0/id"]
    assert (latest.real_status, latest.shadow_status) == (200, 200)


async def test_a_shadow_that_stalls_slows_nobody_down_and_its_line_has_an_end(
    governing: Any, raw_upstream: Any, real: RawUpstream
) -> None:
    shadow = await raw_upstream(silent)
    rules = mirror(shadow, queue=5, at_once=2, timeout=30)
    house, opened = await governing(DOCUMENT, real.url, mirrors=[rules])
    begun = asyncio.get_running_loop().time()
    for _ in range(100):
        answer = await house.ask("GET", ITEMS)
    took = asyncio.get_running_loop().time() - begun
    counts = await counted(opened, 90)

    assert answer.status == 200
    assert took < 5
    assert counts["dropped"] >= 90
    assert opened.mirrors[0]._line.qsize() <= 5


async def test_a_shadow_that_is_away_is_counted_and_nothing_else(governing: Any, raw_upstream: Any, real: RawUpstream) -> None:
    shadow = await raw_upstream(silent)
    await shadow.close()
    house, opened = await governing(DOCUMENT, real.url, mirrors=[mirror(shadow)])

    assert (await house.ask("GET", ITEMS)).status == 200
    assert await counted(opened, 1) == {"failed": 1}


async def test_writes_are_repeated_only_if_that_is_asked_for(governing: Any, raw_upstream: Any, real: RawUpstream) -> None:
    shadow = await raw_upstream(answering({}))
    careful, _ = await governing(DOCUMENT, real.url, mirrors=[mirror(shadow)])
    bold, opened = await governing(DOCUMENT, real.url, mirrors=[mirror(shadow, safe_only=False)])
    for house in (careful, bold):
        await house.ask("POST", ITEMS, {"content-type": "application/json"}, b'{"a":1}')
    await counted(opened, 1, "services.catalog.v1.add_item")

    assert [(head.split(b" ")[0], body) for head, body in shadow.script.heard] == [(b"POST", b'{"a":1}')]


async def test_a_body_that_streams_is_not_repeated(governing: Any, raw_upstream: Any, real: RawUpstream) -> None:
    shadow = await raw_upstream(answering({}))
    house, opened = await governing(DOCUMENT, real.url, mirrors=[mirror(shadow, safe_only=False)])
    await house.ask("PUT", "/catalog/v1/blob", {"content-type": "image/png"}, b"abc")

    assert await counted(opened, 1, "services.catalog.v1.put_blob") == {"skipped": 1}
    assert shadow.connections == 0


async def test_only_the_share_is_repeated(governing: Any, raw_upstream: Any, real: RawUpstream) -> None:
    shadow = await raw_upstream(answering({}))
    house, opened = await governing(DOCUMENT, real.url, mirrors=[mirror(shadow, share=0.0)])
    for _ in range(20):
        await house.ask("GET", ITEMS)

    assert opened.mirrors[0].by_operation() == {}


async def test_the_callers_credentials_do_not_go_to_the_shadow(governing: Any, raw_upstream: Any, real: RawUpstream) -> None:
    shadow = await raw_upstream(answering({}))
    house, opened = await governing(DOCUMENT, real.url, cookies=True, mirrors=[mirror(shadow)])
    await house.ask("GET", ITEMS, {"authorization": "Bearer outer", "cookie": "a=b"})
    await counted(opened, 1)

    assert b"outer" not in shadow.script.heard[0][0]
    assert b"cookie" not in shadow.script.heard[0][0]


async def test_a_refusal_of_the_real_one_is_compared_by_its_status(governing: Any, raw_upstream: Any) -> None:
    shadow = await raw_upstream(answering({}))
    gone = await raw_upstream(silent)
    await gone.close()
    house, opened = await governing(DOCUMENT, gone.url, mirrors=[mirror(shadow)], retries={"attempts": 1})

    assert (await house.ask("GET", ITEMS)).status == 503
    assert await counted(opened, 1) == {"different": 1}
    assert opened.mirrors[0].latest[0].real_status == 503


def seen(value: Any, status: int = 200, kind: bytes = b"application/json") -> Seen:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Seen(status, [(b"content-type", kind)], body)


COMPARED: dict[str, tuple[Any, Any, list[str], list[str]]] = {
    "equal": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, [], []),
    "true is not one": ({"a": True}, {"a": 1}, [], ["/a"]),
    "null is not absent": ({"a": None}, {}, [], ["/a"]),
    "another length": ({"a": [1, 2]}, {"a": [1]}, [], ["/a"]),
    "ignored below": ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, ["/a/b"], []),
    "ignored if absent": ({"a": 1, "b": 2}, {"a": 1}, ["/b"], []),
    "not JSON": (b"x", b"y", [], ["body"]),
    "nested too deeply": (b"[" * 100_000, b"[" * 100_001, [], ["body"]),
    "many": ({f"n{'abcdefghijklmnop'[n]}": n for n in range(16)}, {}, [], [f"/n{letter}" for letter in "abcdefghij"]),
}


@pytest.mark.parametrize("name", COMPARED)
def test_answers_are_compared_member_by_member(name: str) -> None:
    real, shadow, ignore, wanted = COMPARED[name]

    assert differences(seen(real), seen(shadow), [], ignore) == wanted


def test_status_and_headers_are_compared_as_well() -> None:
    found = differences(seen({}), seen({}, 500, b"text/plain"), ["content-type"], [])

    assert found == ["status", "header content-type"]


WORDS = st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)


@given(one=JSON, other=JSON)
def test_what_is_equal_has_no_difference_and_what_is_not_has_one(one: Any, other: Any) -> None:
    found = differences(seen(one), seen(other), [], [])

    assert bool(found) == (json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    assert differences(seen(one), seen(one), [], []) == []
