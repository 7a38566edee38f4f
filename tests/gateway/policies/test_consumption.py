"""What is remembered of a call, as it comes through the whole door: names that the contract knows, and nothing else."""

import json

import pytest

from gateway import bodies
from gateway.consumption.fields import LARGEST
from gateway.consumption.tally import FieldUse
from gateway.pipeline import Call, Caller
from kernel.sections.consumption import Consumption
from kernel.settings import Settings

ORDER = {
    "allOf": [{"$ref": "#/components/schemas/Named"}, {"type": "object", "properties": {"state": {"type": "string"}}}]
}  # fmt: skip


def promising(document):
    document["components"]["schemas"] |= {"Order": ORDER, "Named": {"type": "object", "properties": {"path": {}}}}
    problem = {"schema": {"type": "object", "properties": {"title": {}}}}
    document["paths"]["/process/orders/v1/orders"]["post"]["responses"] = {
        "200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
        "404": {"description": "d", "content": {"application/problem+json": problem}},
    }


@pytest.fixture
def tally(clock):
    return FieldUse(clock)


@pytest.fixture
def open_door(build, tally, contract):
    def make(sample=1, **said):
        settings = Settings.model_construct(consumption=Consumption(sample=sample, **said))
        return build(contract(promising), means={"consumption": tally, "settings": settings})

    return make


def answering(content, *, status=200, media=b"application/json", extra=()):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", media), *extra]})
        half = len(content) // 2
        await send({"type": "http.response.body", "body": content[:half], "more_body": True})
        await send({"type": "http.response.body", "body": content[half:]})

    return app


def seen(tally, *parts):
    return {(part, field): calls for (*_, part, field), calls in tally.take().items() if not parts or part in parts}


async def test_a_call_leaves_the_names_of_its_fields_and_no_value(open_door, tally):
    house = open_door()
    house.echo.instead = answering(b'{"path": "secret-1", "state": "secret-2"}')
    answer = await house.submit({"quote": "secret-3", "lines": []})
    kept = tally.take()

    assert answer.json() == {"path": "secret-1", "state": "secret-2"}
    assert {line[1:5] for line in kept} == {("acme", "", "process.orders.v1.submit_order", "1.2.0")}
    assert {line[5:] for line in kept} == {
        ("call", ""), ("request", "quote"), ("request", "lines"), ("response", "path"), ("response", "state"),
    }  # fmt: skip
    assert "secret" not in repr(kept)


async def test_a_name_that_the_contract_does_not_know_may_be_data_and_is_not_kept(open_door, tally):
    house = open_door()
    house.echo.instead = answering(b'{"ada@example.test": 1, "path": "x"}')
    await house.submit({"quote": "q"})

    assert seen(tally, "response") == {("response", "*"): 1, ("response", "path"): 1}


async def test_query_parameters_are_fields_too(open_door, tally):
    house = open_door()
    await house.ask("GET", "/process/orders/v1/orders?state=held&state=running&limit=3")

    assert seen(tally, "query") == {("query", "state"): 1, ("query", "limit"): 1}


@pytest.mark.parametrize(
    "app",
    [
        answering(b'{"path": 1}', status=404, media=b"application/problem+json"),
        answering(b'{"path": 1}', media=b"text/plain"), answering(b"[1, 2]"),
        answering(b'{"path"'), answering(b'{"path": 1}', extra=((b"content-encoding", b"gzip"),)),
        answering(json.dumps({"path": "x" * LARGEST}).encode()), answering(b"[" * 100_000),
    ],
)  # fmt: skip
async def test_an_answer_that_shows_no_fields_is_passed_on_and_the_call_is_remembered(open_door, tally, app):
    house = open_door()
    house.echo.instead = app
    plain = open_door(enabled=False)
    plain.echo.instead = app
    answer, as_it_is = await house.submit({"quote": "q"}), await plain.submit({"quote": "q"})

    assert (answer.status, answer.body) == (as_it_is.status, as_it_is.body)
    assert seen(tally) == {("call", ""): 1, ("request", "quote"): 1}


async def test_the_first_call_of_each_client_and_day_is_looked_at_and_then_each_so_manieth(open_door, tally):
    house = open_door(sample=3)
    for _ in range(4):
        await house.submit({"quote": "q"})
    house.caller = Caller("globex", "globex", house.caller.scopes)
    await house.submit({"quote": "q"})
    tally.begin_day()
    await house.submit({"quote": "q"})
    calls = {line[1:3]: count for line, count in tally.take().items() if line[5] == "call"}

    assert calls == {("acme", ""): 2, ("globex", ""): 2}


async def test_what_was_refused_before_or_asked_by_nobody_is_no_use(open_door, tally):
    house = open_door()
    invalid = await house.submit({"quoted": "q"})
    hello = await house.ask("GET", "/process/orders/v1/hello")

    assert (invalid.status, hello.status) == (422, 200)
    assert tally.take() == {}


async def test_nothing_is_remembered_where_it_is_switched_off(open_door, tally):
    house = open_door(enabled=False)
    await house.submit({"quote": "q"})

    assert tally.take() == {}


def test_a_body_is_parsed_once(operation):
    call = Call({"headers": []}, None, None, operation(), {}, "")
    call.body = b'{"quote": "q"}'

    assert bodies.value(call) is bodies.value(call)
    assert bodies.value(call) == {"quote": "q"}
