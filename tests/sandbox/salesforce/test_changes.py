"""Which records changed or were deleted in a window of time."""

# ruff: noqa: S608, no SQL: SOQL of fixed texts for the imitation

from datetime import UTC, datetime, timedelta

from .conftest import Sandbox, V


def window(sandbox: Sandbox, **before: float) -> dict[str, str]:
    now = sandbox.clock()
    return {"start": (now - timedelta(**before)).isoformat(), "end": (now + timedelta(minutes=5)).isoformat()}


def test_simple_salesforce_lists_what_changed_and_what_went(sandbox: Sandbox) -> None:
    sandbox.clock.advance(hours=1)
    kept, dropped = sandbox.create("Account", Name="Kept"), sandbox.create("Account", Name="Dropped")
    sandbox.api.delete(f"{V}/sobjects/Account/{dropped}")
    accounts = sandbox.simple_salesforce().Account
    start, end = sandbox.clock() - timedelta(minutes=5), sandbox.clock() + timedelta(minutes=5)

    assert accounts.updated(start, end)["ids"] == [kept]
    assert [one["id"] for one in accounts.deleted(start, end)["deletedRecords"]] == [dropped]
    assert accounts.updated(start, end)["latestDateCovered"] < end.strftime("%Y-%m-%dT%H:%M:%S")


def test_a_window_without_sense_is_refused(sandbox: Sandbox) -> None:
    good = window(sandbox, hours=1)
    swapped = {"start": good["end"], "end": good["start"]}
    for query in (swapped, window(sandbox, days=40), {"start": "yesterday", "end": good["end"]}):
        answer = sandbox.api.get(f"{V}/sobjects/Account/updated/", params=query)

        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")
    assert sandbox.api.get(f"{V}/sobjects/Account/deleted/").json()[0]["errorCode"] == "MISSING_ARGUMENT"


def test_polling_by_stamp_sees_each_change_of_a_quote(sandbox: Sandbox) -> None:
    sandbox.clock.advance(minutes=1)
    since = datetime.now(UTC) + timedelta(seconds=30)
    quote = sandbox.one("SELECT Id FROM Quote WHERE QuoteNumber = 'Q-1003'")["Id"]
    sandbox.api.patch(f"{V}/sobjects/Quote/{quote}", json={"Status": "Accepted"})

    found = sandbox.query(f"SELECT Id FROM Quote WHERE SystemModstamp >= {since:%Y-%m-%dT%H:%M:%SZ} ORDER BY SystemModstamp, Id")

    assert [record["Id"] for record in found["records"]] == [quote]
