"""`trivium audit`: shows what commands and calls did, and names the first place at which the record was broken."""

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from trivium.cli import app


@pytest.fixture
def run(tmp_path):
    """Runs a command on a data directory of the test's own."""
    environment = {"TRIVIUM_DATA": str(tmp_path), "TRIVIUM_TELEMETRY__LOG_LEVEL": "error", "COLUMNS": "250"}
    runner = CliRunner(env=environment)

    def invoke(*arguments, fails=False):
        answer = runner.invoke(app, arguments)
        assert answer.exit_code == (1 if fails else 0), answer.output
        return answer.output

    return invoke


@pytest.fixture
def busy(run):
    """An installation in which something was changed, and something refused."""
    run("clients", "add", "portal", "--scope", "orders:read")
    run("clients", "close", "tvc_unknown", fails=True)
    run("keys", "rotate", "--early")
    return run


def test_commands_that_change_something_are_recorded_with_who_did_it(busy):
    entries = [json.loads(line) for line in busy("audit", "show", "--json").splitlines()]
    calls = [(entry["operation"], entry["ids"], entry["status"]) for entry in entries if entry["kind"] == "call"]

    assert calls == [
        ("cli/keys_rotate", {}, 200), ("cli/clients_close", {"client": "tvc_unknown"}, 422),
        ("cli/clients_add", {"name": "portal"}, 200),
    ]  # fmt: skip
    assert all(entry["actor"].startswith("os:") for entry in entries if entry["kind"] == "call")


def test_commands_that_only_look_leave_nothing(busy):
    before = busy("audit", "show", "--json")
    busy("clients", "list")
    busy("audit", "verify")

    assert busy("audit", "show", "--json") == before


def test_what_is_asked_for_is_shown(busy):
    shown = busy("audit", "show", "--operation", "cli/keys_rotate")

    assert "cli/keys_rotate" in shown
    assert "clients_add" not in shown
    assert "cli" not in busy("audit", "show", "--since", "2999-01-01")


def test_a_whole_record_is_said_to_be_whole(busy):
    assert "9 entries in 3 chains are whole" in busy("audit", "verify")


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE audit_entries SET entry = replace(entry, '422', '200') WHERE seq = 1", "entry 1: it was changed"),
        ("DELETE FROM audit_entries WHERE seq = 1", "entry 1: an entry was removed here"),
        ("DELETE FROM audit_entries WHERE seq > 0", "entry 1: the end was cut off: a witness saw entry"),
        ("DELETE FROM audit_entries", "the whole chain was removed"),
    ],
)
def test_the_place_of_a_break_is_named_and_the_exit_code_tells(busy, tmp_path, statement, place):
    with sqlite3.connect(tmp_path / "trivium.sqlite") as database:
        database.execute(statement)
    database.close()

    assert place in busy("audit", "verify", fails=True)


def test_another_key_proves_nothing(busy, tmp_path):
    key = tmp_path / "audit.key"
    key.unlink()
    missing = busy("audit", "verify", fails=True)
    key.write_text("a" * 43 + "=")
    key.chmod(0o600)

    assert "audit.key" in missing
    assert "sealed with another key" in busy("audit", "verify", fails=True)


def test_anchors_of_a_log_kept_elsewhere_are_witnesses_too(busy, tmp_path):
    kept = [json.loads(line) for line in (tmp_path / "audit-anchors.jsonl").read_text().splitlines()]
    log = tmp_path / "kept.log"
    log.write_text("\n".join(json.dumps({"event": "audit anchor", **anchor}) for anchor in kept) + "\nanother line\n")
    (tmp_path / "audit-anchors.jsonl").unlink()
    with sqlite3.connect(tmp_path / "trivium.sqlite") as database:
        last = database.execute("SELECT chain FROM audit_entries ORDER BY rowid DESC LIMIT 1").fetchone()[0]
        database.execute("DELETE FROM audit_entries WHERE chain = ?", [last])
    database.close()

    assert "are whole" in busy("audit", "verify")
    assert f"chain {last}: the whole chain was removed" in busy("audit", "verify", "--anchors", str(log), fails=True)
