"""Whoever has a request id learns what decided the call; nobody waits for that to be written, and it holds no secret."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.decisions.log import CAP
from gateway.decisions.store import DecisionStore
from gateway.pipeline import Caller
from kernel.problem import Conflict, PlatformDown
from kernel.sections.decisions import Decisions
from tests.gateway.conftest import CALLER

ORDERS = "/process/orders/v1/orders"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl"
Keep = Callable[..., Any]


def _receipt(house: Any, answer: Any) -> Any:
    found = house.decisions.find(answer.headers["x-request-id"])
    assert found is not None
    return found[0]


async def test_a_success_has_a_receipt(keep: Keep) -> None:
    house = keep()
    house.caller = Caller("acme", "ann", CALLER.scopes, "gold", issuer="https://id.example", key_id="k1")
    answer = await house.submit({"quote": "q1"})
    receipt = _receipt(house, answer)

    assert (receipt.status, receipt.operation, receipt.decided_by) == (200, "process.orders.v1.submit_order", "application")
    assert (receipt.api, receipt.version, receipt.configuration) == ("process/orders", "1.2.0", "c0ffee" * 10)
    assert len(receipt.contract_digest) == 64
    assert receipt.ran[0] == "trace"
    assert {"body", "scopes", "validation", "limits"} <= set(receipt.ran)
    assert (receipt.token.client, receipt.token.subject, receipt.token.plan) == ("acme", "ann", "gold")
    assert (receipt.token.issuer, receipt.token.key_id) == ("https://id.example", "k1")
    assert [(limit.policy, limit.quota, limit.before, limit.after) for limit in receipt.limits] == [("burst", 5, 5, 4)]
    assert receipt.behind.api == "process/orders"
    assert 0 <= receipt.behind.seconds <= receipt.seconds
    assert receipt.correlation_id == answer.headers["x-correlation-id"]


async def test_a_receipt_is_kept_where_our_tables_are(keep: Keep, store: DecisionStore) -> None:
    house = keep(store=store)
    answers = [await house.ask("GET", ORDERS), await house.ask("GET", "/nowhere")]

    assert [_receipt(house, answer).status for answer in answers] == [200, 404]
    assert store.count() == 2
    assert house.decisions.dropped == 0


@pytest.mark.parametrize(
    ("method", "target", "headers", "status", "by", "slug"),
    [
        ("GET", "/nowhere", {}, 404, "route", "not-found"),
        ("DELETE", ORDERS, {}, 405, "route", "method-not-allowed"),
        ("GET", f"{ORDERS}?limit=99", {}, 422, "validation", "invalid"),
        ("GET", f"{ORDERS}/{'x' * 21}", {}, 422, "validation", "invalid"),
        ("POST", ORDERS, {"content-type": "application/json"}, 400, "idempotency_key", "bad-request"),
        ("POST", ORDERS, {"content-length": "2001", "idempotency-key": "order-0001"}, 413, "body", "too-large"),
    ],
)
async def test_a_refusal_names_the_policy_that_decided(
    keep: Keep, method: str, target: str, headers: dict[str, str], status: int, by: str, slug: str
) -> None:
    house = keep()
    receipt = _receipt(house, await house.ask(method, target, headers))

    assert (receipt.status, receipt.decided_by, receipt.problem) == (status, by, f"urn:trivium:problem:{slug}")
    assert receipt.ran[-1:] == [by] or by == "route"
    assert receipt.behind is None


async def test_a_refused_scope_and_a_used_up_limit_are_told_apart(keep: Keep) -> None:
    house = keep()
    answers = [await house.ask("GET", "/process/orders/v1/hello") for _ in range(3)]
    house.caller = Caller("acme", "acme", frozenset({"orders:read"}))
    answers.append(await house.submit({"quote": "q1"}))
    used_up, forbidden = (_receipt(house, answer) for answer in answers[2:])

    assert (used_up.status, used_up.decided_by, used_up.limits[0].after) == (429, "limits", 0)
    assert (forbidden.status, forbidden.decided_by) == (403, "scopes")
    assert "limits" not in forbidden.ran


async def test_what_the_application_refuses_is_the_applications_word(keep: Keep) -> None:
    house = keep()

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        raise PlatformDown("the ERP is away") if scope["path"].endswith("o1") else Conflict("no")

    house.echo.instead = refuse
    receipts = [_receipt(house, await house.ask("GET", f"{ORDERS}/{name}")) for name in ("o1", "o2")]

    assert [(each.status, each.decided_by) for each in receipts] == [(503, "application"), (409, "application")]
    assert all(each.behind is not None for each in receipts)


async def test_facts_of_policies_are_told_without_what_looks_like_a_credential(keep: Keep) -> None:
    house = keep()

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        scope["trivium.note"]("canary", "v2")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    house.echo.instead = noting
    call_facts = {"canary": "v2", "upstream": f"http://u/?t={TOKEN}"}
    forward = house.app._route

    def routed(call: Any) -> Any:
        for name, fact in call_facts.items():
            call.note(name, fact)
        call.scope["trivium.note"] = call.note
        return forward(call)

    house.app._route = routed
    receipt = _receipt(house, await house.ask("GET", f"{ORDERS}/o1"))

    assert receipt.facts == {"canary": "v2", "upstream": "http://u/?t=[redacted]"}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.from_regex(r"[A-Za-z0-9]{16,40}", fullmatch=True))
async def test_no_header_no_query_value_and_no_body_is_ever_kept(keep: Keep, store: DecisionStore, secret: str) -> None:
    house = keep(store=store)
    headers = {"authorization": f"Bearer {secret}", "cookie": f"a={secret}", "x-trivium-caller": secret, "x-custom": secret}
    answers = [
        await house.ask("GET", f"{ORDERS}?state={secret}&limit=5", headers),
        await house.ask("GET", f"{ORDERS}?{secret[:4]}=x", headers),
        await house.submit({"quote": secret, "lines": [{"sku": secret}]}, **headers),
    ]
    house.decisions.flush()
    rows = [store.find(answer.headers["x-request-id"]) for answer in answers]

    assert all(row is not None for row in rows)
    assert secret not in json.dumps(rows)


async def test_successes_are_kept_as_far_as_the_settings_say_and_refusals_always(keep: Keep, store: DecisionStore) -> None:
    house = keep(Decisions(successes_per_second=20), store)  # 4 in each fifth of a second
    for _ in range(50):
        await house.ask("GET", ORDERS)
        await house.ask("GET", "/nowhere")
    house.decisions.flush()

    assert store.count() == 54


async def test_a_share_of_successes_may_be_none(keep: Keep, store: DecisionStore) -> None:
    house = keep(Decisions(successes=0.0), store)
    for _ in range(20):
        await house.ask("GET", ORDERS)
    house.decisions.flush()

    assert store.count() == 0


async def test_the_buffer_is_bounded_and_what_does_not_fit_is_counted(keep: Keep) -> None:
    house = keep()
    kept, log = house.app.chains, house.decisions
    assert kept
    await house.ask("GET", "/nowhere")
    waiting = log._waiting[0]
    for _ in range(CAP + 10):
        log.add(*waiting)

    assert len(log._waiting) == CAP
    assert log.dropped == 11


async def test_a_database_that_is_away_costs_receipts_and_nothing_else(keep: Keep, store: DecisionStore) -> None:
    house = keep(store=store)
    write, answers = store.write, []

    def away(*_: Any) -> None:
        raise OSError("no such host")

    store.write = away  # type: ignore[method-assign]
    with structlog.testing.capture_logs() as logs:
        answers += [await house.ask("GET", "/nowhere") for _ in range(3)]
        house.decisions.flush()
        answers.append(await house.ask("GET", "/nowhere"))
        house.decisions.flush()
    store.write = write  # type: ignore[method-assign]
    answers.append(await house.ask("GET", "/nowhere"))

    assert [answer.status for answer in answers] == [404] * 5
    assert house.decisions.dropped == 4
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["receipts cannot be written"]
    assert _receipt(house, answers[-1]).status == 404


async def test_receipts_are_forgotten_by_age_and_by_number(keep: Keep, store: DecisionStore) -> None:
    house = keep(store=store)
    answers = [await house.ask("GET", "/nowhere") for _ in range(30)]
    house.decisions.flush()
    times = sorted(row["at"] for row, _ in store.newest(0, 100))

    assert store.forget(times[-1] + 1, 1000) == 30
    assert house.decisions.find(answers[0].headers["x-request-id"]) is None

    answers = [await house.ask("GET", "/nowhere") for _ in range(30)]
    house.decisions.flush()
    store.forget(0, 10)

    assert store.count() == 10
    assert house.decisions.find(answers[-1].headers["x-request-id"]) is not None


async def test_the_thread_writes_by_itself_and_ends_orderly(keep: Keep, store: DecisionStore) -> None:
    house = keep(store=store)
    house.decisions.start()
    answer = await house.ask("GET", "/nowhere")
    request_id = answer.headers["x-request-id"]

    assert _receipt(house, answer).request_id == request_id
    logging.getLogger("test").debug("closing is left to the fixture")


async def test_a_problem_names_its_request(keep: Keep) -> None:
    house = keep()
    answer = await house.ask("GET", "/nowhere")

    assert answer.json()["instance"] == f"urn:trivium:request:{answer.headers['x-request-id']}"


async def test_every_answer_has_a_request_id_of_its_own(keep: Keep) -> None:
    house = keep()
    answers = [
        await house.ask("GET", f"{ORDERS}/o1", {"X-Correlation-Id": "order-2026-00001", "X-Request-Id": "mine"})
        for _ in range(200)
    ]
    ids = {answer.headers["x-request-id"] for answer in answers}

    assert len(ids) == 200
    assert not ids & {"mine", "order-2026-00001"}
