"""Whatever is found is said in every format, with its place, and what is strange in it breaks none of them."""

import json
from xml.etree.ElementTree import fromstring

import pytest

from governance.reports import FORMATS
from governance.reports.entry import Entry

FOUND = [
    Entry(
        "problem-json", "error", "GET /a answers 404 as <b>text</b>", "process/a/v1.yaml", 12, "/paths/~1a", fix="say: problem"
    ),
    Entry("timeout-lowered", "warning", "100 % of, say,\nall", "process/a/v1.yaml", 14, "/x", "GET /a", was="old.yaml:9"),
    Entry("endpoint-added", "info", "it is new", "process/b/v1.yaml", 1, "", "POST /b"),
]


@pytest.mark.parametrize("name", FORMATS)
def test_every_finding_is_named_in_every_format(name):
    written = FORMATS[name](FOUND)

    assert all(entry.id in written for entry in FOUND)
    assert FORMATS[name]([]) is not None


def test_text_groups_by_file_and_counts():
    written = FORMATS["text"](FOUND)

    assert written.count("process/a/v1.yaml") == 1
    assert "→ say: problem" in written
    assert "1 error, 1 warning, 1 info" in written


def test_json_and_sarif_carry_place_and_level():
    (first, second, _) = json.loads(FORMATS["json"](FOUND))["findings"]
    run = json.loads(FORMATS["sarif"](FOUND))["runs"][0]

    assert (first["line"], first["pointer"], second["was"]) == (12, "/paths/~1a", "old.yaml:9")
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    assert run["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "process/a/v1.yaml"},
        "region": {"startLine": 12},
    }
    assert [run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] for result in run["results"]] == [e.id for e in FOUND]


def test_junit_fails_for_errors_only():
    suites = fromstring(FORMATS["junit"](FOUND))  # noqa: S314 - our own

    assert [suite.get("failures") for suite in suites] == ["1", "0"]
    assert fromstring(FORMATS["junit"]([])).find("testsuite/testcase").get("name") == "nothing found"  # noqa: S314


def test_github_annotations_keep_to_one_line_each():
    lines = FORMATS["github"](FOUND).splitlines()

    assert lines[1] == "::warning file=process/a/v1.yaml,line=14,title=timeout-lowered::GET /a: 100 %25 of, say,%0Aall"
    assert len(lines) == 3


def test_markdown_is_a_changelog_and_lets_nothing_through_as_markup():
    written = FORMATS["markdown"](FOUND)

    assert written.index("### Breaking") < written.index("### New and changed")
    assert "<b>" not in written
    assert FORMATS["markdown"]([]) == "Nothing changed for anybody.\n"
