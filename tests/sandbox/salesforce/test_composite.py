"""Composite, collections and trees: many records in one call, whole or in part."""

from typing import Any

from .conftest import Sandbox, V


def composite(sandbox: Sandbox, *parts: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
    answer = sandbox.api.post(f"{V}/composite", json={"allOrNone": all_or_none, "compositeRequest": parts})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["compositeResponse"])


def part(reference: str, method: str, path: str, **body: Any) -> dict[str, Any]:
    return {"method": method, "url": f"{V}{path}", "referenceId": reference} | ({"body": body} if body else {})


def test_a_later_call_takes_up_what_an_earlier_one_answered(sandbox: Sandbox) -> None:
    account, contact, found, absent = composite(
        sandbox,
        part("acc", "PATCH", "/sobjects/Account/Gateway_Id__c/ACME-1", Name="Acme"),
        part("con", "POST", "/sobjects/Contact", LastName="Smith", AccountId="@{acc.id}"),
        part("q", "GET", "/query?q=SELECT+LastName+FROM+Contact+WHERE+AccountId='@{acc.id}'"),
        part("gone", "GET", "/sobjects/Account/@{q.records[0].Nothing}"),
    )

    assert account["httpStatusCode"] == contact["httpStatusCode"] == 201
    assert account["httpHeaders"]["Location"] == f"{V}/sobjects/Account/{account['body']['id']}"
    assert found["body"]["records"][0]["LastName"] == "Smith"
    assert absent["httpStatusCode"] == 400
    assert "No value for q.records[0].Nothing" in absent["body"][0]["message"]


def test_a_failed_part_leaves_the_others_unless_all_or_none(sandbox: Sandbox) -> None:
    parts = (part("good", "POST", "/sobjects/Account", Name="Kept"), part("bad", "POST", "/sobjects/Contact"))

    good, bad = composite(sandbox, *parts)
    assert (good["httpStatusCode"], bad["httpStatusCode"]) == (201, 400)
    assert bad["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"

    before = len(sandbox.records("Account"))
    good, bad = composite(sandbox, *parts, all_or_none=True)
    assert (good["httpStatusCode"], good["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")
    assert bad["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert len(sandbox.records("Account")) == before


def test_all_or_none_takes_updates_and_deletions_back_too(sandbox: Sandbox) -> None:
    before = sandbox.records("Account"), sandbox.records("Opportunity"), sandbox.records("QuoteLineItem")
    account = sandbox.one("SELECT Id, (SELECT Id FROM Opportunities) FROM Account WHERE AccountNumber = 'ACC-1003'")
    deal = account["Opportunities"]["records"][0]["Id"]

    composite(
        sandbox,
        part("rename", "PATCH", f"/sobjects/Account/{account['Id']}", Name="Renamed"),
        part("drop", "DELETE", f"/sobjects/Opportunity/{deal}"),
        part("bad", "GET", "/sobjects/Account/nothing"),
        all_or_none=True,
    )

    after = sandbox.records("Account"), sandbox.records("Opportunity"), sandbox.records("QuoteLineItem")
    assert [sorted(rows, key=lambda row: row["Id"]) for rows in after] == [list(rows) for rows in before]
    assert sandbox.query("SELECT Id FROM Account WHERE Name = 'Renamed'")["totalSize"] == 0
    assert sandbox.query("SELECT Id FROM Account WHERE SystemModstamp >= 2020-01-01T00:00:00Z")["totalSize"] == len(after[0])


def test_a_composite_is_refused_as_a_whole_when_it_makes_no_sense(sandbox: Sandbox) -> None:
    one = part("a", "GET", "/limits")
    for parts in (
        [],
        [one, one],
        [one | {"method": "PUT"}],
        [{"referenceId": "a"}],
        [one | {"referenceId": f"r{n}"} for n in range(26)],
    ):
        answer = sandbox.api.post(f"{V}/composite", json={"compositeRequest": parts})

        assert answer.status_code == 400
        assert set(answer.json()[0]) == {"message", "errorCode"}


def records(*bodies: dict[str, Any], sobject: str = "Account") -> list[dict[str, Any]]:
    return [{"attributes": {"type": sobject}} | body for body in bodies]


def test_a_collection_reports_each_record(sandbox: Sandbox) -> None:
    made = sandbox.api.post(f"{V}/composite/sobjects", json={"records": records({"Name": "A"}, {})}).json()

    assert made[0] == {"id": made[0]["id"], "success": True, "errors": []}
    missing = {"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Name]", "fields": ["Name"]}
    assert made[1] == {"success": False, "errors": [missing]}
    changed = sandbox.api.patch(
        f"{V}/composite/sobjects", json={"records": records({"id": made[0]["id"], "Phone": "1"}, {"Phone": "2"})}
    ).json()
    assert [result["success"] for result in changed] == [True, False]
    assert sandbox.api.delete(f"{V}/composite/sobjects", params={"ids": made[0]["id"]}).json()[0]["success"] is True


def test_a_collection_of_all_or_none_rolls_back(sandbox: Sandbox) -> None:
    before = len(sandbox.records("Account"))

    results = sandbox.api.post(f"{V}/composite/sobjects", json={"allOrNone": True, "records": records({"Name": "A"}, {})}).json()

    codes = [result["errors"][0]["statusCode"] for result in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert len(sandbox.records("Account")) == before


def test_a_collection_is_upserted_by_external_id_and_read_in_order(sandbox: Sandbox) -> None:
    products = records(
        {"Gateway_Sku__c": "SENSOR-X1", "Name": "Sensor X1 b"}, {"Gateway_Sku__c": "NEW", "Name": "New"}, sobject="Product2"
    )

    results = sandbox.api.patch(f"{V}/composite/sobjects/Product2/Gateway_Sku__c", json={"records": products}).json()

    assert [result["created"] for result in results] == [False, True]
    ids = [results[1]["id"], "01t5g00000zzzzz", results[0]["id"]]
    read = sandbox.api.post(f"{V}/composite/sobjects/Product2", json={"ids": ids, "fields": ["Name"]}).json()
    assert [one and one["Name"] for one in read] == ["New", None, "Sensor X1 b"]


def test_a_collection_has_at_most_200_records(sandbox: Sandbox) -> None:
    answer = sandbox.api.post(f"{V}/composite/sobjects", json={"records": records(*[{"Name": "x"}] * 201)})

    assert answer.status_code == 400


def planted(reference: str, kind: str, **body: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind, "referenceId": reference}} | body


def test_a_tree_is_created_with_its_children_or_not_at_all(sandbox: Sandbox) -> None:
    good = planted("r1", "Account", Name="Tree", Contacts={"records": [planted("r2", "Contact", LastName="Leaf")]})
    bad = planted("r3", "Account", Name="Tree", Contacts={"records": [planted("r4", "Contact")]})

    made = sandbox.api.post(f"{V}/composite/tree/Account", json={"records": [good]})
    refused = sandbox.api.post(f"{V}/composite/tree/Account", json={"records": [good, bad]})

    assert made.status_code == 201
    assert [result["referenceId"] for result in made.json()["results"]] == ["r1", "r2"]
    assert refused.status_code == 400
    assert refused.json()["hasErrors"] is True
    (failure,) = refused.json()["results"]
    assert (failure["referenceId"], failure["errors"][0]["statusCode"]) == ("r4", "REQUIRED_FIELD_MISSING")
    tree = sandbox.one("SELECT Id, (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Tree'")
    assert [contact["LastName"] for contact in tree["Contacts"]["records"]] == ["Leaf"]
