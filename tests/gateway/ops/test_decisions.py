"""Receipts over the API: of one's own calls, and for those who look after the gateway of all; nobody learns of others' calls."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from gateway.decisions.log import DecisionLog
from gateway.decisions.store import DecisionStore
from gateway.ops.decisions import declare_decisions
from gateway.ops.v1 import SCOPES
from gateway.pipeline import Call, Caller, Factory, Forward, Operation, Policy
from kernel.api import Api
from kernel.context import Someone, caller
from kernel.sections.decisions import Decisions
from kernel.settings import Settings
from tests.gateway.conftest import FakeClock

OURS = Someone("operator")


@dataclass
class Books:
    """As much of a house as the endpoint looks at."""

    decisions: DecisionLog | None
    settings: Settings


@pytest.fixture
async def asked(build: Any, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Makes a call as a partner's client, then asks for its receipt as somebody."""
    log = DecisionLog(DecisionStore("sqlite://", tmp_path), Decisions(), clock, CollectorRegistry())
    api = Api("ops", "gateway", "1.0.0", "Gateway", "d", "t", SCOPES)
    declare_decisions(api, Books(log, Settings(decisions=Decisions(keep_days=2))))  # type: ignore[arg-type]
    transport = httpx.ASGITransport(api.app)

    async def ask(partner: str, by: Someone, request_id: str | None = None) -> httpx.Response:
        house = build(
            authenticate=_as(Caller("shop", "shop", frozenset(), partner=partner)), decisions=log.under("c0ffee", Decisions())
        )
        answer = await house.ask("GET", "/process/orders/v1/orders")
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            token = caller.set(by)
            try:
                return await client.get(f"/ops/gateway/v1/decisions/{request_id or answer.headers['x-request-id']}")
            finally:
                caller.reset(token)

    yield ask
    log.close()


def _as(whom: Caller) -> Factory:
    def factory(_: Operation) -> Policy:
        async def policy(call: Call, forward: Forward) -> None:
            call.caller = whom
            await forward(call)

        return policy

    return factory


async def test_our_own_house_sees_every_receipt(asked: Callable[..., Any]) -> None:
    answer = await asked("p-1", OURS)

    assert answer.status_code == 200
    assert (answer.json()["token"]["client"], answer.json()["token"]["partner"]) == ("shop", "p-1")


async def test_a_partner_sees_the_receipts_of_its_own_calls(asked: Callable[..., Any]) -> None:
    assert (await asked("p-1", Someone("other-shop", frozenset(), "p-1"))).status_code == 200


@pytest.mark.parametrize("by", [Someone("x", frozenset({"crm/1"}), "p-2"), Someone("x", None, "p-2"), Someone("x", frozenset())])
@pytest.mark.parametrize("partner", ["p-1", ""])
async def test_others_learn_nothing_not_even_that_there_is_one(asked: Callable[..., Any], partner: str, by: Someone) -> None:
    hidden, missing = await asked(partner, by), await asked(partner, by, "0" * 24)
    told = [{**answer.json(), "detail": answer.json()["detail"].split(":")[1]} for answer in (hidden, missing)]

    assert hidden.status_code == missing.status_code == 404
    assert told[0] == told[1]
    assert "kept for 2 days" in hidden.json()["detail"]


@pytest.mark.parametrize("request_id", ["short", "x" * 24, "0" * 65])
async def test_what_is_no_request_id_is_refused(asked: Callable[..., Any], request_id: str) -> None:
    assert (await asked("", OURS, request_id)).status_code == 422


async def test_whoever_is_restricted_and_no_partner_sees_its_own_calls(asked: Callable[..., Any]) -> None:
    assert (await asked("", Someone("shop", frozenset({"crm/1"})))).status_code == 200
    assert (await asked("", Someone("another", frozenset({"crm/1"})))).status_code == 404
