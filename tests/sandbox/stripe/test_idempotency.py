"""Idempotency keys: one execution, one answer, whatever happens to the reply; and the faults that put that to the test."""

import concurrent.futures
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import stripe as sdk


def test_a_repetition_replays_status_and_body_and_does_nothing(sandbox: Any) -> None:
    first = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")
    second = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")

    assert first.content == second.content
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["request-id"] != first.headers["request-id"] == second.headers["original-request"]
    assert len(sandbox.records("customer")) == 5


def test_the_order_of_parameters_does_not_matter_and_their_values_do(sandbox: Any) -> None:
    sandbox.post("/v1/customers", {"name": "Acme", "phone": "1"}, key="op-1")
    same = sandbox.post("/v1/customers", {"phone": "1", "name": "Acme"}, key="op-1")
    other = sandbox.post("/v1/customers", {"name": "Acme", "phone": "2"}, key="op-1")
    elsewhere = sandbox.post("/v1/products", {"name": "Acme"}, key="op-1")

    assert same.headers["idempotent-replayed"] == "true"
    for refused in (other, elsewhere):
        assert (refused.status_code, refused.json()["error"]["type"]) == (400, "idempotency_error")


def test_the_sdk_raises_its_idempotency_error(stripe: Any) -> None:
    stripe.v1.customers.create(params={"name": "a"}, options={"idempotency_key": "op-1"})

    with pytest.raises(sdk.IdempotencyError):
        stripe.v1.customers.create(params={"name": "b"}, options={"idempotency_key": "op-1"})


def test_refused_parameters_leave_the_key_free(sandbox: Any) -> None:
    unknown = sandbox.post("/v1/customers", {"colour": "red"}, key="op-1")
    unreferenced = sandbox.post("/v1/prices", {"currency": "usd", "unit_amount": "1", "product": "none"}, key="op-1")
    good = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")

    assert [unknown.status_code, unreferenced.status_code, good.status_code] == [400, 400, 200]
    assert "idempotent-replayed" not in good.headers


def test_a_refusal_by_state_is_remembered(sandbox: Any) -> None:
    first = sandbox.post("/v1/products", {"id": "PLAT-ANNUAL", "name": "x"}, key="op-1")
    second = sandbox.post("/v1/products", {"id": "PLAT-ANNUAL", "name": "x"}, key="op-1")

    assert first.json()["error"]["code"] == second.json()["error"]["code"] == "resource_already_exists"
    assert second.headers["idempotent-replayed"] == "true"


def test_a_key_that_is_too_long_is_refused_and_one_on_a_get_means_nothing(sandbox: Any) -> None:
    long = sandbox.post("/v1/customers", key="k" * 256)
    read = sandbox.http.get("/v1/customers", headers={"Idempotency-Key": "op-1"})

    assert long.status_code == 400
    assert read.status_code == 200
    assert "idempotency-key" not in read.headers


def test_keys_are_forgotten_after_a_day(sandbox: Any) -> None:
    first = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1").json()
    sandbox.clock.ahead = 24 * 3600 + 1.0
    second = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1").json()

    assert first["id"] != second["id"]


