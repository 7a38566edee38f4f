"""The same call under the same key gets the same answer and does nothing; what may have been done is never lost sight of."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.contracts import BadContract
from gateway.oauth.sealing import Seal
from gateway.replays.store import Replays
from kernel.db import Database
from kernel.problem import Internal, OutcomeUnknown, PlatformDown, Refused
from kernel.sections.replays import Replays as Terms

ORDER = {"quote": "q"}
REPLAYED = "idempotency-replayed"
SEAL = Seal(b"k" * 32)


class Orders:
    """The application behind the door: makes one more order at each call, unless told to answer otherwise."""

    def __init__(self) -> None:
        self.made = 0
        self.status, self.media = 201, b"application/json"
        self.chunks: list[bytes] | None = None
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.made += 1
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        chunks = self.chunks or [json.dumps({"id": f"o{self.made}"}).encode()]
        length = [] if self.chunks else [(b"content-length", str(len(chunks[0])).encode())]
        headers = [(b"content-type", self.media), (b"location", f"/orders/o{self.made}".encode()), *length]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for number, chunk in enumerate(chunks, 1):
            await send({"type": "http.response.body", "body": chunk, "more_body": number < len(chunks)})


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await opened.create_all()
    yield opened
    await opened.close()


@pytest.fixture
async def kept(database: Database, clock: Any) -> AsyncIterator[Replays]:
    opened = Replays(database, SEAL, clock, Terms(largest_answer=1024))
    yield opened
    await opened.close()


@pytest.fixture
def opening(build: Callable[..., Any], contract: Callable[..., str], kept: Replays) -> Callable[..., Any]:
    """A door whose operation says this of its replays."""

    def one(replays: Replays = kept, **said: bool) -> Any:
        def change(document: Any) -> None:
            post = document["paths"]["/process/orders/v1/orders"]["post"]
            post["x-trivium-limits"] = {"default": [{"policy": "burst", "quota": 100, "window": 60}]}
            post["x-trivium-replay"] = said

        house = build(contract(change), means={"replays": replays})
        house.echo.instead = Orders()
        return house

    return one


@pytest.fixture
def house(opening: Callable[..., Any]) -> Any:
    return opening()


async def test_a_repeated_call_gets_the_answer_of_the_first(house: Any) -> None:
    first = await house.submit(ORDER, **{"x-correlation-id": "first-call-1"})
    again = await house.submit(b' {\n"quote": "q"}', **{"x-correlation-id": "second-call-2", "idempotency-key": '"order-0001"'})

    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body == b'{"id": "o1"}'
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == "application/json"
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert again.headers["x-correlation-id"] == "second-call-2"
    assert again.headers["ratelimit"] != first.headers["ratelimit"], "a repetition is a call as any other"
    assert house.echo.instead.made == 1


async def test_another_body_under_the_key_is_refused(house: Any) -> None:
    await house.submit(ORDER)
    answer = await house.submit({"quote": "other"})

    assert (answer.status, answer.json()["type"]) == (422, "urn:trivium:problem:key-reused")
    assert house.echo.instead.made == 1


async def test_the_key_belongs_to_its_client(house: Any) -> None:
    first, caller, answers = await house.submit(ORDER), house.caller, []
    for other in ({"client": "globex", "subject": "globex"}, {"subject": "jo"}, {"issuer": "https://idp.example"}):
        house.caller = replace(caller, **other)
        answers.append(await house.submit(ORDER))

    assert len({answer.body for answer in (first, *answers)}) == 4
    assert house.echo.instead.made == 4


async def test_while_the_first_runs_the_second_is_told_to_ask_again(house: Any) -> None:
    orders = house.echo.instead
    orders.gate = asyncio.Event()
    first = asyncio.create_task(house.submit(ORDER))
    await orders.begun.wait()
    second = await house.submit(ORDER)
    orders.gate.set()
    third_after_first = await first, await house.submit(ORDER)

    assert (second.status, second.headers["retry-after"]) == (409, "1")
    assert second.json()["type"] == "urn:trivium:problem:in-progress"
    assert [answer.status for answer in third_after_first] == [201, 201]
    assert orders.made == 1


@pytest.mark.parametrize("status", [200, 201, 203, 204, 206, 303])
async def test_what_tells_of_something_done_is_kept(house: Any, status: int) -> None:
    house.echo.instead.status = status
    answers = [await house.submit(ORDER) for _ in range(2)]

    assert [answer.status for answer in answers] == [status, status]
    assert house.echo.instead.made == 1


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 409, 410, 422, 429, 503])
async def test_what_tells_of_nothing_done_frees_the_key(house: Any, status: int) -> None:
    orders = house.echo.instead
    orders.status, orders.media = status, b"application/problem+json"
    refused = await house.submit(ORDER)
    orders.status, orders.media = 201, b"application/json"
    other = await house.submit({"quote": "other"})

    assert (refused.status, other.status) == (status, 201)
    assert REPLAYED not in other.headers


@pytest.mark.parametrize("error", [Refused("no credit"), PlatformDown("not reached")])
async def test_a_refusal_that_is_raised_frees_the_key_too(house: Any, error: Exception) -> None:
    house.echo.instead.error = error
    refused = await house.submit(ORDER)
    house.echo.instead.error = None

    assert refused.status in (422, 503)
    assert "idempotency-replayable" not in refused.headers
    assert (await house.submit({"quote": "other"})).status == 201


@pytest.mark.parametrize("error", [OutcomeUnknown("broke off"), Internal("?"), RuntimeError("a mistake of ours")])
async def test_what_nobody_knows_is_asked_of_an_upstream_that_knows_the_key(
    opening: Callable[..., Any], error: Exception
) -> None:
    house = opening(upstream_dedupes=True)
    house.echo.instead.error = error
    unknown = await house.submit(ORDER)
    house.echo.instead.error = None
    other, again = await house.submit({"quote": "other"}), await house.submit(ORDER)

    assert unknown.status >= 500
    assert other.json()["type"] == "urn:trivium:problem:key-reused"
    assert (again.status, house.echo.instead.made) == (201, 2)


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_of_one_that_does_not_know_it_a_person_must_find_out(house: Any, status: int) -> None:
    orders = house.echo.instead
    orders.status, orders.media = status, b"application/problem+json"
    unknown, again = await house.submit(ORDER), await house.submit(ORDER)

    assert unknown.status == status
    assert (again.status, again.json()["type"]) == (409, "urn:trivium:problem:needs-person")
    assert orders.made == 1


async def test_work_that_goes_on_is_asked_after_until_it_has_ended(opening: Callable[..., Any]) -> None:
    house = opening(upstream_dedupes=True)
    orders = house.echo.instead
    orders.status = 202
    under_way = [await house.submit(ORDER) for _ in range(2)]
    orders.status = 201
    ended = [await house.submit(ORDER) for _ in range(2)]

    assert [answer.status for answer in (*under_way, *ended)] == [202, 202, 201, 201]
    assert [REPLAYED in answer.headers for answer in (*under_way, *ended)] == [False, False, False, True]
    assert orders.made == 3


async def test_work_of_an_upstream_without_keys_is_begun_once(house: Any) -> None:
    house.echo.instead.status = 202
    answers = [await house.submit(ORDER) for _ in range(2)]

    assert [answer.headers["location"] for answer in answers] == ["/orders/o1", "/orders/o1"]
    assert house.echo.instead.made == 1


async def test_an_answer_in_pieces_is_kept_whole(house: Any) -> None:
    house.echo.instead.chunks = [b'{"id"', b': "o1"', b"}"]
    answers = [await house.submit(ORDER) for _ in range(2)]

    assert [answer.body for answer in answers] == [b'{"id": "o1"}'] * 2
    assert house.echo.instead.made == 1


@pytest.mark.parametrize("chunks", [[b"x" * 1025], [b"x" * 600, b"x" * 600]])
async def test_a_larger_answer_is_given_and_not_kept_and_says_so(house: Any, chunks: list[bytes]) -> None:
    house.echo.instead.chunks = chunks
    first, again = await house.submit(ORDER), await house.submit(ORDER)

    assert (first.body, first.headers["idempotency-replayable"]) == (b"".join(chunks), "false")
    assert again.status == 409
    assert "not kept" in again.json()["detail"]
    assert house.echo.instead.made == 1


async def test_an_answer_that_holds_a_secret_is_not_kept(opening: Callable[..., Any]) -> None:
    house = opening(keep_answer=False)
    first, again = await house.submit(ORDER), await house.submit(ORDER)

    assert (first.status, first.headers["idempotency-replayable"]) == (201, "false")
    assert (again.status, house.echo.instead.made) == (409, 1)


async def test_a_token_that_may_do_less_is_not_shown_what_one_that_may_more_was(house: Any) -> None:
    mighty = house.caller
    house.caller = replace(mighty, scopes=mighty.scopes | {"fields:tax"})
    await house.submit(ORDER)
    house.caller = mighty
    answer = await house.submit(ORDER)

    assert (answer.status, answer.json()["missing_scopes"]) == (403, ["fields:tax"])
    assert "o1" not in answer.body.decode()


async def test_a_crash_after_the_effect_leads_back_to_the_upstream(
    opening: Callable[..., Any], database: Database, clock: Any
) -> None:
    house = opening(upstream_dedupes=True)
    orders = house.echo.instead
    orders.gate = asyncio.Event()
    dying = asyncio.create_task(house.submit(ORDER))
    await orders.begun.wait()
    dying.cancel()
    await asyncio.wait([dying])
    orders.gate = None
    clock.pass_seconds(6)
    again = await house.submit(ORDER)

    assert (again.status, orders.made) == (201, 2)
    assert REPLAYED not in again.headers


async def test_without_the_database_nothing_is_done(house: Any, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.exec_driver_sql("DROP TABLE gateway_replays")
    answer = await house.submit(ORDER)

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert "nothing was done" in answer.json()["detail"]
    assert house.echo.instead.made == 0


async def test_an_answer_is_given_even_where_it_cannot_be_kept(house: Any, database: Database) -> None:
    orders = house.echo.instead
    orders.gate = asyncio.Event()
    running = asyncio.create_task(house.submit(ORDER))
    await orders.begun.wait()
    async with database.transaction() as connection:
        await connection.exec_driver_sql("DROP TABLE gateway_replays")
    orders.gate.set()

    assert (await running).status == 201


async def test_reading_and_nameless_callers_are_left_alone(house: Any) -> None:
    house.echo.instead = None
    answer = await house.ask("GET", "/process/orders/v1/orders", {"idempotency-key": "order-0001"})

    assert REPLAYED not in answer.headers
    assert len(house.echo.scopes) == 1


@pytest.mark.parametrize("said", [{"upstream_dedupes": "yes"}, {"keep": True}, {"keep_answer": 1}])
def test_a_contract_that_says_it_wrongly_is_refused(opening: Callable[..., Any], said: Any) -> None:
    with pytest.raises(BadContract, match="x-trivium-replay has upstream_dedupes and keep_answer"):
        opening(**said)
