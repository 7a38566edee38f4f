"""Each fault as a caller meets it, in Salesforce's own form."""

import httpx
import pytest
from simple_salesforce.exceptions import SalesforceRefusedRequest

from .conftest import CREDENTIALS, Sandbox, V


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("rate_limited", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("server_error", 500, "UNKNOWN_EXCEPTION"),
        ("locked_record", 400, "UNABLE_TO_LOCK_ROW"),
    ],
)
def test_a_refusal_has_salesforces_form_and_no_effect(sandbox: Sandbox, kind: str, status: int, code: str) -> None:
    before = len(sandbox.records("Account"))
    sandbox.fault(kind, method="POST", path="/sobjects/Account")

    refused = sandbox.api.post(f"{V}/sobjects/Account", json={"Name": "Later"})

    assert (refused.status_code, refused.json()[0]["errorCode"]) == (status, code)
    assert len(sandbox.records("Account")) == before
    assert sandbox.api.post(f"{V}/sobjects/Account", json={"Name": "Later"}).status_code == 201


def test_a_spent_limit_is_an_array_even_from_the_token_endpoint(sandbox: Sandbox) -> None:
    sandbox.fault("rate_limited", path="/services/oauth2/token")

    answer = sandbox.http.post("/services/oauth2/token", data={"grant_type": "client_credentials", **CREDENTIALS})

    assert answer.status_code == 403
    assert answer.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]


def test_a_crm_has_no_closed_periods(sandbox: Sandbox) -> None:
    sandbox.fault("closed_period")

    assert sandbox.api.get(f"{V}/limits").status_code == 200


def test_a_lost_reply_leaves_its_effect_for_an_upsert_to_find(sandbox: Sandbox) -> None:
    path = f"{V}/sobjects/Account/Gateway_Id__c/LOST"
    sandbox.fault("reply_lost", method="PATCH")

    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.api.patch(path, json={"Name": "Lost"})

    again = sandbox.api.patch(path, json={"Name": "Lost"})
    assert (again.status_code, again.json()["created"]) == (200, False)


def test_a_timeout_has_no_effect(sandbox: Sandbox) -> None:
    before = len(sandbox.records("Account"))
    sandbox.fault("timeout", method="POST")

    with pytest.raises(httpx.ReadTimeout):
        sandbox.api.post(f"{V}/sobjects/Account", json={"Name": "Never"}, timeout=0.2)

    assert len(sandbox.records("Account")) == before


def test_latency_delays_the_answer_only(sandbox: Sandbox) -> None:
    sandbox.fault("latency", seconds=0.2)

    answer = sandbox.api.get(f"{V}/limits")

    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.2


def test_simple_salesforce_reports_a_spent_limit(sandbox: Sandbox) -> None:
    client = sandbox.simple_salesforce()
    sandbox.fault("rate_limited")

    with pytest.raises(SalesforceRefusedRequest, match="REQUEST_LIMIT_EXCEEDED"):
        client.limits()
