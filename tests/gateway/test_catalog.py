"""The catalog of a real house: who holds a token is proved as at the door, and only a sandbox gives tokens away."""

from dataclasses import replace

import httpx
import pytest

from gateway.catalog import desk, pages_of
from gateway.contracts import load
from gateway.house import CONTRACTS
from gateway.library import Library
from gateway.oauth.server import open_server
from gateway.partners.standing import PartnerStanding
from kernel.clock import SystemClock
from kernel.db import Database
from kernel.problem import Unauthorized
from kernel.sections.catalog import Catalog
from kernel.settings import Connection, Sandbox, Server, Settings

URL = "https://gateway.test"
PROMISED = load(CONTRACTS)


def settings(tmp_path, *, real=False, **said):
    port = 1234
    connection = Connection(
        id="crm", vendor="salesforce", base_url="https://real.example" if real else f"http://127.0.0.1:{port}"
    )
    return Settings.model_construct(
        data=tmp_path,
        server=Server(public_url=URL),
        connections=[connection],
        sandbox=Sandbox(salesforce=port),
        catalog=Catalog(**said),
    )


@pytest.fixture
async def oauth(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    server = await open_server(database, public_url=URL, data=tmp_path, clock=SystemClock())
    yield server
    await server.close()
    await database.close()


async def nowhere(scope, receive, send):
    raise AssertionError("nobody signs in")


def opened(oauth, said):
    return desk(said, PROMISED, oauth, SystemClock(), Library(), nowhere)


async def test_a_sandbox_is_open_and_gives_tokens_for_what_is_tried_and_not_for_running_it(oauth, tmp_path):
    found = opened(oauth, settings(tmp_path))
    token = await found.issue()
    holder = await found.prove(token.access_token.encode())

    assert found.open
    assert "quotes:validate" in holder.scopes
    assert not {scope for scope in holder.scopes if scope.startswith(("gateway:", "catalog:", "master-data:"))}


@pytest.mark.parametrize("said", [{"real": True}, {"sandbox_tokens": False, "open": "never"}])
async def test_nothing_else_gives_tokens_or_is_open(oauth, tmp_path, said):
    found = opened(oauth, settings(tmp_path, **said))

    assert found.issue is None
    assert not found.open


async def test_a_suspended_partner_reads_nothing(oauth, tmp_path):
    found = opened(oauth, settings(tmp_path))
    caller = replace(await oauth.verifier.verify(oauth.tokens.issue("acme", ["quotes:validate"]).encode()), partner="acme")
    oauth.verifier.recall = lambda token: caller
    oauth.trust.partners["acme"] = PartnerStanding(True, frozenset(), 0)
    assert (await found.prove(b"any")).partner == "acme"

    oauth.trust.partners["acme"] = PartnerStanding(False, frozenset(), 0)
    with pytest.raises(Unauthorized):
        await found.prove(b"any")


async def test_a_token_bound_to_a_key_is_no_use_on_a_page(oauth, tmp_path):
    token = oauth.tokens.issue("bound", ["quotes:validate"], confirmation={"jkt": "x" * 43})

    with pytest.raises(Unauthorized, match="bound"):
        await opened(oauth, settings(tmp_path)).prove(token.encode())


async def test_the_whole_estate_is_shown_with_the_limits_in_force(oauth, tmp_path):
    app = pages_of(opened(oauth, settings(tmp_path)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=URL) as browser:
        listed = await browser.get("/catalog")
        operation = await browser.get("/catalog/apis/process/quotes/v1/operations/validate_quote")

    assert "experience/sales_desk/v1" in listed.text
    assert "burst: 300 calls in 60 s" in operation.text


async def test_a_catalog_is_made_once_for_the_same_promises(tmp_path):
    library, said = Library(), settings(tmp_path)
    today = SystemClock().now().date()
    first, again = await library.of(said, PROMISED, today), await library.of(said, PROMISED, today)

    assert first is again
    assert await library.of(said, PROMISED[:1], today) is not first
