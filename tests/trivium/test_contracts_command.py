"""`trivium contracts lint|diff|rules`: what pipelines call, with exit codes they can rely on."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from tests.governance.rules.documents import good
from trivium.commands.contracts import app


@pytest.fixture
def folder(tmp_path):
    document = good()
    place = tmp_path / "process" / "orders" / "v1.yaml"
    place.parent.mkdir(parents=True)

    def write(change=None):
        if change:
            change(document)
        place.write_text(yaml.safe_dump(document, sort_keys=False))
        return tmp_path

    write()
    return write


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_lint_passes_a_good_contract_and_fails_a_spoilt_one_at_its_line(folder):
    passed = run("lint", folder())
    failed = run("lint", folder(lambda d: d["info"].update(version="1.2")), "--format", "json")

    assert (passed.exit_code, "nothing found" in passed.output) == (0, True)
    assert failed.exit_code == 1
    (finding,) = json.loads(failed.output)["findings"]
    assert (finding["file"], finding["id"], finding["line"]) == ("process/orders/v1.yaml", "semantic-version", 2)


def test_lint_fails_on_what_it_is_told_to(folder):
    place = folder(lambda d: d["paths"]["/process/orders/v1/orders/{order_id}"]["put"].pop("x-trivium-conditional"))

    assert [run("lint", place, "--fail-on", level).exit_code for level in ("error", "info", "never")] == [0, 1, 0]


def test_lint_of_what_cannot_be_read_is_not_a_finding(tmp_path):
    (tmp_path / "v1.yaml").write_text("openapi: [")

    assert run("lint", tmp_path / "v1.yaml").exit_code == 2
    assert run("lint", tmp_path / "nothing").exit_code == 2


def test_diff_tells_breaking_from_compatible_by_its_exit_code(folder, tmp_path_factory):
    old = tmp_path_factory.mktemp("old") / "v1.yaml"
    old.write_text(yaml.safe_dump(good()))
    wider = folder(lambda d: d["components"]["schemas"]["Count"].update(maximum=20)) / "process/orders/v1.yaml"

    assert run("diff", old, old).exit_code == 0
    assert run("diff", old, wider).exit_code == 0
    assert run("diff", wider, old).exit_code == 1
    assert "request-property-max-decreased" in run("diff", wider, old).output


def test_diff_of_folders_misses_no_contract(folder, tmp_path_factory):
    old, empty = folder(), tmp_path_factory.mktemp("new")
    (empty / "other.yaml").write_text(yaml.safe_dump(good()))
    (empty / "more.yaml").write_text(yaml.safe_dump(good()))

    gone = run("diff", old, empty)

    assert (gone.exit_code, "contract-removed" in gone.output) == (1, True)


def test_rules_are_listed_with_their_source():
    listed = run("rules").output

    assert "44  governed-data" in listed
    assert "RFC 9457" in listed
