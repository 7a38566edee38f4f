"""Every answer has a name that the log, the upstream and the work done share; nothing of our inside is in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from gateway.pipeline import Operation
from kernel.context import caller, correlation_id
from kernel.problem import Conflict

ORDERS = "/process/orders/v1/orders"
W3C = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]")
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("given", ["order-2026-00001", "4bf92f3577b34da6a3ce929d0e0e4736", "a.b_c:d-12345678"])
async def test_a_well_formed_correlation_id_is_kept(house: Any, given: str) -> None:
    answer = await house.ask("GET", f"{ORDERS}/o1", {"X-Correlation-Id": given})

    assert answer.headers["x-correlation-id"] == given
    assert house.echo.scopes[0]["trivium.correlation"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "a b c d e f g h", "<script>alert(1)</script>", "x" * 129, "-starts-badly", 'a"b"c"d"e']
)
async def test_another_one_is_replaced(house: Any, given: str) -> None:
    answer = await house.ask("GET", f"{ORDERS}/o1", {"X-Correlation-Id": given})

    assert answer.headers["x-correlation-id"] != given
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-correlation-id"])


async def test_no_two_calls_share_a_made_one(house: Any) -> None:
    made = {(await house.ask("GET", "/nowhere")).headers["x-correlation-id"] for _ in range(200)}

    assert len(made) == 200


async def test_the_application_can_ask_for_both_without_being_handed_them(house: Any) -> None:
    seen: list[tuple[str, str]] = []

    async def look(scope: Any, receive: Any, send: Any) -> None:
        seen.append((correlation_id.get(), caller.get().client))
        raise Conflict("no")

    house.echo.instead = look
    answer = await house.ask("GET", f"{ORDERS}/o1")

    assert seen == [(answer.headers["x-correlation-id"], "acme")]
    assert (correlation_id.get(), caller.get().client) == ("", "")


async def test_a_trace_is_continued_or_begun(house: Any) -> None:
    await house.ask("GET", f"{ORDERS}/o1", {"traceparent": PARENT})
    await house.ask("GET", f"{ORDERS}/o1")
    continued, begun = [
        [value.decode() for name, value in scope["headers"] if name == b"traceparent"] for scope in house.echo.scopes
    ]

    assert len(continued) == len(begun) == 1
    assert continued[0][:35] == PARENT[:35]
    assert continued[0][36:52] != PARENT[36:52]
    assert continued[0].endswith("-01")
    assert W3C.fullmatch(begun[0])


@pytest.mark.parametrize("given", ["00-" + "0" * 32 + PARENT[35:], "ff" + PARENT[2:], PARENT.upper(), PARENT + "-x", "junk"])
async def test_a_broken_trace_context_begins_a_new_one(house: Any, given: str) -> None:
    await house.ask("GET", f"{ORDERS}/o1", {"traceparent": given})
    (passed,) = [value.decode() for name, value in house.echo.scopes[0]["headers"] if name == b"traceparent"]

    assert passed != given
    assert W3C.fullmatch(passed)


async def test_the_sampled_share_of_calls_has_a_span(build: Any) -> None:
    spans: list[tuple[str, str]] = []

    @contextmanager
    def span(operation: Operation, traceparent: str) -> Iterator[None]:
        spans.append((operation.id, traceparent))
        yield

    all_, none = build(span=span, ratio=1.0), build(span=span, ratio=0.0)
    await all_.ask("GET", f"{ORDERS}/o1")
    await none.ask("GET", f"{ORDERS}/o1")
    await none.ask("GET", f"{ORDERS}/o1", {"traceparent": PARENT})  # the caller decided
    await all_.ask("GET", f"{ORDERS}/o1", {"traceparent": PARENT[:-1] + "0"})

    assert [operation for operation, _ in spans] == ["process.orders.v1.get_order"] * 2
    assert spans[1][1][3:35] == PARENT[3:35]


async def test_an_unexpected_failure_says_nothing_of_our_inside_but_is_logged(house: Any) -> None:
    async def crash(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("password=hunter2 at /srv/app")

    house.echo.instead = crash
    with structlog.testing.capture_logs() as logs:
        answer = await house.ask("GET", f"{ORDERS}/o1")

    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.body.decode()
    assert logs[0]["correlation_id"] == answer.json()["correlation_id"]
    assert logs[0]["operation"] == "process.orders.v1.get_order"


async def test_a_problem_keeps_its_own_headers_and_members(house: Any) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        raise Conflict("already there", field="quote", retry_after=3)

    house.echo.instead = refuse
    answer = await house.ask("GET", f"{ORDERS}/o1")

    assert (answer.status, answer.headers["retry-after"], answer.json()["field"]) == (409, "3", "quote")


async def test_a_failure_in_the_middle_of_an_answer_breaks_it_off(house: Any) -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    house.echo.instead = half

    with structlog.testing.capture_logs(), pytest.raises(RuntimeError):
        await house.ask("GET", f"{ORDERS}/o1")


async def test_a_call_is_one_line_in_the_log(house: Any) -> None:
    house.log.start()
    answer = await house.ask("GET", f"{ORDERS}/o1")
    await house.ask("GET", "/nowhere")
    await house.ask("GET", "/health/live")
    house.log.stop()
    first, second = house.lines

    assert {name: first[name] for name in ("operation", "method", "path", "status", "client")} == {
        "operation": "process.orders.v1.get_order", "method": "GET", "path": f"{ORDERS}/o1", "status": 200, "client": "acme",
    }  # fmt: skip
    assert first["correlation_id"] == answer.headers["x-correlation-id"]
    assert 0 < first["seconds"] < 5
    assert (second["operation"], second["status"], second["client"]) == ("unrouted", 404, "anonymous")


async def test_a_call_whose_caller_left_is_counted_as_such(house: Any) -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        return

    house.echo.instead = silent

    with pytest.raises(IndexError):  # there is no answer to look at
        await house.ask("GET", f"{ORDERS}/o1")
    assert house.count("process.orders.v1.get_order", "none") == 1


async def test_headers_of_ours_replace_the_application_s_but_links_add_up(house: Any) -> None:
    async def talkative(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"x-correlation-id", b"mine"), (b"ratelimit", b"mine"), (b"link", b"<a>; rel=next")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    house.echo.instead = talkative
    answer = await house.ask("GET", f"{ORDERS}/o1")

    assert answer.headers["x-correlation-id"] != "mine"
    assert answer.headers["ratelimit"] == '"burst";r=99;t=60'
    assert answer.headers["link"] == "<a>; rel=next"
