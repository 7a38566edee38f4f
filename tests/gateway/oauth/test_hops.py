"""Between our own processes a call shows whom it is for, with this operation's scopes, by a token that is no use at the front."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.oauth.hops import INTERNAL, LIFETIME, NO_SCOPE, Hops, unrestricted
from gateway.oauth.verifier import Malformed
from gateway.pipeline import NOBODY, Caller
from kernel.context import Someone
from kernel.problem import Unauthorized
from tests.gateway.oauth.portal import EXCHANGING, Portal, claims
from tests.gateway.oauth.test_exchange import exchange

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
OUTER = Caller("tvc_partner", "ann", frozenset({"quotes:write", "orders:read"}), "gold", frozenset({"B", "A"}), partner="acme")
SCOPES = frozenset({"crm:read"})


@pytest.fixture
def hops(server, clock):
    return Hops(server.names, server.tokens, server.trust, clock, "trivium-gateway", remember=3)


async def test_the_outer_caller_arrives_with_the_scopes_of_the_operation_alone(hops, server) -> None:
    token = await hops.token(OUTER, SCOPES)
    arrived = await server.inner.verify(token.encode())

    assert (arrived.client, arrived.subject, arrived.plan, arrived.partner) == ("tvc_partner", "ann", "gold", "acme")
    assert arrived.accounts == {"A", "B"}
    assert arrived.scopes == SCOPES
    assert claims(token)["act"] == {"sub": "trivium-gateway"}
    assert claims(token)["exp"] - claims(token)["iat"] == LIFETIME


async def test_an_inner_token_is_no_use_at_the_front_door_nor_a_front_one_inside(hops, server) -> None:
    inner, front = await hops.token(OUTER, SCOPES), server.tokens.issue("tvc_partner", SCOPES)

    with pytest.raises(Unauthorized, match="another audience"):
        await server.verifier.verify(inner.encode())
    with pytest.raises(Unauthorized, match="another audience"):
        await server.inner.verify(front.encode())


async def test_an_inner_token_cannot_be_exchanged_for_another(hops, server) -> None:
    middle = Portal(server, await server.clients.add("middle", ["crm:read"], details=EXCHANGING))

    assert (await exchange(middle, await hops.token(OUTER, SCOPES))).json()["error"] == "invalid_grant"


async def test_work_that_goes_on_without_its_caller_is_our_own_within_the_callers_accounts(hops, server) -> None:
    arrived = await server.inner.verify((await hops.token(Someone("tvc_partner", frozenset({"A"}), "acme"), SCOPES)).encode())
    nobodys = await server.inner.verify((await hops.token(Someone(), SCOPES)).encode())

    assert (arrived.client, arrived.subject, arrived.accounts, arrived.partner) == (INTERNAL, "tvc_partner", {"A"}, "")
    assert (nobodys.client, nobodys.subject, nobodys.accounts) == (INTERNAL, INTERNAL, None)


async def test_work_goes_on_when_its_client_is_closed_and_calls_do_not(hops, server, clock) -> None:
    client = await server.clients.add("closing", ["crm:read"])
    durable = await hops.token(Someone(client.client_id), SCOPES)
    live = await hops.token(replace(OUTER, client=client.client_id), SCOPES)
    await server.clients.deactivate(client.client_id)
    clock.pass_seconds(1)

    assert (await server.inner.prove(durable.encode())).caller.client == INTERNAL
    with pytest.raises(Malformed, match="revoked"):
        await server.inner.prove(live.encode())


async def test_an_operation_without_scopes_and_a_caller_without_a_name_get_a_token_too(hops, server) -> None:
    arrived = await server.inner.verify((await hops.token(NOBODY, frozenset())).encode())

    assert arrived.scopes == {NO_SCOPE}
    assert arrived.client == "anonymous"


async def test_a_token_is_made_once_per_caller_and_operation_and_anew_well_before_it_ends(hops, clock) -> None:
    first = await hops.token(OUTER, SCOPES)
    same = await hops.token(replace(OUTER, token_id="another", scopes=frozenset()), frozenset(SCOPES))
    others = {await hops.token(replace(OUTER, accounts=None), SCOPES), await hops.token(OUTER, frozenset({"crm:write"}))}
    clock.pass_seconds(LIFETIME / 2)
    later = await hops.token(OUTER, SCOPES)

    assert first == same
    assert first not in others
    assert later != first


async def test_what_is_remembered_is_bounded_and_keeps_what_is_in_use(hops) -> None:
    used = await hops.token(OUTER, SCOPES)
    for number in range(10):
        await hops.token(replace(OUTER, client=f"tvc_{number}"), SCOPES)
        assert await hops.token(OUTER, SCOPES) == used

    assert len(hops._made) == 3


async def test_where_everything_was_settled_before_no_accounts_travel(hops) -> None:
    assert unrestricted(OUTER) == replace(OUTER, accounts=None, partner="")
    assert unrestricted(Someone("tvc_x", frozenset({"A"}), "acme")) == Someone("tvc_x")


texts = st.text(min_size=1, max_size=20)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(client=texts, subject=texts, plan=texts, accounts=st.none() | st.frozensets(st.text(max_size=10), max_size=5))
async def test_every_caller_travels_unchanged(hops, server, client, subject, plan, accounts) -> None:
    token = await hops.token(Caller(client, subject, frozenset({"a:b"}), plan, accounts), SCOPES)
    arrived = (await server.inner.prove(token.encode())).caller

    assert (arrived.client, arrived.subject, arrived.plan, arrived.accounts) == (client, subject, plan, accounts)
    assert arrived.scopes == SCOPES
