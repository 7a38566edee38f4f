"""Asynchronous requests: accepted at once, pollable to the end, and the idempotency key counts for them alone."""

import httpx
import pytest

from tests.sandbox.netsuite.driving import Account, Client, order

ASYNC = {"Prefer": "respond-async"}
KEY = {"X-NetSuite-Idempotency-Key": "0b9c7a6e-7c1c-4c55-9d0a-3f3f0c7f9d11"}


def job(client: Client, accepted: httpx.Response) -> str:
    assert accepted.status_code == 202, accepted.text
    return "../.." + accepted.headers["Location"].removeprefix("/services/rest")


def test_a_request_becomes_a_job_that_is_polled_to_its_result(client: Client, harbor: str) -> None:
    accepted = client.post("salesOrder", json=order(harbor, externalId="ORD-1"), headers=ASYNC)
    path = job(client, accepted)

    first, second = client.get(path).json(), client.get(path).json()
    tasks = client.get(f"{path}/task/").json()
    task = client.get(f"{path}/task/1").json()
    result = client.get(f"{path}/task/1/result")

    assert (accepted.headers["Preference-Applied"], accepted.headers["Location"]) == (
        "respond-async",
        "/services/rest/async/v1/job/1",
    )
    assert (first["completed"], first["progress"]) == (False, "pending")
    assert (second["completed"], second["progress"]) == (True, "succeeded")
    assert [one["id"] for one in tasks["items"]] == ["1"]
    assert task["completed"] is True
    assert task["startTime"] <= task["endTime"]
    assert result.status_code == 204
    assert client.get(result.headers["Location"]).json()["externalId"] == "ORD-1"


def test_a_failed_job_says_so_and_its_result_is_the_error(client: Client) -> None:
    path = job(client, client.post("salesOrder", json={}, headers=ASYNC))
    client.get(path)

    assert client.get(path).json()["progress"] == "failed"
    assert client.get(f"{path}/task/1/result").status_code == 400


def test_a_query_runs_as_a_job_too(client: Client) -> None:
    headers = {"Prefer": "transient, respond-async"}
    path = job(client, client.post("../../query/v1/suiteql", json={"q": "SELECT COUNT(*) AS n FROM term"}, headers=headers))

    assert client.get(f"{path}/task/1/result").json()["items"][0]["n"] == "3"


def test_a_repeated_key_is_refused_with_400_and_the_first_job(client: Client, harbor: str, account: Account) -> None:
    first = client.post("salesOrder", json=order(harbor), headers=ASYNC | KEY)
    second = client.post("salesOrder", json=order(harbor), headers=ASYNC | KEY)

    assert (second.status_code, second.json()["title"]) == (400, "Conflict")
    assert second.json()["o:errorDetails"][0]["o:errorCode"] == "IDEMPOTENCY_ERROR"
    assert second.headers["Location"] == first.headers["Location"]
    assert len(account.records("salesOrder")) == 1


def test_the_key_of_a_synchronous_request_counts_for_nothing(client: Client, harbor: str, account: Account) -> None:
    for _ in range(2):
        assert client.post("salesOrder", json=order(harbor), headers=KEY).status_code == 204

    assert len(account.records("salesOrder")) == 2


@pytest.mark.parametrize("rest", ["", "/task", "/task/1/result"])
def test_a_job_that_was_never_submitted_is_not_there(client: Client, rest: str) -> None:
    assert client.get(f"../../async/v1/job/99{rest}").json()["o:errorDetails"][0]["o:errorCode"] == "NONEXISTENT_ID"


def test_batches_are_refused_in_both_ways(client: Client) -> None:
    plain = client.put("customer", json={"items": []})
    later = client.put("customer", json={"items": []}, headers=ASYNC)
    collection = client.post(
        "customer", json={"items": []}, headers={"Content-Type": "application/vnd.oracle.resource+json; type=collection"}
    )

    assert (plain.status_code, plain.json()["o:errorDetails"][0]["o:errorHeader"]) == (400, "Prefer")
    assert client.get(f"{job(client, later)}/task/1/result").status_code == 400
    assert collection.status_code == 400
