"""Signing keys are published before they sign and after they did, and rest sealed."""

import asyncio

import pytest
from sqlalchemy import select

from gateway.oauth.keys import JWKS_MAX_AGE, KeyStore, TooSoon
from gateway.oauth.sealing import BadSeal, Seal
from gateway.oauth.tables import signing_keys


async def test_the_first_start_makes_one_active_key_and_the_next_one(server) -> None:
    assert sorted(key.state for key in server.trust.keys.values()) == ["active", "next"]


async def test_processes_that_start_together_make_one_pair_of_keys(database, clock) -> None:
    stores = [KeyStore(database, Seal(b"k" * 32), clock) for _ in range(4)]
    await asyncio.gather(*(store.ensure() for store in stores))
    async with database.transaction() as connection:
        keys = await stores[0].load(connection)

    assert sorted(key.state for key in keys.values()) == ["active", "next"]


async def test_rotation_signs_with_a_key_that_everyone_could_know_and_keeps_the_old_one_published(server, clock) -> None:
    before, published = server.trust.active_key().kid, set(server.trust.keys)
    old_token = server.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    clock.pass_seconds(JWKS_MAX_AGE)
    active = await server.keys.rotate()
    await server.trust.current()
    states = {kid: key.state for kid, key in server.trust.keys.items()}

    assert active in published
    assert server.trust.active_key().kid == active != before
    assert states[before] == "retired"
    assert sorted(states.values()) == ["active", "next", "retired"]
    assert (await server.verifier.verify(old_token)).client == "tvc_desk"


async def test_a_key_that_others_may_not_know_yet_does_not_sign(server, clock) -> None:
    clock.pass_seconds(JWKS_MAX_AGE - 1)

    with pytest.raises(TooSoon, match="299 s of the 300 s"):
        await server.keys.rotate()


async def test_a_key_retired_longer_ago_than_any_token_lives_is_forgotten(server, clock) -> None:
    first = server.trust.active_key().kid
    for _ in range(2):
        clock.pass_seconds(3601)
        await server.keys.rotate()
    clock.pass_seconds(3601)
    await server.keys.rotate()
    await server.trust.current()

    assert first not in server.trust.keys
    assert sorted(key.state for key in server.trust.keys.values()) == ["active", "next", "retired"]


async def test_the_database_holds_no_private_key_in_the_clear(server, database) -> None:
    async with database.transaction() as connection:
        rows = (await connection.execute(select(signing_keys))).all()
    private = [key.key.as_dict(private=True)["d"] for key in server.trust.keys.values()]

    assert len(rows) == 2
    assert not any(secret.encode() in bytes(row.sealed) for secret in private for row in rows)


async def test_another_key_encryption_key_opens_nothing_and_says_so(server, database, clock) -> None:
    stranger = KeyStore(database, Seal(b"x" * 32), clock)
    async with database.transaction() as connection:
        with pytest.raises(BadSeal, match="another key-encryption key"):
            await stranger.load(connection)


def test_a_sealed_key_opens_under_its_own_name_only() -> None:
    seal = Seal(b"k" * 32)
    sealed = seal.close(b"private", "kid-1")

    assert seal.open(sealed, "kid-1") == b"private"
    for wrong, name in ((sealed, "kid-2"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), "kid-1"), (b"", "kid-1")):
        with pytest.raises(BadSeal):
            seal.open(wrong, name)
