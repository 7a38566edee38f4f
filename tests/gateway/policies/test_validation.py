"""What the contract does not describe is refused with the place and the reason, and never with what was sent."""

import json
from typing import Any

import pytest

from gateway.contracts import BadContract

ORDERS = "/process/orders/v1/orders"
SECRET = "4111111111111111"


def _errors(answer: Any) -> list[tuple[str, str]]:
    return [(error["in"], error["pointer"]) for error in answer.json()["errors"]]


async def test_a_described_request_reaches_the_application_byte_for_byte(house: Any) -> None:
    body = b'{ "quote":  "q1", "lines": [{"sku": "a", "quantity": 2}] }'
    answer = await house.submit(body)

    assert answer.status == 200
    assert house.echo.bodies == [body]


async def test_a_body_in_pieces_is_put_together_once(house: Any) -> None:
    headers = {"content-type": "application/json", "idempotency-key": "order-0001", "transfer-encoding": "chunked"}
    answer = await house.ask("POST", ORDERS, headers, b'{"quo', b'te": "q', b'1"}')

    assert answer.status == 200
    assert house.echo.bodies == [b'{"quote": "q1"}']


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/quote"),
        ({"quote": 7}, "/quote"),
        ({"quote": SECRET}, "/quote"),
        ({"quote": "q", "lines": [{"sku": "a"}, {"sku": 1}]}, "/lines/1/sku"),
        ({"quote": "q", "lines": [{}]}, "/lines/0/sku"),
        ({"quote": "q", "lines": {}}, "/lines"),
        ({"quote": "q", "discount": SECRET}, ""),
        ([], ""),
        (None, ""),
    ],
)
async def test_a_violation_points_at_its_place_and_repeats_nothing(house: Any, body: Any, pointer: str) -> None:
    answer = await house.submit(body)

    assert answer.status == 422
    assert ("body", pointer) in _errors(answer)
    assert all(error["detail"] for error in answer.json()["errors"])
    assert SECRET not in answer.body.decode()
    assert house.echo.scopes == []


async def test_many_violations_are_told_together_but_not_without_end(house: Any) -> None:
    few = await house.submit({"quote": 1, "lines": [{"sku": 1}]})
    many = await house.submit({"quote": "q", "lines": [{}] * 100})

    assert _errors(few) == [("body", "/lines/0/sku"), ("body", "/quote")] or len(_errors(few)) == 2
    assert len(_errors(many)) == 20


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"quote": }', "line 1, column 11"),
        (b'{"quote": "q"\n "lines": []}', "line 2, column 2"),
        (b'{"quote": "q"} x', "extra data at line 1, column 16"),
        (b"{'quote': 'q'}", "line 1, column 2"),
        (b'{"quote": NaN}', "a number that JSON does not know"),
        (b'{"quote": -Infinity}', "a number that JSON does not know"),
        (b'{"quote": "a", "quote": "b"}', "twice in one object (quote)"),
        (b'{"quote": "q", "lines": [{"sku": "a", "sku": "b"}]}', "twice in one object (sku)"),
        (b'{"quote": "q", "a": ' + b"[" * 900 + b"]" * 900 + b"}", "nested too deeply"),
        (b"[" * 1900, "nested too deeply"),
        (b'{"quote": "\xff"}', "not UTF-8 (byte 11)"),
        ('{"quote": "q"}'.encode("utf-16"), "not UTF-8"),
        (b'\xef\xbb\xbf{"quote": "q"}', "line 1, column 1"),
        (b'{"quote": "\\ud800"}', "text that is not Unicode"),
    ],
)
async def test_a_body_that_parsers_read_differently_is_not_read_at_all(house: Any, body: bytes, said: str) -> None:
    answer = await house.submit(body)

    assert answer.status == 400
    assert said in answer.json()["detail"]
    assert house.echo.scopes == []


async def test_where_the_body_breaks_is_also_told_as_a_number(house: Any) -> None:
    assert (await house.submit(b'{"quote": }')).json()["position"] == 10


@pytest.mark.parametrize("number", [b"1e999", b"9" * 1500])
async def test_numbers_beyond_all_bounds_are_an_answer_not_a_crash(house: Any, number: bytes) -> None:
    answer = await house.submit(b'{"quote": "q", "lines": [{"sku": "a", "quantity": ' + number + b"}]}")

    assert answer.status in (200, 400, 422)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": ""},
        {"content-type": "application/xml"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-encoding": "gzip"},
        {"content-type": "multipart/form-data; boundary=x"},
    ],
)
async def test_another_media_type_is_not_guessed_at(house: Any, headers: dict[str, str]) -> None:
    answer = await house.submit({"quote": "q"}, **headers)

    assert answer.status == 415
    assert "application/json" in answer.json()["detail"] or "compressed" in answer.json()["detail"]


@pytest.mark.parametrize(
    "media", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"]
)
async def test_the_media_type_is_read_as_rfc_9110_has_it(house: Any, media: str) -> None:
    assert (await house.submit({"quote": "q"}, **{"content-type": media})).status == 200


