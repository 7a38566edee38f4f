"""The door as a caller meets it: what it refuses, in which words, and what it lets through."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.contracts import BadContract
from gateway.dispatch import InProcess

ORDERS = "/process/orders/v1/orders"
PROBLEM = "application/problem+json"


def _is_problem(answer: Any, status: int) -> bool:
    body = answer.json()
    return (
        answer.status == status == body["status"]
        and answer.headers["content-type"] == PROBLEM
        and body["correlation_id"] == answer.headers["x-correlation-id"]
    )


async def test_a_promised_call_reaches_its_application(house: Any) -> None:
    answer = await house.ask("GET", f"{ORDERS}/o1")

    assert answer.status == 200
    assert answer.json() == {"path": f"{ORDERS}/o1"}
    assert house.echo.scopes[0]["trivium.caller"] == house.caller
    assert house.echo.scopes[0]["trivium.correlation"] == answer.headers["x-correlation-id"]


@pytest.mark.parametrize(
    "path", ["/", "/process", f"{ORDERS}/o1/lines", "/process/orders/v2/orders", "/PROCESS/orders/v1/orders"]
)
async def test_what_no_contract_promises_does_not_exist(house: Any, path: str) -> None:
    answer = await house.ask("GET", path)

    assert _is_problem(answer, 404)
    assert house.echo.scopes == []


async def test_a_promise_without_an_application_stops_the_start(build: Any) -> None:
    with pytest.raises(BadContract, match="process/orders, which is not served here"):
        build(targets={"process/other": InProcess(lambda scope, receive, send: None)})  # type: ignore[arg-type, return-value]


async def test_a_contract_below_a_mount_stops_the_start(build: Any) -> None:
    with pytest.raises(BadContract, match="/process is mounted"):
        build(mounts={"process": None})


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "TRACE", "BREW"])
async def test_a_method_that_is_not_promised_is_told_which_are(house: Any, method: str) -> None:
    answer = await house.ask(method, ORDERS)

    assert _is_problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_options_answers_with_allow_and_nothing_else(house: Any) -> None:
    answer = await house.ask("OPTIONS", f"{ORDERS}/o1")

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert "x-correlation-id" in answer.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_head_is_get_without_the_body(house: Any) -> None:
    head = await house.ask("HEAD", f"{ORDERS}/o1")
    get = await house.ask("GET", f"{ORDERS}/o1")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(get.body))
    assert house.echo.scopes[0]["method"] == "GET"


@pytest.mark.parametrize(
    "path",
    [
        f"{ORDERS}/../orders", f"{ORDERS}/%2e%2e/x", f"{ORDERS}%2fo1", f"{ORDERS}//o1", f"{ORDERS}/",
        f"{ORDERS}/%252e", f"{ORDERS}/%00",
        f"{ORDERS}\\o1", f"{ORDERS}/..;/o1", f"{ORDERS}/\xe9", "*", "http://evil.test/",
    ],
)  # fmt: skip
async def test_a_path_that_can_be_read_in_two_ways_is_refused(house: Any, path: str) -> None:
    answer = await house.ask("GET", path)

    assert _is_problem(answer, 400)
    assert house.echo.scopes == []


async def test_an_encoded_path_reaches_the_application_normalised(house: Any) -> None:
    await house.ask("GET", "/proc%65ss/orders/v1/orders/caf%c3%a9")

    assert house.echo.scopes[0]["path"] == f"{ORDERS}/café"
    assert house.echo.scopes[0]["raw_path"] == f"{ORDERS}/caf%C3%A9".encode()


@pytest.mark.parametrize(
    "headers",
    [
        [("Host", "a"), ("Host", "b")],
        [("Content-Length", "5"), ("Content-Length", "6")],
        [("Content-Length", "5"), ("Content-Length", "5")],
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")],
        [("Content-Length", "+5")],
        [("Content-Length", "-1")],
        [("Content-Length", "0x5")],
        [("Content-Length", "5, 5")],
        [("Content-Length", "")],
        [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
        [("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
    ],
)
async def test_a_head_that_can_be_read_in_two_ways_is_refused(house: Any, headers: list[tuple[str, str]]) -> None:
    answer = await house.ask("POST", ORDERS, headers, b"{}")

    assert _is_problem(answer, 400)
    assert house.echo.scopes == []


@pytest.mark.parametrize(
    "headers",
    [
        [(f"X-{number}", "a") for number in range(101)],
        [("X-Big", "a" * 16_385)],
        [("X-Big", "a" * 40_000)],
        [("X-Big", "a" * 12_000), ("X-Big", "a" * 12_000), ("X-Big", "a" * 12_000)],
        [(f"X-{number}", "a" * 500) for number in range(70)],
        [("x" * 20_000, "a"), ("y" * 20_000, "a")],
    ],
)
async def test_a_head_that_never_ends_is_refused_by_its_own_status(house: Any, headers: list[tuple[str, str]]) -> None:
    answer = await house.ask("POST", ORDERS, headers, b"{}")

    assert _is_problem(answer, 431)
    assert answer.headers["connection"] == "close"
    assert house.echo.scopes == []


async def test_a_head_as_large_as_it_may_be_is_read(house: Any) -> None:
    headers = {f"x-{number}": "a" * 320 for number in range(98)}

    assert (await house.ask("GET", f"{ORDERS}/o1", headers)).status == 200
    assert (await house.ask("GET", f"{ORDERS}/o1", {"x-big": "a" * 16_384})).status == 200


@pytest.mark.parametrize("target", [f"{ORDERS}?limit={'1' * 9000}", f"{ORDERS}/{'a' * 9000}"])
async def test_a_target_without_end_is_refused_by_its_own_status(house: Any, target: str) -> None:
    assert _is_problem(await house.ask("GET", target), 414)


@pytest.mark.parametrize("name", ["X-Consumer-Username", "X-Forwarded-User", "X_Remote_User", "Remote-User"])
async def test_who_somebody_claims_to_be_in_a_header_is_not_passed_on(house: Any, name: str) -> None:
    await house.ask("GET", f"{ORDERS}/o1", {name: "root", "remote-user": "root", "x-kept": "yes"})

    names = {name for name, _ in house.echo.scopes[0]["headers"]}
    assert b"x-kept" in names
    assert not {name.lower().encode(), b"remote-user"} & names


async def test_answers_are_not_stored_or_sniffed_unless_the_application_says_so(house: Any) -> None:
    async def cacheable(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"cache-control", b"max-age=60"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    first = await house.ask("GET", f"{ORDERS}/o1")
    house.echo.instead = cacheable
    second = await house.ask("GET", f"{ORDERS}/o1")

    assert (first.headers["cache-control"], first.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert second.headers["cache-control"] == "max-age=60"


async def test_a_mount_answers_below_its_segment_and_is_named_counted_and_bounded(build: Any) -> None:
    async def token(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    house = build(mounts={"oauth": token})
    answer = await house.ask("GET", "/oauth/token?any=thing")
    large = await house.ask("POST", "/oauth/token", {}, b"a" * 70_000)

    assert answer.body == b"/oauth/token"
    assert "x-correlation-id" in answer.headers
    assert house.count("oauth", "2xx") == 1
    assert _is_problem(large, 413)


async def test_refused_calls_burn_no_quota(house: Any) -> None:
    body = {"quote": "q1"}
    for _ in range(10):
        await house.ask("GET", "/nowhere")
        await house.ask("PATCH", ORDERS)
        await house.submit({"quote": 7})
        await house.submit(body, **{"idempotency-key": ""})
    answers = [await house.submit(body) for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]


async def test_a_missing_scope_burns_no_quota_and_reads_no_body(build: Any) -> None:
    house = build()
    house.caller = type(house.caller)("acme", "acme", frozenset())
    refused = [await house.submit({"quote": 7}) for _ in range(5)]
    house.caller = type(house.caller)("acme", "acme", frozenset({"orders:write"}))
    allowed = await house.submit({"quote": "q"})

    assert {answer.status for answer in refused} == {403}
    assert allowed.headers["ratelimit"] == '"burst";r=2;t=60'


async def test_a_websocket_is_turned_away(house: Any) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await house.app({"type": "websocket", "path": "/", "query_string": b"", "headers": []}, receive, send)

    assert sent[0]["type"] == "websocket.close"


async def test_the_log_runs_as_long_as_the_server(house: Any) -> None:
    sent: list[str] = []
    events = ["lifespan.startup", "lifespan.shutdown"]

    async def receive() -> Any:
        if len(events) == 1:
            await house.ask("GET", f"{ORDERS}/o1")
        return {"type": events.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await house.app({"type": "lifespan"}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert [line["operation"] for line in house.lines] == ["process.orders.v1.get_order"]


async def test_health_is_answered_without_a_token(build: Callable[..., Any]) -> None:
    ready = True

    async def database() -> bool:
        return ready

    house = build(checks={"database": database})
    live, first = await house.ask("GET", "/health/live"), await house.ask("GET", "/health/ready")
    ready = False
    second = await house.ask("GET", "/health/ready")

    assert (live.status, live.json()) == (200, {"status": "live"})
    assert first.json() == {"status": "ready", "checks": {"database": True}}
    assert _is_problem(second, 503)
    assert second.json()["checks"] == {"database": False}
    assert json.loads(second.body)["detail"] == "not ready: database"


async def test_a_readiness_check_that_breaks_is_not_ready(build: Any) -> None:
    async def broken() -> bool:
        raise ConnectionError("gone")

    assert _is_problem(await build(checks={"redis": broken}).ask("GET", "/health/ready"), 503)


async def test_metrics_are_labelled_by_operation_and_never_by_path(house: Any) -> None:
    for number in range(3):
        await house.ask("GET", f"{ORDERS}/o{number}")
        await house.ask("GET", f"/nowhere/{number}")
    text = (await house.ask("GET", "/metrics")).body.decode()

    assert 'trivium_requests_total{method="GET",operation="process.orders.v1.get_order",status="2xx"} 3.0' in text
    assert 'trivium_requests_total{method="GET",operation="unrouted",status="4xx"} 3.0' in text
    assert 'trivium_request_seconds_count{method="GET",operation="process.orders.v1.get_order",status="2xx"} 3.0' in text
    assert "nowhere" not in text
    assert "/o1" not in text
