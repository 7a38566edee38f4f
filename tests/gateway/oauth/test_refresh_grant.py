"""A refresh token is good once; shown again it ends its whole family, the access tokens included, in every process."""

import asyncio

import pytest

from gateway.oauth.client_rules import CODE, REFRESH
from gateway.oauth.clients import Details
from gateway.oauth.tables import users
from gateway.oauth.verifier import Malformed
from tests.gateway.oauth.holding import Holder
from tests.gateway.oauth.portal import BACK, ISSUER, PORTAL, PUBLIC, SCOPES, Portal, claims, somebody

DAY = 86_400
only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def portal(server, database):
    user = await somebody(database, accounts=["crm/1", "crm/2"])
    return Portal(server, await server.clients.add("portal", SCOPES, details=PORTAL), user=user)


async def is_dead(server, token: str) -> bool:
    try:
        await server.verifier.prove(token.encode())
    except Malformed as refusal:
        return "revoked" in str(refusal)
    return False


async def test_every_use_replaces_the_token(portal) -> None:
    first = await portal.tokens(scope="quotes:read orders:read")
    second = (await portal.refresh(first["refresh_token"])).json()
    third = (await portal.refresh(second["refresh_token"])).json()

    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    assert claims(third["access_token"])["sub"] == claims(first["access_token"])["sub"]
    assert claims(third["access_token"])["accounts"] == ["crm/1", "crm/2"]
    assert third["scope"] == "quotes:read orders:read"


async def test_an_old_one_ends_the_family_everywhere_within_a_second(portal, server, open_process, clock) -> None:
    other_process = await open_process()
    first = await portal.tokens()
    second = (await portal.refresh(first["refresh_token"])).json()
    good = [await is_dead(other_process, each["access_token"]) for each in (first, second)]
    reused = await portal.refresh(first["refresh_token"])
    newest = await portal.refresh(second["refresh_token"])
    clock.pass_seconds(1)

    assert good == [False, False]
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert newest.json()["error"] == "invalid_grant"
    for process in (server, other_process):
        assert [await is_dead(process, each["access_token"]) for each in (first, second)] == [True, True]


async def test_of_processes_that_race_one_wins_and_the_family_ends(portal, server, open_process, clock) -> None:
    first = await portal.tokens()
    racers = [portal, *[Portal(await open_process(), portal.client) for _ in range(3)]]
    answers = await asyncio.gather(*(each.refresh(first["refresh_token"]) for each in racers))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    clock.pass_seconds(1)

    assert len(won) <= 1
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    for tokens in (first, *won):
        assert await is_dead(server, tokens["access_token"])
        if "refresh_token" in tokens:
            assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_another_family_of_the_same_user_lives_on(portal, server) -> None:
    first, other = await portal.tokens(), await portal.tokens()
    await portal.refresh(first["refresh_token"])
    await portal.refresh(first["refresh_token"])

    assert not await is_dead(server, other["access_token"])
    assert (await portal.refresh(other["refresh_token"])).status_code == 200


