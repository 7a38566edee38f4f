"""`trivium clients`, `users` and `keys`: what they print is what holds, and every refusal says what to change."""

import asyncio
import json
import re

import pytest
from typer.testing import CliRunner

from gateway.oauth.applications import Application
from gateway.opening import open_house
from kernel.settings import load
from trivium.cli import app

PASSWORD = "correct horse battery"


@pytest.fixture
def run(tmp_path):
    """Runs a command on a data directory of the test's own."""
    environment = {"TRIVIUM_DATA": str(tmp_path), "TRIVIUM_TELEMETRY__LOG_LEVEL": "error", "COLUMNS": "250"}
    runner = CliRunner(env=environment)

    def invoke(*arguments, given=None, fails=False):
        answer = runner.invoke(app, arguments, input=given)
        assert answer.exit_code == (1 if fails else 0), answer.output
        return answer.output

    return invoke


@pytest.fixture
def house(run, tmp_path):
    """Does something in the same house, without a command."""

    def within(job):
        async def inside():
            async with open_house(load(data=tmp_path), "test") as opened:
                return await job(opened)

        return asyncio.run(inside())

    return within


def found(name, said):
    return re.search(rf"{name} +(\S+)", said)[1]


def test_a_client_is_made_with_everything_that_was_said_of_it(run, house, tmp_path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": []}))
    said = run(
        "clients", "add", "portal", "--scope", "orders:read", "--grant", "authorization_code", "--grant", "refresh_token",
        "--redirect", "https://p.example/back", "--method", "private_key_jwt", "--keys", str(keys), "--account", "salesforce/1",
        "--address", "192.0.2.0/24", "--dpop", "--plan", "gold",
    )  # fmt: skip
    (client,) = house(lambda opened: opened.oauth.clients.all())

    assert found("client_id", said) == client.id
    assert "client_secret" not in said
    assert (client.plan, client.accounts, client.details.dpop_required) == ("gold", ("salesforce/1",), True)
    assert client.details.grants == ("authorization_code", "refresh_token")
    assert client.details.redirect_uris == ("https://p.example/back",)
    assert client.details.addresses == ("192.0.2.0/24",)
    assert client.details.jwks == {"keys": []}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--scope", "moon:walk"], "nothing asks for"), (["--scope", "orders:read", "--grant", "password"], "grants of"),
        (["--scope", "orders:read", "--grant", "authorization_code"], "redirect URI"),
        (["--scope", "orders:read", "--method", "none"], "no grant but"),
        (["--scope", "orders:read", "--partner", "nobody"], "nobody"),
        (["--scope", "orders:read", "--address", "here"], "no network"),
        (["--scope", "orders:read", "--account", "x"], "accounts"),
        (["--scope", "orders:read", "--method", "private_key_jwt", "--keys", "/nowhere"], "cannot be read"),
    ],
)  # fmt: skip
def test_a_client_that_cannot_be_is_refused_in_words(run, arguments, why) -> None:
    assert why in " ".join(run("clients", "add", "x", *arguments, fails=True).split())


def test_secrets_are_replaced_one_by_one_and_a_client_is_closed(run, house) -> None:
    made = run("clients", "add", "desk", "--scope", "orders:read")
    client, first = found("client_id", made), found("client_secret", made)
    second = found("client_secret", run("clients", "rotate-secret", client))
    both = [house(lambda opened, one=one: opened.oauth.clients.prove(client, one)) is not None for one in (first, second)]
    third = run("clients", "rotate-secret", client, fails=True)
    withdrawn = run("clients", "withdraw-secret", client, given=f"{second}\n")
    left = [house(lambda opened, one=one: opened.oauth.clients.prove(client, one)) is not None for one in (first, second)]
    run("clients", "close", client)

    assert both == [True, True]
    assert "withdraw the old one" in third
    assert "1 withdrawn" in withdrawn
    assert left == [False, True]
    assert house(lambda opened: opened.oauth.clients.prove(client, second)) is None
    assert "closed" in run("clients", "list")


def test_an_application_is_approved_or_rejected(run, house) -> None:
    said = Application(client_name="Acme batch", scope="orders:read", grant_types=["client_credentials"])
    first, second = (house(lambda opened: opened.oauth.registrations.add(said)).id for _ in range(2))
    waiting = run("clients", "registrations")
    approved = run("clients", "approve", first, "--plan", "gold")
    run("clients", "reject", second, "--reason", "we do not know you")
    decided = run("clients", "registrations", "--state", "all")

    assert first in waiting
    assert second in waiting
    assert found("client_id", approved) in decided
    assert "rejected" in decided
    assert "waits for a decision" in run("clients", "approve", second, fails=True)
    assert "no state" in run("clients", "registrations", "--state", "lost", fails=True)


def test_users_are_added_listed_and_closed(run, house) -> None:
    run("users", "add", "Ann", "--scope", "orders:read", "--account", "salesforce/1", given=f"{PASSWORD}\n{PASSWORD}\n")
    listed = run("users", "list")
    run("users", "password", "ann", "--password", PASSWORD + " two")
    proved = house(lambda opened: opened.oauth.users.prove("ann", PASSWORD + " two"))
    run("users", "close", "ann")
    closed = house(lambda opened: opened.oauth.users.prove("ann", PASSWORD + " two"))
    run("users", "reopen", "ann")

    assert "salesforce/1" in listed
    assert (proved.name, closed) == ("ann", None)
    assert "12 to 128" in run("users", "add", "bob", "--scope", "orders:read", "--password", "short", fails=True)
    assert "no user bob" in run("users", "close", "bob", fails=True)
    assert "nothing asks for" in run("users", "add", "bob", "--scope", "moon:walk", "--password", PASSWORD, fails=True)


def test_keys_are_listed_and_rotated(run) -> None:
    early = " ".join(run("keys", "rotate", fails=True).split())
    before = run("keys", "list")
    active = found("signs now", run("keys", "rotate", "--early"))
    after = run("keys", "list")

    assert "of the 300 s" in early
    assert active in before
    assert "retired" in after
    assert "retired" not in before.replace("retired ┃", "")
