"""A kept answer is given to the one it was made for, for as long as it holds, and to nobody else."""

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from gateway.cache import AnswerCache
from gateway.contracts import BadContract
from gateway.pipeline import Caller
from kernel.problem import NotFound, PlatformDown
from kernel.sections.replays import Cache

ORDERS = "/process/orders/v1/orders"
ORDER = f"{ORDERS}/o1"
SCOPES = frozenset({"orders:read", "orders:write"})


class Counting:
    """Numbers its answers; each says who asked."""

    def __init__(self) -> None:
        self.calls, self.status = 0, 200
        self.headers: list[tuple[bytes, bytes]] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.seen: list[dict[bytes, bytes]] = []
        self.begun = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        self.begun.set()
        self.seen.append(dict(scope["headers"]))
        content = f"{self.calls} {scope['trivium.caller']}".encode()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        media = b"text/plain" if self.status < 400 else b"application/problem+json"
        head = [(b"content-type", media), (b"content-length", str(len(content)).encode()), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": head})
        await send({"type": "http.response.body", "body": content})


@pytest.fixture
def opening(build: Callable[..., Any], contract: Callable[..., str], clock: Any) -> Callable[..., Any]:
    """A door that keeps what its two reads answer, as their contract says."""

    def one(answers: AnswerCache | None = None, **said: Any) -> Any:
        def change(document: Any) -> None:
            plenty = {"default": [{"policy": "burst", "quota": 1_000_000, "window": 60}]}
            for path in (ORDERS, f"{ORDERS}/{{order_id}}"):
                document["paths"][path]["get"] |= {"x-trivium-cache": {"ttl": 60, **said}, "x-trivium-limits": plenty}

        house = build(contract(change), means={"answers": answers or AnswerCache(Cache(), clock)})
        house.echo.instead = Counting()
        return house

    return one


@pytest.fixture
def house(opening: Callable[..., Any]) -> Any:
    return opening()


async def test_what_was_asked_before_is_answered_without_asking(house: Any, clock: Any) -> None:
    first = await house.ask("GET", ORDER)
    clock.pass_seconds(17)
    again = await house.ask("GET", ORDER)

    assert again.body == first.body
    assert (first.headers["cache-status"], again.headers["cache-status"]) == ("trivium; fwd=miss; stored", "trivium; hit; ttl=43")
    assert ("age" in first.headers, again.headers["age"]) == (False, "17")
    assert first.headers["cache-control"] == again.headers["cache-control"] == "private, no-cache"
    assert again.headers["x-correlation-id"] != first.headers["x-correlation-id"]
    assert house.echo.instead.calls == 1


async def test_after_its_time_it_is_asked_for_again(house: Any, clock: Any) -> None:
    await house.ask("GET", ORDER)
    clock.pass_seconds(60)
    answer = await house.ask("GET", ORDER)

    assert (answer.headers["cache-status"], house.echo.instead.calls) == ("trivium; fwd=miss; stored", 2)


async def test_a_kept_answer_has_a_tag_and_is_not_sent_to_who_has_it(house: Any) -> None:
    first = await house.ask("GET", ORDER)
    seen = await house.ask("GET", ORDER, {"if-none-match": first.headers["etag"]})
    head = await house.ask("HEAD", ORDER)

    assert (seen.status, seen.headers["cache-status"]) == (304, "trivium; hit; ttl=60")
    assert (head.body, head.headers["etag"]) == (b"", first.headers["etag"])
    assert house.echo.instead.calls == 1


async def test_who_has_an_old_one_fills_it_with_a_whole_one(house: Any) -> None:
    await house.ask("GET", ORDER, {"if-none-match": '"old"', "if-modified-since": "Sun, 01 Mar 2026 12:00:00 GMT"})

    assert not {b"if-none-match", b"if-modified-since"} & house.echo.instead.seen[0].keys()
    assert (await house.ask("GET", ORDER)).headers["cache-status"] == "trivium; hit; ttl=60"


async def test_the_order_of_the_query_does_not_matter_and_its_values_do(house: Any) -> None:
    for query in ("limit=1&state=held", "state=held&limit=1", "limit=1&state=%68eld"):
        await house.ask("GET", f"{ORDERS}?{query}")
    for query in ("limit=2&state=held", "state=held&state=running&limit=1", "state=running&state=held&limit=1", ""):
        await house.ask("GET", f"{ORDERS}?{query}")

    assert house.echo.instead.calls == 5


async def test_a_header_that_matters_is_part_of_the_question(opening: Callable[..., Any]) -> None:
    house = opening(vary=["Accept-Language"])
    house.echo.instead.headers = [(b"vary", b"Accept-Language")]
    for language in ("de", "fr", "de"):
        await house.ask("GET", ORDER, {"accept-language": language, "x-other": language})

    assert house.echo.instead.calls == 2


@pytest.mark.parametrize(
    "header",
    [
        (b"set-cookie", b"a=b"), (b"cache-control", b"private, no-store"), (b"cache-control", b"No-Cache"),
        (b"vary", b"accept-language"), (b"vary", b"*"), (b"cache-control", b"max-age=0"), (b"content-range", b"bytes 0-1/2"),
    ],
)  # fmt: skip
async def test_what_its_upstream_does_not_want_kept_is_not(house: Any, header: tuple[bytes, bytes]) -> None:
    house.echo.instead.headers = [header]
    answers = [await house.ask("GET", ORDER) for _ in range(2)]

    assert house.echo.instead.calls == 2
    assert {answer.headers["cache-status"] for answer in answers} == {"trivium; fwd=miss"}


async def test_an_upstream_may_want_it_kept_for_a_shorter_time(house: Any, clock: Any) -> None:
    house.echo.instead.headers = [(b"cache-control", b"max-age=5")]
    await house.ask("GET", ORDER)
    clock.pass_seconds(4)
    kept = await house.ask("GET", ORDER)
    clock.pass_seconds(1)
    await house.ask("GET", ORDER)

    assert (kept.headers["age"], kept.headers["cache-control"]) == ("4", "max-age=5")
    assert house.echo.instead.calls == 2


@pytest.mark.parametrize("status", [201, 204, 301, 404, 500])
async def test_nothing_but_a_plain_answer_is_kept(house: Any, status: int) -> None:
    house.echo.instead.status = status
    for _ in range(2):
        assert (await house.ask("GET", ORDER)).status == status

    assert house.echo.instead.calls == 2


@pytest.mark.parametrize(
    ("headers", "calls", "status"),
    [
        ({"cache-control": "no-cache"}, 2, "trivium; fwd=request; stored"),
        ({"cache-control": "no-store"}, 2, "trivium; fwd=bypass"),
        ({"range": "bytes=0-1"}, 2, "trivium; fwd=bypass"),
        ({"cache-control": "max-age=0"}, 1, "trivium; hit; ttl=60"),
    ],
)
async def test_a_caller_may_want_a_new_one(house: Any, headers: dict[str, str], calls: int, status: str) -> None:
    await house.ask("GET", ORDER)
    answer = await house.ask("GET", ORDER, headers)

    assert (house.echo.instead.calls, answer.headers["cache-status"]) == (calls, status)


async def test_a_write_is_seen_at_once(house: Any) -> None:
    await house.ask("GET", ORDERS)
    await house.ask("GET", ORDER)
    await house.submit({"quote": "q"})
    after = [await house.ask("GET", target) for target in (ORDERS, ORDER)]

    assert {answer.headers["cache-status"] for answer in after} == {"trivium; fwd=miss; stored"}


@pytest.mark.parametrize(("error", "forgotten"), [(NotFound("?"), False), (PlatformDown("?"), True), (RuntimeError("?"), True)])
async def test_a_write_that_may_have_been_done_counts_as_done(house: Any, error: Exception, forgotten: bool) -> None:
    await house.ask("GET", ORDERS)
    house.echo.instead.error = error
    await house.submit({"quote": "q"})
    house.echo.instead.error = None
    answer = await house.ask("GET", ORDERS)

    assert answer.headers["cache-status"].startswith("trivium; fwd=miss" if forgotten else "trivium; hit")


async def test_while_one_call_fetches_it_the_others_wait_for_it(house: Any) -> None:
    counting = house.echo.instead
    counting.gate = asyncio.Event()
    asking = [asyncio.create_task(house.ask("GET", ORDER)) for _ in range(5)]
    await counting.begun.wait()
    counting.gate.set()
    answers = await asyncio.gather(*asking)

    assert counting.calls == 1
    assert len({answer.body for answer in answers}) == 1
    assert sorted(answer.headers["cache-status"] for answer in answers)[0] == "trivium; fwd=miss; collapsed; ttl=60"


async def test_when_the_one_fails_the_others_ask_for_themselves(house: Any) -> None:
    counting = house.echo.instead
    counting.gate, counting.error = asyncio.Event(), NotFound("there is none")
    asking = [asyncio.create_task(house.ask("GET", ORDER)) for _ in range(3)]
    await counting.begun.wait()
    counting.gate.set()

    assert [answer.status for answer in await asyncio.gather(*asking)] == [404, 404, 404]
    assert counting.calls == 3


async def test_when_the_one_is_called_off_the_others_ask_for_themselves(house: Any) -> None:
    counting = house.echo.instead
    counting.gate = asyncio.Event()
    first = asyncio.create_task(house.ask("GET", ORDER))
    await counting.begun.wait()
    second = asyncio.create_task(house.ask("GET", ORDER))
    await asyncio.sleep(0)
    first.cancel()
    counting.gate.set()

    assert (await second).status == 200


@pytest.mark.parametrize("failing", [PlatformDown("not reached"), 503])
async def test_an_old_answer_may_stand_in_for_one_that_cannot_be_had(
    opening: Callable[..., Any], clock: Any, failing: Exception | int
) -> None:
    house = opening(stale_if_error=300)
    first = await house.ask("GET", ORDER)
    clock.pass_seconds(100)
    counting = house.echo.instead
    counting.error, counting.status = (None, failing) if isinstance(failing, int) else (failing, 200)
    stale = await house.ask("GET", ORDER)
    clock.pass_seconds(300)
    gone = await house.ask("GET", ORDER)

    assert (stale.status, stale.body, stale.headers["age"]) == (200, first.body, "100")
    assert stale.headers["cache-status"] == "trivium; hit; ttl=-40"
    assert gone.status == 503


async def test_a_refusal_is_not_hidden_by_an_old_answer(opening: Callable[..., Any], clock: Any) -> None:
    house = opening(stale_if_error=300)
    await house.ask("GET", ORDER)
    clock.pass_seconds(100)
    house.echo.instead.error = NotFound("it was deleted")

    assert (await house.ask("GET", ORDER)).status == 404


async def test_scopes_and_limits_come_before_what_is_kept(house: Any) -> None:
    await house.ask("GET", ORDER)
    house.caller = replace(house.caller, scopes=frozenset())
    refused = await house.ask("GET", ORDER)

    assert (refused.status, "cache-status" in refused.headers) == (403, False)


NAMES = st.sampled_from(["acme", "globex", ""])
CALLERS = st.builds(
    Caller, client=NAMES, subject=NAMES, scopes=st.sampled_from([SCOPES, SCOPES | {"fields:tax"}]),
    plan=st.sampled_from(["default", "gold"]), accounts=st.sampled_from([None, frozenset({"crm/1"}), frozenset({"crm/2"})]),
    token_id=st.sampled_from(["t1", "t2"]), expires_at=st.integers(1, 2), issuer=NAMES,
)  # fmt: skip
OF_ONE_TOKEN = ("token_id", "expires_at", "issued_at", "key_id")


def _worth(caller: Caller) -> tuple[Any, ...]:
    return tuple(getattr(caller, field.name) for field in fields(caller) if field.name not in OF_ONE_TOKEN)


@given(callers=st.lists(CALLERS, min_size=2, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_two_principals_ever_share_an_answer(opening: Callable[..., Any], callers: list[Caller]) -> None:
    house = opening()
    given_: dict[bytes, set[tuple[Any, ...]]] = {}
    for caller in callers:
        house.caller = caller
        answer = await house.ask("GET", ORDER)
        if answer.status == 200:
            given_.setdefault(answer.body, set()).add(_worth(caller))

    assert all(len(principals) == 1 for principals in given_.values())
    assert house.echo.instead.calls == len(given_) == len(set().union(*given_.values()))


@pytest.mark.parametrize(
    "said", [{"ttl": 0}, {"ttl": "60"}, {"ttl": 100_000}, {"ttl": True}, {"vary": "accept"}, {"vary": [1]}, {"stale": 1}]
)
def test_a_contract_that_says_it_wrongly_is_refused(opening: Callable[..., Any], said: Any) -> None:
    with pytest.raises(BadContract, match=r"x-trivium-cache is \{ttl: 1 to 86400 seconds"):
        opening(**said)


def test_only_reads_can_be_kept(build: Callable[..., Any], contract: Callable[..., str]) -> None:
    def change(document: Any) -> None:
        document["paths"][ORDERS]["post"]["x-trivium-cache"] = {"ttl": 60}

    with pytest.raises(BadContract, match="only what GET answers can be kept"):
        build(contract(change))
