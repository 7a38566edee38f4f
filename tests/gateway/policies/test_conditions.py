"""What a caller has seen is not sent again; what it has not seen it does not overwrite; HEAD tells what GET would."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from gateway.contracts import BadContract
from gateway.etags import tag

ORDERS = "/process/orders/v1/orders"
ORDER = f"{ORDERS}/o1"
JSON = {"content-type": "application/json"}


class Shelf:
    """An order that can be read and written, and says what it is told to in its headers."""

    def __init__(self) -> None:
        self.content = b'{"note": "first"}'
        self.headers: list[tuple[bytes, bytes]] = []
        self.status = 200
        self.written: list[bytes] = []
        self.seen: list[dict[bytes, bytes]] = []
        self.streamed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(dict(scope["headers"]))
        if scope["method"] == "PUT":
            self.content = (await receive())["body"]
            self.written.append(self.content)
        length = [] if self.streamed else [(b"content-length", str(len(self.content)).encode())]
        media = b"application/json" if self.status < 400 else b"application/problem+json"
        head = [(b"content-type", media), *length, *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": head})
        await send({"type": "http.response.body", "body": self.content, "more_body": self.streamed})
        if self.streamed:
            await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def opening(build: Callable[..., Any], contract: Callable[..., str]) -> Callable[..., Any]:
    """A door before the shelf; `put`: what the contract says of conditions on the PUT."""

    def one(put: Any = "optional", get: Any = None) -> Any:
        def change(document: Any) -> None:
            item = document["paths"][f"{ORDERS}/{{order_id}}"]
            item["get"]["x-trivium-limits"] = {"default": [{"policy": "burst", "quota": 100_000, "window": 60}]}
            body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
            item["put"] = {**item["get"], "operationId": "set_order", "requestBody": body, "x-trivium-conditional": put}
            note = {**item["put"], "operationId": "set_note"}
            document["paths"][f"{ORDERS}/{{order_id}}/note"] = {"put": note}
            if get is not None:
                item["get"]["x-trivium-conditional"] = get
            if put is None:
                del item["put"]["x-trivium-conditional"]
            if not isinstance(put, dict):
                del document["paths"][f"{ORDERS}/{{order_id}}/note"]

        house = build(contract(change))
        house.echo.instead = Shelf()
        return house

    return one


@pytest.fixture
def house(opening: Callable[..., Any]) -> Any:
    return opening()


async def write(house: Any, body: Any = None, target: str = ORDER, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await house.ask("PUT", target, {**JSON, **named}, json.dumps(body or {"note": "second"}).encode())


async def test_what_was_seen_is_not_sent_again(house: Any) -> None:
    first = await house.ask("GET", ORDER)
    again = await house.ask("GET", ORDER, {"if-none-match": first.headers["etag"]})

    assert (first.status, first.body) == (200, b'{"note": "first"}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert not {"content-type", "content-length"} & again.headers.keys()
    assert {"ratelimit", "x-correlation-id"} <= again.headers.keys()


async def test_what_has_changed_is_sent(house: Any) -> None:
    seen = (await house.ask("GET", ORDER)).headers["etag"]
    house.echo.instead.content = b'{"note": "changed"}'
    answer = await house.ask("GET", ORDER, {"if-none-match": seen})

    assert (answer.status, answer.body) == (200, b'{"note": "changed"}')
    assert answer.headers["etag"] != seen


@pytest.mark.parametrize("own", ['"v7"', 'W/"v7"'])
async def test_the_upstreams_own_tag_is_kept_and_believed(house: Any, own: str) -> None:
    house.echo.instead.headers = [(b"etag", own.encode()), (b"vary", b"accept"), (b"x-other", b"1")]
    plain, seen = await house.ask("GET", ORDER), await house.ask("GET", ORDER, {"if-none-match": '"v7"'})

    assert plain.headers["etag"] == own
    assert (seen.status, seen.headers["etag"], seen.headers["vary"]) == (304, own, "accept")
    assert "x-other" not in seen.headers


async def test_a_date_will_do_where_the_upstream_has_dates(house: Any) -> None:
    house.echo.instead.headers = [(b"last-modified", b"Sun, 01 Mar 2026 12:00:00 GMT")]

    assert (await house.ask("GET", ORDER, {"if-modified-since": "Sun, 01 Mar 2026 12:00:00 GMT"})).status == 304
    assert (await house.ask("GET", ORDER, {"if-modified-since": "Sat, 28 Feb 2026 12:00:00 GMT"})).status == 200


async def test_head_tells_what_get_would(house: Any) -> None:
    got, head = await house.ask("GET", ORDER), await house.ask("HEAD", ORDER)
    seen = await house.ask("HEAD", ORDER, {"if-none-match": got.headers["etag"]})

    assert head.body == b""
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == got.headers[name]
    assert (seen.status, seen.body) == (304, b"")
    assert (
        house.registry.get_sample_value(
            "trivium_requests_total", {"operation": "process.orders.v1.get_order", "method": "HEAD", "status": "2xx"}
        )
        == 1
    ), "it is counted as what it was"


@pytest.mark.parametrize("status", [201, 206, 404, 500])
async def test_only_what_is_there_has_a_tag(house: Any, status: int) -> None:
    house.echo.instead.status = status
    answer = await house.ask("GET", ORDER, {"if-none-match": "*"})

    assert (answer.status, "etag" in answer.headers) == (status, False)


async def test_what_streams_streams(house: Any) -> None:
    house.echo.instead.streamed = True
    answer = await house.ask("GET", ORDER)

    assert (answer.status, answer.body, "etag" in answer.headers) == (200, b'{"note": "first"}', False)


async def test_a_large_answer_has_the_tag_of_its_upstream_or_none(house: Any) -> None:
    house.echo.instead.content = b"x" * 1_048_577
    plain = await house.ask("GET", ORDER)
    house.echo.instead.headers = [(b"etag", b'"big"')]
    tagged = await house.ask("GET", ORDER)

    assert len(plain.body) == len(tagged.body) == 1_048_577
    assert ("etag" in plain.headers, tagged.headers["etag"]) == (False, '"big"')


async def test_a_contract_may_leave_it_out(opening: Callable[..., Any]) -> None:
    assert "etag" not in (await opening(put=None, get="none").ask("GET", ORDER)).headers


async def test_who_has_seen_it_may_overwrite_it(house: Any) -> None:
    seen = (await house.ask("GET", ORDER)).headers["etag"]
    answer = await write(house, if_match=seen)
    late = await write(house, {"note": "third"}, if_match=seen)

    assert answer.status == 200
    assert (late.status, late.json()["type"]) == (412, "urn:trivium:problem:precondition-failed")
    assert "read it again" in late.json()["fix"]
    assert house.echo.instead.written == [b'{"note": "second"}']


async def test_what_is_required_is_asked_for(opening: Callable[..., Any]) -> None:
    house = opening("required")
    answer = await write(house)

    assert (answer.status, answer.json()["field"]) == (428, "If-Match")
    assert "ETag" in answer.json()["fix"]
    assert house.echo.instead.seen == []
    assert (await write(house, if_match="*")).status == 200


async def test_without_a_condition_an_optional_one_costs_nothing(house: Any) -> None:
    answer = await write(house)

    assert answer.status == 200
    assert len(house.echo.instead.seen) == 1


@pytest.mark.parametrize("said", ['W/"{}"', '"another"', '"', ""])
async def test_only_the_very_tag_will_do(house: Any, said: str) -> None:
    seen = (await house.ask("GET", ORDER)).headers["etag"].strip('"')

    assert (await write(house, if_match=said.format(seen))).status == 412
    assert house.echo.instead.written == []


async def test_what_is_not_there_matches_nothing(house: Any) -> None:
    house.echo.instead.status = 404

    assert (await write(house, if_match="*")).status == 412


async def test_what_must_be_new_is_not_overwritten(house: Any) -> None:
    there = await write(house, if_none_match="*")
    house.echo.instead.status = 404
    absent = await write(house, if_none_match="*")

    assert (there.status, there.json()["field"]) == (412, "If-None-Match")
    assert absent.status == 404
    assert len(house.echo.instead.written) == 1


async def test_what_cannot_be_read_cannot_be_compared(house: Any) -> None:
    house.echo.instead.status = 503

    answer = await write(house, if_match='"a"')

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert house.echo.instead.written == []


async def test_an_upstream_with_tags_of_its_own_gets_the_condition_too(house: Any) -> None:
    shelf = house.echo.instead
    await write(house, if_match=(await house.ask("GET", ORDER)).headers["etag"])
    ours = shelf.seen[-1]
    shelf.headers = [(b"etag", b'"v7"')]
    await write(house, if_match='"v7"')

    assert b"if-match" not in ours
    assert shelf.seen[-1][b"if-match"] == b'"v7"'


async def test_the_look_asks_for_nothing_of_the_write(house: Any) -> None:
    await write(house, if_match='"x"', idempotency_key="order-0001", accept_language="de")
    (look,) = house.echo.instead.seen

    assert not {b"if-match", b"content-length", b"content-type", b"idempotency-key"} & look.keys()
    assert look[b"accept-language"] == b"de"


async def test_the_tag_may_be_that_of_another_read(opening: Callable[..., Any]) -> None:
    house = opening({"if_match": "required", "of": "get_order"})
    seen = (await house.ask("GET", ORDER)).headers["etag"]
    answer, late = (
        await write(house, target=f"{ORDER}/note", if_match=seen),
        await write(house, target=f"{ORDER}/note", if_match=seen),
    )

    assert (answer.status, late.status) == (200, 412)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("maybe", "it is optional, required, none, or"),
        ({"if_match": "sometimes"}, "it is optional, required, none, or"),
        ({"if_match": "optional", "if": "x"}, "it is optional, required, none, or"),
        ({"if_match": "optional", "of": "get_nothing"}, "there is no GET get_nothing in the same document"),
        ({"if_match": "optional"}, "there is no GET at this path"),
    ],
)
def test_a_contract_that_says_it_wrongly_is_refused(opening: Callable[..., Any], said: Any, why: str) -> None:
    with pytest.raises(BadContract, match=f"PUT {ORDERS}.*x-trivium-conditional: {why}"):
        opening(said)


def test_a_read_that_needs_more_than_the_path_names_is_refused(build: Callable[..., Any], contract: Callable[..., str]) -> None:
    def change(document: Any) -> None:
        listed = document["paths"][ORDERS]["post"]
        body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        put = {**listed, "operationId": "set_all", "requestBody": body, "x-trivium-idempotency": "none", "parameters": []}
        document["paths"][ORDERS]["put"] = {**put, "x-trivium-conditional": {"if_match": "optional", "of": "get_order"}}

    with pytest.raises(BadContract, match="get_order needs order_id, which this path does not name"):
        build(contract(change))


@given(contents=st.lists(st.binary(max_size=30), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_304_is_answered_exactly_when_the_caller_has_these_very_bytes(house: Any, contents: list[bytes]) -> None:
    held: bytes | None = None
    for content in contents:
        house.echo.instead.content = content
        answer = await house.ask("GET", ORDER, {"if-none-match": tag(held).decode()} if held is not None else {})
        assert answer.status == (304 if content == held else 200)
        held = content
