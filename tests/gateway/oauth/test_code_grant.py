"""A code is good once, for a minute, for its client, its redirect URI and its verifier; twice it takes all back."""

import asyncio

import pytest
from sqlalchemy import select

from gateway.oauth.client_rules import CODE
from gateway.oauth.clients import Details
from gateway.oauth.tables import authorizations
from gateway.oauth.verifier import Malformed
from tests.gateway.oauth.portal import BACK, PORTAL, PUBLIC, SCOPES, Portal, claims, somebody


@pytest.fixture
async def portal(server, database):
    return Portal(server, await server.clients.add("portal", SCOPES, details=PORTAL), user=await somebody(database))


async def test_a_code_is_good_once_and_shown_twice_revokes_what_it_gave(portal, server, open_process, clock) -> None:
    other_process = await open_process()
    code = await portal.code()
    first = (await portal.redeem(code)).json()
    good = await other_process.verifier.prove(first["access_token"].encode())
    again = await portal.redeem(code)
    refreshed = await portal.refresh(first["refresh_token"])
    clock.pass_seconds(1)

    assert good.caller.client == portal.client.client_id
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert refreshed.json()["error"] == "invalid_grant"
    for process in (server, other_process):
        with pytest.raises(Malformed, match="revoked"):
            await process.verifier.prove(first["access_token"].encode())


async def test_of_two_who_redeem_at_once_at_most_one_gets_a_token_and_it_is_revoked(portal, server, open_process, clock) -> None:
    code, other = await portal.code(), Portal(await open_process(), portal.client)
    other.verifier = portal.verifier
    answers = await asyncio.gather(*(each.redeem(code) for each in (portal, other)))
    clock.pass_seconds(1)

    assert sorted(answer.status_code for answer in answers) in ([200, 400], [400, 400])
    for answer in answers:
        if answer.status_code == 200:
            with pytest.raises(Malformed, match="revoked"):
                await server.verifier.prove(answer.json()["access_token"].encode())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_code_lives_a_minute(portal, clock) -> None:
    in_time = await portal.code()
    clock.pass_seconds(59)
    good = await portal.redeem(in_time)
    late = await portal.code()
    clock.pass_seconds(60)

    assert good.status_code == 200
    assert (await portal.redeem(late)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"), ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"), ({"code_verifier": "x" * 43 + "\n"}, "invalid_request"),
        ({"redirect_uri": "https://portal.example.test/other?x=1"}, "invalid_grant"), ({"redirect_uri": None}, "invalid_grant"),
        ({"code": "tvk_" + "x" * 43}, "invalid_grant"), ({"code": None}, "invalid_request"),
        ({"code": "\u00e9"}, "invalid_grant"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_code_needs_its_verifier_and_its_redirect_uri(portal, changed, error) -> None:
    answer = await portal.redeem(await portal.code(), changed)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_code_is_worth_nothing_to_another_client_and_still_good_for_its_own(portal, server) -> None:
    thief = Portal(server, await server.clients.add("thief", SCOPES, details=PORTAL))
    thief.verifier = portal.verifier
    code = await portal.code()
    stolen, own = await thief.redeem(code), await portal.redeem(code)

    assert (stolen.json()["error"], own.status_code) == ("invalid_grant", 200)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_client_that_has_a_secret_must_show_it(portal) -> None:
    code = await portal.code()
    form = {"grant_type": CODE, "code": code, "redirect_uri": BACK, "code_verifier": portal.verifier}
    nameless = await portal.http.post("/oauth/token", data=form)
    named = await portal.http.post("/oauth/token", data={**form, "client_id": portal.client.client_id})

    assert [answer.status_code for answer in (nameless, named)] == [401, 401]
    assert nameless.text == named.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_public_client_has_its_code_and_its_verifier_and_no_other_grant(portal, server) -> None:
    public = Portal(server, await server.clients.add("app", SCOPES, details=PUBLIC), user=portal.user)
    good = await public.redeem(await public.code())
    alone = await public.token({"grant_type": "client_credentials"})
    introspected = await public.ask("/oauth/introspect", {"token": good.json()["access_token"]})

    assert public.client.secret == ""
    assert good.status_code == 200
    assert alone.status_code == introspected.status_code == 401


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_user_closed_meanwhile_gives_nothing(portal, server) -> None:
    code = await portal.code()
    await server.users.close("ann")

    assert (await portal.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_client_without_refresh_tokens_gets_none(server, portal) -> None:
    once = Details(grants=(CODE,), redirect_uris=(BACK,))
    plain = Portal(server, await server.clients.add("plain", SCOPES, details=once), user=portal.user)

    assert "refresh_token" not in await plain.tokens()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_codes_and_refresh_tokens_rest_as_hashes(portal, database) -> None:
    code = await portal.code()
    tokens = (await portal.redeem(code)).json()
    async with database.reading() as connection:
        stored = repr((await connection.execute(select(authorizations))).all())

    assert code not in stored
    assert tokens["refresh_token"] not in stored
    assert tokens["refresh_token"].partition(".")[2] not in stored


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_nobody_redeemed_is_forgotten(portal, database, clock) -> None:
    for _ in range(2):
        await portal.code()
        clock.pass_seconds(3601)
    await portal.code()
    async with database.reading() as connection:
        left = (await connection.execute(select(authorizations.c.id))).all()

    assert len(left) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_token_without_a_user_has_no_time_of_signing_in(server, portal) -> None:
    machine = await server.clients.add("machine", SCOPES)
    answer = await portal.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=tuple(machine))

    assert "auth_time" not in claims(answer.json()["access_token"])
