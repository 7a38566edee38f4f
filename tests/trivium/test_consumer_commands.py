"""`trivium contracts impact`, `retire` and `verify`: whoever uses a contract is named, from files and from what was seen."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from typer.testing import CliRunner

from gateway.consumption.book import FieldUseBook
from gateway.partners.usage import UsageBook
from governance.publishing.publish import Refused, deprecate, publish, retire
from kernel.db import Database
from kernel.settings import Settings
from tests.governance.publishing.test_publish import KEY, contract, desk, ready
from tests.governance.rules.documents import good
from trivium.commands.contracts import app
from trivium.observed import NotKnown, observed, users

__all__ = ["desk"]
ADD, LIST = "process.orders.v1.add_order", "process.orders.v1.list_orders"


def day(ago):
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


def seed(url, seen=None, called=None):
    async def write():
        database = Database(url)
        await database.create_all()
        await FieldUseBook(database).record(seen or {})
        await UsageBook(database).record(called or {})
        await database.close()

    asyncio.run(write())


@pytest.fixture
def place(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'trivium.sqlite'}"
    monkeypatch.setenv("TRIVIUM_DATABASE_URL", url)
    return url


@pytest.fixture
def settings(place):
    return Settings.model_construct(database_url=place)


@pytest.fixture
def narrower(tmp_path):
    """A contract whose orders take shorter notes, and the one before it."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(yaml.safe_dump(good()))
    document = good()
    document["components"]["schemas"]["NewOrder"]["properties"]["note"].update(maxLength=5)
    new.write_text(yaml.safe_dump(document))
    return [str(new), "--old", str(old)]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_impact_names_the_clients_that_were_seen_to_use_what_changes(place, narrower):
    seed(place, {
        (day(1), "tvc_hit", "acme", ADD, "1.2.0", "request", "note"): 1,
        (day(1), "tvc_other_field", "", ADD, "1.2.0", "request", "wanted_on"): 1,
        (day(1), "tvc_elsewhere", "", LIST, "1.2.0", "call", ""): 1,
        (day(60), "tvc_long_ago", "", ADD, "1.2.0", "request", "note"): 1,
    }, {(day(2), "tvc_never_looked_at", "", ADD, 2): 1})  # fmt: skip

    found, unasked = run("impact", *narrower), run("impact", *narrower, "--no-observed")

    assert (found.exit_code, unasked.exit_code) == (1, 0), found.output
    assert "tvc_hit  partner acme" in found.output
    assert "tvc_never_looked_at" in found.output
    assert "request-property-max-length-decreased" in found.output
    assert not [name for name in ("tvc_other_field", "tvc_elsewhere", "tvc_long_ago") if name in found.output]
    assert "tvc_long_ago" in run("impact", *narrower, "--days", 90).output


def test_impact_does_without_a_database(place, narrower):
    found = run("impact", *narrower)

    assert (found.exit_code, "no application that is known is touched" in found.output) == (0, True), found.output


def test_a_database_that_does_not_answer_is_not_taken_for_one_without_use(tmp_path, monkeypatch, narrower):
    (tmp_path / "broken.sqlite").write_text("this is no database, and long enough that it cannot be taken for one" * 20)
    monkeypatch.setenv("TRIVIUM_DATABASE_URL", f"sqlite:///{tmp_path / 'broken.sqlite'}")
    found = run("impact", *narrower)

    assert found.exit_code == 1
    assert "--no-observed does without" in found.stderr
    with pytest.raises(NotKnown):
        observed(Settings.model_construct(database_url=f"sqlite:///{tmp_path / 'broken.sqlite'}"), KEY)


def test_what_was_called_lately_is_not_retired_and_its_callers_are_named(desk, settings, place):
    publish(desk, ready(desk, contract()))
    deprecate(desk, KEY, sunset=desk.today + timedelta(days=120), successor="")
    later = replace(desk, today=date(2027, 6, 1))
    seed(place, {(day(3), "tvc_1", "", ADD, "1.2.0", "call", ""): 1}, {
        (day(2), "tvc_1", "", ADD, 4): 1, (day(40), "tvc_2", "", ADD, 2): 9,
    })  # fmt: skip

    with pytest.raises(Refused, match=rf"still used by tvc_1 \(last on {day(2)}\)$"):
        retire(later, KEY, users(observed(settings, KEY)))
    with pytest.raises(Refused, match="tvc_2"):
        retire(later, KEY, users(observed(settings, KEY, days=60)))
    assert users(observed(settings, "process/orders/v2")) == []
    assert retire(later, KEY, users(observed(settings, KEY, days=1))).stage == "retired"


def test_verify_says_what_it_needs(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("application: x\nexpectations: none\n")

    assert run("verify").exit_code == 2
    assert run("verify", bad, "--url", "http://127.0.0.1:1", "--token-env", "PATH").exit_code == 2
    assert run("verify", "--url", "http://127.0.0.1:1", "--given", "x", "--token-env", "PATH").exit_code == 2
    without = run("verify", "--url", "http://127.0.0.1:1")
    assert (without.exit_code, "--token-env names a variable" in without.stderr) == (1, True)


def test_verify_fails_in_every_format_when_nobody_answers():
    found = run("verify", "--url", "http://127.0.0.1:1", "--token-env", "PATH", "--format", "json")

    assert found.exit_code == 1
    assert {one["id"] for one in json.loads(found.output)["findings"]} == {"expectation-unanswered"}
