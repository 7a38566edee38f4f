"""A client acts for whoever gave it a token, with less than both may, for no longer, and not after that token was called back."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.oauth.access_token import Bearer
from gateway.oauth.client_rules import EXCHANGE
from gateway.oauth.clients import Details
from gateway.oauth.exchange import ACCESS_TOKEN
from gateway.oauth.verifier import Malformed
from tests.gateway.oauth.portal import EXCHANGING, ISSUER, PORTAL, SCOPES, Portal, claims, somebody

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def middle(server):
    """A service that has been handed tokens."""
    scopes, accounts = ["billing:read", *SCOPES], ["a", "b", "c"]
    made = await server.clients.add("middle", scopes, plan="gold", accounts=accounts, details=EXCHANGING)
    return Portal(server, made)


@pytest.fixture
async def token(server):
    """One that it was handed."""
    outer = await server.clients.add("outer", SCOPES)
    bearer = Bearer(subject="ann", plan="silver", accounts=["b", "c", "d"])
    return server.tokens.sign(outer.client_id, ["quotes:read", "quotes:write"], bearer)


async def exchange(middle: Portal, token: str, **more: str):
    form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN, **more}
    return await middle.token(form)


async def test_the_new_token_speaks_for_the_subject_and_names_who_acts(middle, token) -> None:
    answer = await exchange(middle, token)
    said = claims(answer.json()["access_token"])

    assert answer.status_code == 200
    assert answer.json()["issued_token_type"] == ACCESS_TOKEN
    assert said["sub"] == "ann"
    assert said["client_id"] == middle.client.client_id
    assert said["act"] == {"sub": middle.client.client_id}
    assert (said["plan"], said["accounts"]) == ("gold", ["b", "c"])
    assert answer.json()["scope"] == "quotes:read quotes:write"
    assert "refresh_token" not in answer.json()


@only_sqlite
async def test_a_chain_of_exchanges_names_everyone_and_has_an_end(middle, token, server) -> None:
    other = Portal(server, await server.clients.add("other", SCOPES, details=EXCHANGING))
    first = (await exchange(middle, token)).json()["access_token"]
    second = (await exchange(other, first)).json()["access_token"]
    actors, deeper = claims(second)["act"], second
    for _ in range(2):
        deeper = (await exchange(other, deeper)).json()["access_token"]

    assert actors == {"sub": other.client.client_id, "act": {"sub": middle.client.client_id}}
    assert (await exchange(other, deeper)).json()["error"] == "invalid_grant"


@only_sqlite
@pytest.mark.parametrize(
    ("more", "scope"),
    [({"scope": "quotes:read"}, "quotes:read"), ({"scope": "orders:read"}, None), ({"scope": "billing:read"}, None),
     ({"scope": "quotes:read billing:read"}, None), ({"scope": " "}, None)],
)  # fmt: skip
async def test_scopes_become_fewer_or_stay(middle, token, more, scope) -> None:
    answer = (await exchange(middle, token, **more)).json()

    assert answer.get("scope") == scope
    assert scope or answer["error"] == "invalid_scope"


@only_sqlite
@pytest.mark.parametrize(
    ("asked", "accounts"), [("b", ["b"]), ("c b", ["b", "c"]), ("a", None), ("d", None), ("b e", None), (" ", None)]
)
async def test_accounts_become_fewer_or_stay(middle, token, asked, accounts) -> None:
    answer = (await exchange(middle, token, accounts=asked)).json()

    assert accounts or answer["error"] == "invalid_grant"
    assert not accounts or claims(answer["access_token"])["accounts"] == accounts


@only_sqlite
async def test_it_is_for_an_audience_of_ours_or_refused(middle, token) -> None:
    ours = await exchange(middle, token, audience=ISSUER)
    others = [await exchange(middle, token, **{name: "https://evil.example.test"}) for name in ("audience", "resource")]
    inner = await exchange(middle, token, audience=f"urn:trivium:inner:{ISSUER}")

    assert claims(ours.json()["access_token"])["aud"] == ISSUER
    assert {answer.json()["error"] for answer in (*others, inner)} == {"invalid_target"}


@only_sqlite
async def test_it_ends_no_later_than_what_it_was_exchanged_for(middle, token, clock) -> None:
    clock.pass_seconds(500)
    answer = (await exchange(middle, token)).json()

    assert answer["expires_in"] == 100
    assert claims(answer["access_token"])["exp"] == claims(token)["exp"]


@only_sqlite
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"subject_token": "rubbish"}, "invalid_grant"), ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"), ({"actor_token": "x"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
    ],
)  # fmt: skip
async def test_anything_else_is_refused(middle, token, changed, error) -> None:
    answer = await exchange(middle, token, **changed)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


@only_sqlite
async def test_a_client_without_the_grant_may_not(server, token) -> None:
    plain = Portal(server, await server.clients.add("plain", SCOPES))

    assert (await exchange(plain, token)).json()["error"] == "unauthorized_client"


@only_sqlite
async def test_a_token_that_ended_or_was_called_back_is_worth_nothing(middle, token, server, clock) -> None:
    revoked = server.tokens.sign("tvc_x", SCOPES, Bearer(token_id="the-one"))
    await server.trust.revoke("the-one", 2**40)
    first = await exchange(middle, revoked)
    clock.pass_seconds(600)

    assert first.json()["error"] == (await exchange(middle, token)).json()["error"] == "invalid_grant"


@only_sqlite
async def test_a_bound_token_is_its_holders_alone(middle, server) -> None:
    bound = server.tokens.issue("tvc_x", SCOPES, confirmation={"jkt": "x" * 43})

    assert (await exchange(middle, bound)).json()["error"] == "invalid_grant"


@only_sqlite
@pytest.mark.parametrize(("mine", "theirs", "status"), [("acme", "acme", 200), ("acme", None, 200), ("acme", "other", 400)])
async def test_one_partner_cannot_act_for_another(server, mine, theirs, status) -> None:
    details = Details(grants=(EXCHANGE,), partner=mine)
    middle = Portal(server, await server.clients.add("middle", SCOPES, details=details))
    answer = await exchange(middle, server.tokens.sign("tvc_x", SCOPES, Bearer(partner=theirs)))

    assert answer.status_code == status
    assert status != 200 or claims(answer.json()["access_token"])["partner"] == "acme"


async def is_dead(server, token: str) -> bool:
    try:
        await server.verifier.prove(token.encode())
    except Malformed as refusal:
        return "revoked" in str(refusal)
    return False


@pytest.mark.parametrize("how", ["revoke", "close", "family"])
async def test_it_dies_with_what_it_was_exchanged_for_everywhere_within_a_second(
    middle, server, database, open_process, clock, how
) -> None:
    other_process = await open_process()
    user = await somebody(database)
    portal = Portal(server, await server.clients.add("portal", SCOPES, details=PORTAL), user=user)
    tokens = await portal.tokens()
    first = (await exchange(middle, tokens["access_token"])).json()["access_token"]
    second = (await exchange(middle, first)).json()["access_token"]
    match how:
        case "revoke":
            await portal.ask("/oauth/revoke", {"token": tokens["access_token"]})
        case "close":
            await server.clients.deactivate(portal.client.client_id)
        case _:
            await portal.refresh(tokens["refresh_token"])
            await portal.refresh(tokens["refresh_token"])
    clock.pass_seconds(1)

    for process in (server, other_process):
        assert [await is_dead(process, each) for each in (first, second)] == [True, True]


names = st.frozensets(st.sampled_from("abcd"), max_size=4)
scopes = st.frozensets(st.sampled_from(SCOPES), min_size=1)


@only_sqlite
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mine=scopes, theirs=scopes, own=st.none() | names, outer=st.none() | names)
async def test_an_exchange_never_widens(server, mine, theirs, own, outer) -> None:
    middle = Portal(server, await server.clients.add("middle", mine, accounts=own, details=EXCHANGING))
    answer = (await exchange(middle, server.tokens.sign("tvc_x", theirs, Bearer(accounts=outer)))).json()
    if "access_token" not in answer:
        assert not mine & theirs
        return
    said = claims(answer["access_token"])

    assert set(said["scope"].split()) == mine & theirs
    assert own is None or set(said["accounts"]) <= own
    assert outer is None or set(said["accounts"]) <= outer
