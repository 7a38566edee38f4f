"""Over HTTP: what is ours to say is said by us, what is the caller's passes unchanged, and errors are problems."""

import asyncio
import socket
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.dispatch import InProcess
from gateway.pipeline import Call
from gateway.upstreams.target import Upstream

ORDERS = "/process/orders/v1/orders"
INNERMOST: dict[str, Any] = {"retries": {"attempts": 2, "statuses": []}, "failing": frozenset()}
HELLO = "/process/orders/v1/hello"


class Service:
    """The upstream: keeps what it got, answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes, list[tuple[bytes, bytes]], bytes]] = []
        self.status, self.headers, self.chunks = 200, [(b"content-type", b"application/json")], [b"{}"]
        self.silent = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.got.append((scope["method"], scope["raw_path"] + b"?" + scope["query_string"], scope["headers"], body))
        if self.silent:
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=1)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for chunk in self.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def header(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.got[-1][2] if key == name]


@pytest.fixture
def service() -> Service:
    return Service()


async def _proof(call: Call) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", b"Bearer inner-token"), (b"x-trivium-caller", call.caller.client.encode())]


@pytest.fixture
def through(build: Any, served: Any, service: Service, cluster_of: Any, plain: str) -> Any:
    cluster = cluster_of(f"http://127.0.0.1:{served(service)}", **INNERMOST)
    return build(plain, targets={"process/orders": Upstream(cluster, proof=_proof)})


@pytest.fixture
def plain(contract: Any) -> str:
    """The usual contract, its answers not held back for an ETag."""
    return str(contract(lambda document: document.__setitem__("x-trivium-conditional", "none")))


async def test_the_call_arrives_as_it_was_sent(through: Any, service: Service) -> None:
    body = b'{"quote":  "q"}'
    answer = await through.submit(body, **{"x-own": "kept", "accept-language": "de"})

    assert answer.status == 200
    assert service.got[0][:2] == ("POST", f"{ORDERS}?".encode())
    assert service.got[0][3] == body
    assert service.header(b"content-length") == [str(len(body)).encode()]
    assert service.header(b"x-own") == [b"kept"]
    assert service.header(b"idempotency-key") == [b"order-0001"]


async def test_query_and_encoded_path_stay_as_they_were(through: Any, service: Service) -> None:
    await through.ask("GET", f"{ORDERS}?limit=10&state=held&state=running")
    await through.ask("GET", f"{ORDERS}/caf%c3%a9%20au")

    assert service.got[0][1] == f"{ORDERS}?limit=10&state=held&state=running".encode()
    assert service.got[1][1] == f"{ORDERS}/caf%C3%A9%20au?".encode()


async def test_the_caller_is_named_by_us_and_the_token_is_ours(through: Any, service: Service) -> None:
    spoofed = {"authorization": "Bearer outer", "x-trivium-caller": "me", "x_trivium_caller": "me", "x-forwarded-user": "root"}
    answer = await through.ask("GET", f"{ORDERS}/o1", spoofed)
    (told,) = service.header(b"x-trivium-caller")

    assert service.header(b"authorization") == [b"Bearer inner-token"]
    assert told == b"acme"
    assert service.header(b"x_trivium_caller") == service.header(b"x-forwarded-user") == []
    assert service.header(b"x-correlation-id") == [answer.headers["x-correlation-id"].encode()]
    assert len(service.header(b"traceparent")) == 1


async def test_what_is_between_two_neighbours_stays_there(through: Any, service: Service) -> None:
    service.headers += [
        (b"connection", b"x-private"),
        (b"x-private", b"1"),
        (b"keep-alive", b"timeout=5"),
        (b"server", b"secret/1.0"),
    ]
    sent = {"connection": "keep-alive, x-hop", "x-hop": "1", "te": "trailers", "proxy-authorization": "Basic x", "upgrade": "h2c"}
    answer = await through.ask("GET", f"{ORDERS}/o1", sent)

    for name in (b"x-hop", b"te", b"proxy-authorization", b"upgrade"):
        assert service.header(name) == []
    assert not {"x-private", "keep-alive", "connection", "server", "transfer-encoding"} & answer.headers.keys()


async def test_nothing_is_asked_for_that_the_caller_did_not_ask_for(through: Any, service: Service) -> None:
    await through.ask("GET", f"{ORDERS}/o1")

    assert service.header(b"accept-encoding") == []
    assert service.header(b"cookie") == []


async def test_an_encoded_answer_passes_as_it_is(through: Any, service: Service) -> None:
    service.headers, service.chunks = (
        [(b"content-encoding", b"gzip"), (b"content-type", b"text/plain")],
        [b"\x1f\x8bnot", b" really"],
    )
    answer = await through.ask("GET", f"{ORDERS}/o1", {"accept-encoding": "gzip"})

    assert answer.body == b"\x1f\x8bnot really"
    assert answer.headers["content-encoding"] == "gzip"


async def test_a_large_answer_streams(through: Any, service: Service) -> None:
    service.chunks = [b"a" * 100_000] * 10

    assert len((await through.ask("GET", f"{ORDERS}/o1")).body) == 1_000_000


async def test_a_problem_of_the_upstream_keeps_its_words_under_our_name(through: Any, service: Service) -> None:
    service.status, service.headers = 409, [(b"content-type", b"application/problem+json"), (b"retry-after", b"4")]
    service.chunks = [b'{"type": "urn:x", "status": 409, "own": 1, "correlation_id": "theirs"}']
    answer = await through.ask("GET", f"{ORDERS}/o1")

    assert (answer.status, answer.json()["own"], answer.headers["retry-after"]) == (409, 1, "4")
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]


@pytest.mark.parametrize(
    ("status", "media", "body"),
    [
        (500, b"text/html", b"<h1>secret trace</h1>"),
        (404, b"application/json", b'{"detail": "secret"}'),
        (502, b"application/problem+json", b"not json: secret"),
        (400, b"application/problem+json", b'["secret"]'),
        (418, b"text/plain", b"secret" * 20_000),
    ],
)
async def test_another_error_becomes_a_problem_of_the_same_status(
    through: Any, service: Service, status: int, media: bytes, body: bytes
) -> None:
    service.status, service.headers, service.chunks = status, [(b"content-type", media)], [body]
    answer = await through.ask("GET", f"{ORDERS}/o1")

    assert answer.status == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.body.decode()


async def test_an_upstream_that_is_silent_is_a_504(through: Any, service: Service) -> None:
    service.silent = True
    answer = await through.ask("GET", HELLO)

    assert (answer.status, answer.json()["system"]) == (504, "process/orders")


async def test_an_upstream_that_is_not_there_is_a_503_that_may_be_repeated(build: Any, cluster_of: Any, unused: int) -> None:
    answer = await build(targets={"process/orders": Upstream(cluster_of(f"http://127.0.0.1:{unused}"))}).ask(
        "GET", f"{ORDERS}/o1"
    )

    assert (answer.status, answer.json()["type"]) == (503, "urn:trivium:problem:platform-down")


async def test_an_upstream_that_breaks_off_may_have_done_it(build: Any, raw_upstream: Any, cluster_of: Any) -> None:
    upstream = await raw_upstream(lambda talk: talk.request())
    answer = await build(targets={"process/orders": Upstream(cluster_of(upstream.url))}).submit({"quote": "q"})

    assert (answer.status, answer.json()["type"]) == (503, "urn:trivium:problem:outcome-unknown")


async def test_head_has_the_headers_of_get_and_no_body(through: Any, service: Service) -> None:
    answer = await through.ask("HEAD", f"{ORDERS}/o1")

    assert service.got[0][0] == "HEAD"
    assert (answer.status, answer.body) == (200, b"")


@pytest.fixture
def unused() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_in_process_and_over_http_answer_alike(build: Any, through: Any, service: Service, plain: str) -> None:
    inside = await build(plain, targets={"process/orders": InProcess(service)}).ask("GET", f"{ORDERS}/o1")
    outside = await through.ask("GET", f"{ORDERS}/o1")

    assert (inside.status, inside.body) == (outside.status, outside.body)
    assert inside.headers.keys() == outside.headers.keys()
