"""Applications say what they use; a change that touches it names them, and one that does not leaves them alone."""

import json

import pytest

from governance.changes.diff import diff
from governance.consumers.declared import impact, read
from governance.contract import Contract
from governance.source import Unreadable
from tests.governance.rules.documents import TODAY, good

PORTAL = """\
name: portal
team: sales
uses:
  process/orders/v1:
    add_order: [note]
    list_orders: []
"""


def _applications(folder, text=PORTAL):
    (folder / "consumers").mkdir()
    (folder / "consumers" / "portal.yaml").write_text(text)
    return read(folder)


def _changed(change):
    document = good()
    change(document)
    new = Contract.parse(json.dumps(document))
    return new, diff(Contract.parse(json.dumps(good())), new, today=TODAY)


def _new_order(document):
    return document["components"]["schemas"]["NewOrder"]["properties"]


@pytest.mark.parametrize(
    ("change", "ids"),
    [
        (lambda d: _new_order(d)["note"].update(maxLength=5), {"request-property-max-length-decreased"}),
        (lambda d: _new_order(d)["wanted_on"].update(pattern="^2"), set()),
        (lambda d: d["paths"]["/process/orders/v1/orders"].pop("get"), {"api-removed-without-deprecation"}),
        (lambda d: d["paths"].pop("/process/orders/v1/orders/{order_id}"), set()),
        (lambda d: d["components"]["schemas"]["Order"].pop("required"), {"response-property-became-optional"}),
        (lambda d: d["info"].update({"x-trivium-audience": "partner"}), set()),
    ],
)
def test_a_change_hits_those_who_use_what_it_touches(tmp_path, change, ids):
    applications = _applications(tmp_path)
    new, changed = _changed(change)

    hit = impact(applications, new, changed)

    assert {one.id for _, found in hit for one in found} == ids
    assert [application.name for application, _ in hit] == (["portal"] if ids else [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: Portal!\nteam: a\nuses: {a/b/v1: {}}", "it needs a name"),
        ("name: p\nuses: {a/b/v1: {}}", "it needs a team"),
        ("name: p\nteam: a\nuses: [x]", "uses"),
        ("name: p\nteam: a\ncolour: red\nuses: {a/b/v1: {}}", "colour is not known"),
        ("name: p\nteam: a\nuses: {a/b/v1: all}", "a/b/v1 needs its operations"),
    ],
)
def test_a_declaration_that_says_something_else_is_refused_in_words(tmp_path, text, why):
    with pytest.raises(Unreadable, match=why):
        _applications(tmp_path, text)
