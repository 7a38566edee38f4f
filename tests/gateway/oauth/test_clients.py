"""Clients: secrets shown once and kept as hashes, two overlapping, closed at once."""

import pytest
from sqlalchemy import select

from gateway.oauth.clients import BadClient
from gateway.oauth.tables import client_secrets, clients


@pytest.fixture
async def store(server):
    return server.clients


async def test_a_new_client_is_told_its_secret_once_and_the_database_never_learns_it(store, database) -> None:
    new = await store.add("sales desk", ["quotes:write", "quotes:read"])
    async with database.transaction() as connection:
        stored = repr(
            (await connection.execute(select(clients))).all() + (await connection.execute(select(client_secrets))).all()
        )

    assert new.secret.startswith("tvs_")
    assert len(new.secret) == 47
    assert new.secret not in stored
    assert new.secret[4:] not in stored


async def test_a_client_proves_itself_and_brings_its_plan_accounts_and_scopes(store) -> None:
    client_id, secret = await store.add("partner", ["quotes:write", "quotes:read"], plan="gold", accounts=["B", "A"])
    client = await store.prove(client_id, secret)

    assert client is not None
    assert (client.name, client.plan, client.accounts, client.scopes) == (
        "partner",
        "gold",
        ("A", "B"),
        ("quotes:read", "quotes:write"),
    )
    assert [listed.id for listed in await store.all()] == [client_id]


async def test_a_client_restricted_to_no_account_at_all_stays_restricted(store, server) -> None:
    client_id, secret = await store.add("partner", ["quotes:read"], accounts=[])
    client = await store.prove(client_id, secret)
    token = server.tokens.issue(client.id, client.scopes, accounts=client.accounts)

    assert client.accounts == ()
    assert (await server.verifier.verify(token.encode())).accounts == frozenset()


@pytest.mark.parametrize("scopes", [[], ["quotes"], ["quotes:write quotes:read"], ["Quotes:write"], ["quotes:*"], [""]])
async def test_a_client_needs_scopes_in_their_form(store, scopes) -> None:
    with pytest.raises(BadClient, match="domain:verb"):
        await store.add("desk", scopes)


async def test_two_secrets_overlap_while_one_is_replaced_and_never_three(store) -> None:
    client_id, old = await store.add("desk", ["quotes:read"])
    new = await store.add_secret(client_id)
    both = [await store.prove(client_id, secret) is not None for secret in (old, new)]
    with pytest.raises(BadClient, match="2 secrets"):
        await store.add_secret(client_id)
    with pytest.raises(BadClient, match="not a secret"):
        await store.withdraw_secrets(client_id, keep="tvs_wrong")
    withdrawn = await store.withdraw_secrets(client_id, keep=new)

    assert both == [True, True]
    assert withdrawn == 1
    assert await store.prove(client_id, new) is not None
    assert await store.prove(client_id, old) is None  # at once, although it was proved and remembered a moment ago


async def test_a_closed_client_proves_nothing_until_it_is_opened_again(store) -> None:
    client_id, secret = await store.add("desk", ["quotes:read"])
    await store.prove(client_id, secret)
    await store.deactivate(client_id)
    closed = await store.prove(client_id, secret)
    await store.activate(client_id)

    assert closed is None
    assert await store.prove(client_id, secret) is not None


async def test_changing_a_client_that_is_not_there_says_so(store) -> None:
    for change in (store.deactivate("tvc_no"), store.activate("tvc_no"), store.add_secret("tvc_no")):
        with pytest.raises(BadClient, match="no client tvc_no"):
            await change
