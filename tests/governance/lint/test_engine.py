"""Severities are the estate's to choose, by layer and audience; what is excused says why, and until when."""

import json
from datetime import date

import pytest

from governance.contract import Contract
from governance.lint.configuration import BadConfiguration, Configuration, read
from governance.lint.engine import SUPPRESSION, lint
from governance.lint.rule import Severity
from governance.rules import RULES
from tests.governance.rules.documents import TODAY, good, linted

LINES = """\
openapi: 3.1.0
info:
  title: T
  version: one
paths: {}
"""


def test_a_finding_is_at_its_line():
    found = lint([Contract.parse(LINES)], RULES, Configuration(), TODAY)

    (finding,) = [one for one in found if one.rule == "semantic-version"]

    assert (finding.line, finding.severity) == (2, Severity.ERROR)


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ('[severities]\n"semantic-version" = "hint"', Severity.HINT),
        ('[[overrides]]\nlayer = "process"\nseverities = { "semantic-version" = "warning" }', Severity.WARNING),
        ('[[overrides]]\nlayer = "system"\nseverities = { "semantic-version" = "warning" }', Severity.ERROR),
        ('[[overrides]]\naudience = "internal"\nseverities = { "semantic-version" = "off" }', None),
    ],
)
def test_the_estate_says_how_much_a_rule_weighs_where(tmp_path, text, severity):
    (tmp_path / "lint.toml").write_text(text)
    document = good()
    document["info"]["version"] = "1.2"
    contract = Contract.parse(json.dumps(document))

    found = [one.severity for one in lint([contract], RULES, read(tmp_path / "lint.toml", RULES), TODAY)]

    assert found == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[severities]\nunheard-of = "error"', "there is no rule unheard-of"),
        ('[severities]\naudience = "loud"', "audience may be error, warning, hint, off"),
        ("[rules]", "rules is not known"),
        ("[severities", "lint.toml"),
        ('[[overrides]]\nowner = "x"', "owner is not known"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_why(tmp_path, text, why):
    (tmp_path / "lint.toml").write_text(text)

    with pytest.raises(BadConfiguration, match=why):
        read(tmp_path / "lint.toml", RULES)


def _excused(**said):
    document = good()
    document["info"]["version"] = "1.2"
    document["info"]["x-trivium-lint-ignore"] = [said]
    return [one.rule for one in linted(document)]


def test_a_finding_is_excused_with_a_reason_until_a_day():
    said = {"rule": "semantic-version", "reason": "it is being renumbered", "until": "2027-01-01"}

    assert _excused(**said) == []
    assert _excused(**{**said, "rule": "owner"}) == ["semantic-version"]


@pytest.mark.parametrize("said", [{"reason": ""}, {"until": "soon"}, {"until": date(2026, 1, 1).isoformat()}, {"rule": ""}])
def test_an_excuse_without_reason_or_end_or_past_its_day_excuses_nothing_and_is_found_itself(said):
    whole = {"rule": "semantic-version", "reason": "r", "until": "2027-01-01"}

    assert sorted(_excused(**{**whole, **said})) == ["semantic-version", SUPPRESSION]


def test_an_excuse_holds_for_what_is_below_it_only():
    document = good()
    schemas = document["components"]["schemas"]
    for name in ("a", "b"):
        schemas["NewOrder"]["properties"][name] = {"type": "string"}
    excuse = {"rule": "bounded-strings", "reason": "r", "until": "2027-01-01"}
    schemas["NewOrder"]["properties"]["a"]["x-trivium-lint-ignore"] = [excuse]

    assert [one.pointer.rpartition("/")[2] for one in linted(document)] == ["b"]
