"""Every fault happens in NetSuite's own words, and what it says about the effect is true."""

from typing import Any

import httpx
import pytest

from tests.sandbox.netsuite.driving import Account, Client, order


def test_too_many_requests_come_in_their_odd_form(account: Account, client: Client, harbor: str) -> None:
    account.fault(kind="rate_limited", method="POST", path="/salesOrder")

    refused, then = client.post("salesOrder", json=order(harbor)), client.post("salesOrder", json=order(harbor))

    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    assert refused.json() == {
        "type": "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html",
        "title": "Bad Request",
        "status": 429,
        "o:errorCode": "USER_ERROR",
        "o:errorDetails": [
            {"detail": "Concurrent request limit exceeded. Request blocked.", "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED"}
        ],
    }
    assert then.status_code == 204
    assert len(account.records("salesOrder")) == 1


REFUSALS = [
    ("server_error", 500, "UNEXPECTED_ERROR", "Error ID"),
    ("locked_record", 400, "USER_ERROR", "Record has been changed"),
    ("closed_period", 400, "USER_ERROR", "accounting period"),
]


@pytest.mark.parametrize(("kind", "status", "code", "words"), REFUSALS, ids=[one[0] for one in REFUSALS])
def test_a_refusal_names_its_code_and_nothing_happened(
    account: Account, client: Client, harbor: str, kind: str, status: int, code: str, words: str
) -> None:
    account.fault(kind=kind)

    response = client.post("invoice", json=order(harbor))

    assert (response.status_code, response.json()["o:errorDetails"][0]["o:errorCode"]) == (status, code)
    assert words in response.json()["o:errorDetails"][0]["detail"]
    assert len(account.records("invoice")) == 2  # the opening balances


def test_a_lost_reply_leaves_the_record_to_be_found_by_its_external_id(account: Account, client: Client, harbor: str) -> None:
    account.fault(kind="reply_lost", method="PUT")
    with pytest.raises(httpx.TransportError):
        client.put("salesOrder/eid:ORD-1", json=order(harbor))

    found = client.read("salesOrder/eid:ORD-1")

    assert [found["id"]] == [one["id"] for one in account.records("salesOrder")]


def test_a_timeout_neither_answers_nor_acts(account: Account, client: Client, harbor: str) -> None:
    account.fault(kind="timeout", method="PUT")

    with pytest.raises(httpx.ReadTimeout):
        client.put("salesOrder/eid:ORD-1", json=order(harbor), timeout=0.05)

    assert account.records("salesOrder") == []


def test_latency_delays_and_then_acts(account: Account, client: Client, harbor: str) -> None:
    account.fault(kind="latency", seconds=0.2)

    response = client.post("salesOrder", json=order(harbor))

    assert response.elapsed.total_seconds() >= 0.2
    assert len(account.records("salesOrder")) == 1


@pytest.mark.parametrize("kind", ["duplicate_events", "reorder_events"])
def test_faults_of_events_leave_requests_alone_as_netsuite_sends_none(account: Account, client: Client, kind: str) -> None:
    account.fault(kind=kind, count=None)

    assert client.get("term/2").status_code == 200


def test_the_token_endpoint_can_fail_too(account: Account) -> None:
    account.fault(kind="server_error", path="/auth/")

    assert account.grant(account.assertion()).status_code == 500
    assert account.grant(account.assertion()).status_code == 200


def test_the_requests_are_remembered_without_credentials(account: Account, client: Client) -> None:
    client.get("term/2", headers={"X-Correlation": "abc"})

    seen: list[dict[str, Any]] = client.get(f"{account.url}/__sandbox__/requests").json()
    assert (seen[-1]["path"], seen[-1]["status"], seen[-1]["headers"]["x-correlation"]) == (
        "/services/rest/record/v1/term/2",
        200,
        "abc",
    )
    assert "authorization" not in seen[-1]["headers"]
