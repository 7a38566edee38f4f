"""Clients that were seen count as applications do, by what they were seen with."""

import json

import pytest

from governance.changes.diff import diff
from governance.consumers.declared import Application, impact
from governance.consumers.observed import Seen, seen_applications
from governance.contract import Contract
from tests.governance.rules.documents import TODAY, good

KEY = "process/orders/v1"


def hit(change, *seen, declared=()):
    document = good()
    change(document)
    new = Contract.parse(json.dumps(document))
    changed = diff(Contract.parse(json.dumps(good())), new, today=TODAY)
    return {application.name for application, _ in impact(seen_applications(KEY, seen, declared), new, changed)}


def _shorter_note(document):
    document["components"]["schemas"]["NewOrder"]["properties"]["note"].update(maxLength=5)


def _new_required(document):
    schema = document["components"]["schemas"]["NewOrder"]
    schema["properties"]["reason"] = {"type": "string", "maxLength": 9}
    schema["required"] = [*schema.get("required", []), "reason"]


@pytest.mark.parametrize(
    ("operation", "fields", "touched"),
    [
        ("add_order", {"note"}, True), ("add_order", {"wanted_on"}, False), ("add_order", set(), True),
        ("add_order", {"wanted_on", "*"}, True), ("list_orders", {"note"}, False),
    ],
)  # fmt: skip
def test_a_client_is_touched_by_what_it_was_seen_with(operation, fields, touched):
    found = hit(_shorter_note, Seen("tvc_1", "", operation, frozenset(fields)))

    assert found == ({"tvc_1"} if touched else set())


def test_what_is_newly_required_hits_those_who_were_never_seen_to_send_it():
    assert hit(_new_required, Seen("tvc_1", "", "add_order", frozenset({"note"}))) == {"tvc_1"}


def test_a_client_is_named_with_the_application_that_says_it_is_its_own():
    portal = Application("portal", "sales", "sales@acme.test", frozenset({"tvc_1"}), {})
    seen = [Seen("tvc_1", "", "add_order", frozenset()), Seen("tvc_2", "acme", "add_order", frozenset())]
    found = seen_applications(KEY, seen, [portal])

    assert [(one.name, one.team, one.contact) for one in found] == [
        ("tvc_1 of portal", "sales", "sales@acme.test"), ("tvc_2", "partner acme", ""),
    ]  # fmt: skip