async def test_a_missing_body_is_a_violation(house: Any) -> None:
    answer = await house.submit(b"")

    assert (answer.status, _errors(answer)) == (422, [("body", "")])


@pytest.mark.parametrize("headers", [{"content-length": "2"}, {"transfer-encoding": "chunked"}])
async def test_a_body_that_nobody_asked_for_is_refused(house: Any, headers: dict[str, str]) -> None:
    assert (await house.ask("GET", f"{ORDERS}/o1", headers, b"{}")).status == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("limit=10", None),
        ("limit=50&state=held&state=running", None),
        ("", None),
        ("limit=0", ("query", "/limit")),
        ("limit=ten", ("query", "/limit")),
        ("limit=1.5", ("query", "/limit")),
        ("limit=010", ("query", "/limit")),
        ("limit=", ("query", "/limit")),
        ("limit=1&limit=2", ("query", "/limit")),
        ("state=held&state=lost", ("query", "/state/1")),
        ("limt=10", ("query", "")),
        ("limit=10&debug", ("query", "")),
    ],
)
async def test_query_parameters_are_those_of_the_contract_and_fit_it(
    house: Any, query: str, found: tuple[str, str] | None
) -> None:
    answer = await house.ask("GET", f"{ORDERS}?{query}")

    if found is None:
        assert answer.status == 200
    else:
        assert answer.status == 422
        assert _errors(answer) == [found]


async def test_an_unknown_parameter_is_answered_with_the_known_ones(house: Any) -> None:
    answer = await house.ask("GET", f"{ORDERS}?{SECRET}=1")

    assert answer.json()["errors"][0]["detail"] == "the parameters are limit, state; no others"


@pytest.mark.parametrize("query", ["limit=%ff", "&".join(["limit=1"] * 257)])
async def test_a_query_that_cannot_be_read_is_refused(house: Any, query: str) -> None:
    assert (await house.ask("GET", f"{ORDERS}?{query}")).status == 400


async def test_path_parameters_fit_their_schema(house: Any) -> None:
    answer = await house.ask("GET", f"{ORDERS}/{'o' * 21}")

    assert (answer.status, _errors(answer)) == (422, [("path", "/order_id")])


async def test_headers_fit_their_schema_and_required_ones_are_there(build: Any, contract: Any) -> None:
    def demand(document: Any) -> None:
        document["paths"][ORDERS]["get"]["parameters"].append(
            {"in": "header", "name": "X-Tenant", "required": True, "schema": {"type": "integer"}}
        )

    house = build(contract(demand))
    missing, wrong, right = [await house.ask("GET", ORDERS, headers) for headers in ({}, {"x-tenant": "a"}, {"x-tenant": "7"})]

    assert (missing.status, _errors(missing)) == (422, [("header", "/x-tenant")])
    assert (wrong.status, _errors(wrong)) == (422, [("header", "/x-tenant")])
    assert right.status == 200


async def test_of_a_choice_the_branch_that_was_meant_is_told(build: Any, contract: Any) -> None:
    def choose(document: Any) -> None:
        document["components"]["schemas"]["NewOrder"]["properties"]["ship_to"] = {
            "anyOf": [{"type": "object", "required": ["country"]}, {"type": "null"}]
        }

    answer = await build(contract(choose)).submit({"quote": "q", "ship_to": {}})

    assert _errors(answer) == [("body", "/ship_to/country")]


async def test_a_pattern_cannot_be_made_to_backtrack_for_ever(build: Any, contract: Any) -> None:
    def trap(document: Any) -> None:
        document["components"]["schemas"]["NewOrder"]["properties"]["quote"] = {"type": "string", "pattern": "^(?=a)(a+)+$"}

    answer = await build(contract(trap)).submit({"quote": "a" * 1500 + "!"})

    assert answer.status in (400, 422)


async def test_a_schema_that_does_not_compile_stops_the_start(build: Any, contract: Any) -> None:
    def break_it(document: Any) -> None:
        document["components"]["schemas"]["NewOrder"]["properties"]["quote"] = {"type": "strong"}

    with pytest.raises(BadContract, match="POST /process/orders/v1/orders: a schema cannot be used"):
        build(contract(break_it))


async def test_a_body_that_breaks_off_is_not_handed_on(house: Any) -> None:
    scope_headers = {"content-type": "application/json", "idempotency-key": "order-0001", "content-length": "50"}
    waiting = [{"type": "http.request", "body": b'{"quote"', "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": ORDERS, "raw_path": ORDERS.encode(), "query_string": b"", "client": None,
        "headers": [(name.encode(), value.encode()) for name, value in scope_headers.items()],
    }  # fmt: skip
    await house.app(scope, receive, send)

    assert sent[0]["status"] == 400
    assert house.echo.scopes == []
    assert json.loads(sent[1]["body"])["detail"] == "the body broke off"