@only_sqlite
async def test_a_token_that_rests_for_too_long_ends(portal, clock) -> None:
    first = await portal.tokens()
    clock.pass_seconds(13 * DAY)
    second = (await portal.refresh(first["refresh_token"])).json()
    clock.pass_seconds(14 * DAY)

    assert (await portal.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"


@only_sqlite
async def test_a_family_ends_however_much_it_is_used(portal, clock) -> None:
    tokens = await portal.tokens()
    for _ in range(8):
        clock.pass_seconds(10 * DAY)
        tokens = (await portal.refresh(tokens["refresh_token"])).json()
    clock.pass_seconds(10 * DAY)

    assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


@only_sqlite
async def test_fewer_scopes_may_be_asked_for_and_more_may_not(portal) -> None:
    first = await portal.tokens(scope="quotes:read orders:read")
    fewer = (await portal.refresh(first["refresh_token"], scope="quotes:read")).json()
    more = await portal.refresh(fewer["refresh_token"], scope="quotes:read quotes:write")
    all_again = (await portal.refresh(fewer["refresh_token"])).json()

    assert fewer["scope"] == "quotes:read"
    assert more.json()["error"] == "invalid_scope"
    assert all_again["scope"] == "quotes:read orders:read"


@only_sqlite
async def test_it_is_worth_nothing_to_another_client(portal, server) -> None:
    thief = Portal(server, await server.clients.add("thief", SCOPES, details=PORTAL))
    first = await portal.tokens()
    stolen = await thief.refresh(first["refresh_token"])

    assert stolen.json()["error"] == "invalid_grant"
    assert (await portal.refresh(first["refresh_token"])).status_code == 200


@only_sqlite
@pytest.mark.parametrize("token", ["x", "tvr_", "tvr_" + "0" * 32 + "." + "x" * 43, "tvr_" + "0" * 32, "\u00e9", "' OR 1=1"])
async def test_what_is_no_refresh_token_of_ours_is_refused(portal, token) -> None:
    answer = await portal.refresh(token)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("act", ["close", "password", "client"])
async def test_when_user_or_client_is_closed_everything_ends(portal, server, open_process, clock, act) -> None:
    other_process, first = await open_process(), await portal.tokens()
    match act:
        case "close":
            await server.users.close("ann")
        case "password":
            await server.users.set_password("ann", "another fine password")
        case _:
            await server.clients.deactivate(portal.client.client_id)
            await server.clients.activate(portal.client.client_id)
    clock.pass_seconds(1)

    assert await is_dead(other_process, first["access_token"])
    assert (await portal.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"


@only_sqlite
async def test_the_client_can_give_it_back_and_then_all_of_it_is_dead(portal, server) -> None:
    first = await portal.tokens()
    told = (await portal.ask("/oauth/introspect", {"token": first["refresh_token"]})).json()
    given_back = await portal.ask("/oauth/revoke", {"token": first["refresh_token"], "token_type_hint": "refresh_token"})
    afterwards = (await portal.ask("/oauth/introspect", {"token": first["refresh_token"]})).json()

    assert (told["active"], told["scope"], told["token_type"]) == (True, "quotes:read", "refresh_token")
    assert given_back.status_code == 200
    assert afterwards == {"active": False}
    await server.trust.current()
    assert (await portal.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"


@only_sqlite
async def test_nobody_else_can_give_it_back_or_ask_about_it(portal, server) -> None:
    stranger = Portal(server, await server.clients.add("stranger", SCOPES))
    first = await portal.tokens()
    asked = await stranger.ask("/oauth/introspect", {"token": first["refresh_token"]})
    given_back = await stranger.ask("/oauth/revoke", {"token": first["refresh_token"]})

    assert asked.json() == {"active": False}
    assert given_back.json()["error"] == "invalid_grant"
    assert (await portal.refresh(first["refresh_token"])).status_code == 200


@only_sqlite
async def test_a_public_client_refreshes_without_a_secret(server, portal) -> None:
    public = Portal(server, await server.clients.add("app", SCOPES, details=PUBLIC), user=portal.user)
    first = await public.tokens()

    assert (await public.refresh(first["refresh_token"])).status_code == 200


@only_sqlite
async def test_a_public_clients_token_is_good_with_its_key_alone(server, portal, clock) -> None:
    public = Portal(server, await server.clients.add("app", SCOPES, details=PUBLIC), user=portal.user)
    holder, thief = Holder(), Holder()

    def proved(by: Holder) -> dict[str, str]:
        return {"DPoP": by.proof("POST", f"{ISSUER}/oauth/token", clock.now())}

    form = {"grant_type": CODE, "code": await public.code(), "redirect_uri": BACK, "code_verifier": public.verifier}
    first = (await public.token(form, proved(holder))).json()
    said = {"grant_type": REFRESH, "refresh_token": first["refresh_token"]}
    plain, stolen = await public.token(said), await public.token(said, proved(thief))
    second = (await public.token(said, proved(holder))).json()

    assert first["token_type"] == second["token_type"] == "DPoP"
    assert claims(second["access_token"])["cnf"] == {"jkt": holder.thumbprint}
    assert [answer.json()["error"] for answer in (plain, stolen)] == ["invalid_grant"] * 2


@only_sqlite
async def test_what_the_user_may_no_longer_grant_is_no_longer_there(server, portal, database) -> None:
    first = await portal.tokens(scope="quotes:read orders:read")
    async with database.transaction() as connection:
        await connection.execute(users.update().values(scopes="quotes:read"))
    second = (await portal.refresh(first["refresh_token"])).json()

    assert second["scope"] == "quotes:read"


@only_sqlite
async def test_a_client_without_the_grant_cannot_refresh(server, portal) -> None:
    plain = Portal(server, await server.clients.add("plain", SCOPES, details=Details(redirect_uris=(BACK,))))

    assert (await plain.refresh("x")).json()["error"] == "unauthorized_client"