def half_sent(url: str, key: str) -> socket.socket:
    """A request whose body is still on its way."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port))
    head = (
        f"POST /v1/customers HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer sk_test_sandbox\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\nIdempotency-Key: {key}\r\n\r\nname="
    )
    connection.sendall(head.encode())
    return connection


def test_a_key_in_flight_is_a_conflict_and_nothing_is_kept_of_it(sandbox: Any) -> None:
    connection = half_sent(sandbox.url, "op-1")
    sandbox.until(lambda: any(r["method"] == "POST" for r in sandbox.get("/__sandbox__/requests").json()))
    answer = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")
    connection.sendall(b"Acme")
    finished = connection.recv(65536)
    connection.close()

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert b"200 OK" in finished


def test_fifty_concurrent_requests_under_one_key_make_one_customer(sandbox: Any) -> None:
    def create(_: int) -> str:
        headers = {"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": "op-1"}
        while True:
            answer = httpx.post(f"{sandbox.url}/v1/customers", data={"name": "Acme"}, headers=headers, trust_env=False)
            if answer.status_code != 409:
                return str(answer.json()["id"])

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        ids = set(pool.map(create, range(50)))

    assert len(ids) == 1
    assert len(sandbox.records("customer")) == 5


def test_a_lost_reply_can_be_had_again_under_its_key(sandbox: Any) -> None:
    sandbox.fault("reply_lost", method="POST", path="/v1/customers")
    with pytest.raises(httpx.TransportError):
        sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")
    again = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")

    assert again.headers["idempotent-replayed"] == "true"
    assert [c["id"] for c in sandbox.records("customer") if c["name"] == "Acme"] == [again.json()["id"]]


def test_the_sdk_survives_a_lost_reply_by_itself(sandbox: Any) -> None:
    sandbox.fault("reply_lost", method="POST", path="/v1/customers")
    made = sandbox.client(max_network_retries=2).v1.customers.create(params={"name": "Acme"})

    assert [c["id"] for c in sandbox.records("customer") if c["name"] == "Acme"] == [made.id]


def test_a_server_error_under_a_key_is_what_every_repetition_gets(sandbox: Any) -> None:
    sandbox.fault("server_error", method="POST", path="/v1/customers")
    first = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")
    second = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")
    other = sandbox.post("/v1/customers", {"name": "Acme B"}, key="op-1")
    fresh = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-2")

    assert (first.status_code, first.json()["error"]["type"]) == (500, "api_error")
    assert (second.status_code, second.content) == (500, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert fresh.status_code == 200
    assert len(sandbox.records("customer")) == 5


def test_a_server_error_does_not_replace_an_answer_that_is_kept(sandbox: Any) -> None:
    made = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")
    sandbox.fault("server_error")
    failed = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")
    again = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")

    assert (failed.status_code, again.json()["id"]) == (500, made.json()["id"])


def test_a_server_error_without_a_key_or_on_a_get_is_forgotten(sandbox: Any) -> None:
    sandbox.fault("server_error", count=2)
    posted, read = sandbox.post("/v1/customers"), sandbox.get("/v1/customers")

    assert (posted.status_code, read.status_code) == (500, 500)
    assert sandbox.post("/v1/customers").status_code == sandbox.get("/v1/customers").status_code == 200


def test_a_rate_limit_names_its_reason_and_leaves_the_key_free(sandbox: Any) -> None:
    sandbox.fault("rate_limited")
    limited = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")
    then = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")

    assert (limited.status_code, limited.json()["error"]["code"]) == (429, "rate_limit")
    assert limited.headers["stripe-rate-limited-reason"] == "global-rate"
    assert "retry-after" not in limited.headers
    assert then.status_code == 200
    assert "idempotent-replayed" not in then.headers


def test_a_locked_object_is_a_429_without_a_limit_reason(sandbox: Any) -> None:
    sandbox.fault("locked_record")
    locked = sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1")

    assert (locked.status_code, locked.json()["error"]["code"]) == (429, "lock_timeout")
    assert "stripe-rate-limited-reason" not in locked.headers


def test_the_sdk_raises_its_rate_limit_error(sandbox: Any) -> None:
    sandbox.fault("rate_limited")

    with pytest.raises(sdk.RateLimitError):
        sandbox.client().v1.customers.list()


def test_a_closed_period_is_nothing_that_stripe_knows(sandbox: Any) -> None:
    sandbox.fault("closed_period")

    assert sandbox.get("/v1/customers").status_code == 200


def test_latency_and_timeouts_are_felt(sandbox: Any) -> None:
    sandbox.fault("latency", seconds=0.1)
    slow = sandbox.get("/v1/customers")
    sandbox.fault("timeout", method="POST")

    assert slow.elapsed.total_seconds() >= 0.1
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post("/v1/customers", timeout=0.2)
    assert len(sandbox.records("customer")) == 4


def test_a_client_that_leaves_in_the_middle_frees_its_key(sandbox: Any) -> None:
    half_sent(sandbox.url, "op-1").close()
    sandbox.until(lambda: sandbox.post("/v1/customers", {"name": "Acme"}, key="op-1").status_code == 200)

    assert len(sandbox.records("customer")) == 5
