"""The keys of another issuer: never fetched in a storm, never trusted for too long, and never in the way of a start."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.oauth import jwks
from gateway.oauth.discovery import NotFetched, Published
from gateway.oauth.jwks import IssuerKeys
from gateway.oauth.public_keys import PublicKey, read_key
from kernel.problem import Unavailable
from tests.gateway.oauth.holding import Holder

OLD, NEW, OTHER = (read_key(Holder("ES256", kid).jwk) for kid in ("old", "new", "other"))


class Source:
    """Publishes what the test says, when it says so."""

    def __init__(self) -> None:
        self.keys: tuple[PublicKey, ...] = (OLD,)
        self.fresh_for, self.fetches, self.failing = 600, 0, False
        self.answering = asyncio.Event()
        self.answering.set()

    async def fetch(self) -> Published:
        self.fetches += 1
        await self.answering.wait()
        if self.failing:
            raise NotFetched("https://issuer.test answered 500")
        return Published(self.keys, self.fresh_for)

    async def close(self) -> None: ...


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def keys(source, clock) -> AsyncIterator[IssuerKeys]:
    opened = IssuerKeys("entra", source, clock)
    yield opened
    source.answering.set()
    await opened.close()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_start_waits_for_nothing_and_the_first_call_for_the_keys(keys, source) -> None:
    source.answering.clear()
    keys.start()
    await settle()
    waiting = [asyncio.create_task(keys.key("old", "ES256")) for _ in range(20)]
    await settle()
    source.answering.set()
    found = await asyncio.gather(*waiting)

    assert source.fetches == 1
    assert set(map(id, found)) == {id(OLD)}


async def test_known_keys_cost_no_fetch_and_due_ones_are_renewed_beside_the_calls(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    clock.pass_seconds(599)
    fresh = await keys.key("old", "ES256")
    clock.pass_seconds(1)
    source.answering.clear()
    due = await keys.key("old", "ES256")  # would hang if it waited
    await settle()

    assert (fresh, due, source.fetches) == (OLD, OLD, 2)


async def test_a_new_key_is_found_by_the_first_token_that_names_it(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    source.keys = (OLD, NEW)
    before = keys.generation
    found = await asyncio.gather(*(keys.key("new", "ES256") for _ in range(10)))

    assert (set(map(id, found)), source.fetches, keys.generation) == ({id(NEW)}, 2, before + 1)


async def test_a_key_that_is_withdrawn_ends_what_was_remembered_and_is_unknown(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    before = keys.generation
    source.keys = (NEW,)
    clock.pass_seconds(600)
    await keys.key("old", "ES256")
    await settle()

    assert keys.generation == before + 1
    assert await keys.key("old", "ES256") is None


async def test_the_same_keys_again_end_nothing(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    before = keys.generation
    clock.pass_seconds(600)
    await keys.key("old", "ES256")
    await settle()

    assert (keys.generation, source.fetches) == (before, 2)


async def test_names_that_nobody_knows_cause_no_storm(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    for n in range(500):
        assert await keys.key(f"random {n}", "ES256") is None
    after_many = source.fetches
    clock.pass_seconds(jwks.SEEK_AFTER)
    assert await keys.key("random 0", "ES256") is None
    same_again = source.fetches
    assert await keys.key("random 501", "ES256") is None

    assert (after_many, same_again, source.fetches) == (2, 2, 3)
    assert len(keys._unknown) <= 1024


async def test_a_name_is_looked_for_again_after_a_minute(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    assert await keys.key("new", "ES256") is None
    source.keys = (OLD, NEW)
    clock.pass_seconds(jwks.UNKNOWN_FOR - 1)
    early = await keys.key("new", "ES256")
    clock.pass_seconds(1)

    assert early is None
    assert await keys.key("new", "ES256") is NEW


async def test_a_name_that_was_unknown_is_known_as_soon_as_any_fetch_brings_it(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    assert await keys.key("new", "ES256") is None
    source.keys = (OLD, NEW)
    clock.pass_seconds(jwks.SEEK_AFTER)
    await keys.key("other", "ES256")

    assert await keys.key("new", "ES256") is NEW


async def test_while_the_issuer_fails_known_keys_serve_for_a_day_and_then_nothing_does(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    source.failing = True
    for _ in range(23):
        clock.pass_seconds(3600)
        assert await keys.key("old", "ES256") is OLD
        await settle()
    clock.pass_seconds(3600)
    with pytest.raises(Unavailable) as refusal:
        await keys.key("old", "ES256")
    source.failing = False
    clock.pass_seconds(jwks.RETRY_AFTER)

    assert refusal.value.retry_after
    assert await keys.key("old", "ES256") is OLD


async def test_while_the_issuer_fails_an_unknown_name_is_not_now_and_never_not_you(keys, source, clock) -> None:
    await keys.key("old", "ES256")
    source.failing = True
    with pytest.raises(Unavailable):
        await keys.key("new", "ES256")
    source.failing, source.keys = False, (OLD, NEW)
    clock.pass_seconds(jwks.SEEK_AFTER)

    assert await keys.key("new", "ES256") is NEW


async def test_an_issuer_that_was_never_there_is_asked_now_and_then_and_served_when_it_comes(keys, source, clock) -> None:
    source.failing = True
    keys.start()
    await settle()
    for _ in range(50):
        with pytest.raises(Unavailable):
            await keys.key("old", "ES256")
    at_once = source.fetches
    clock.pass_seconds(jwks.RETRY_AFTER)
    with pytest.raises(Unavailable):
        await keys.key("old", "ES256")
    later, source.failing = source.fetches, False
    clock.pass_seconds(jwks.RETRY_AFTER)

    assert (at_once, later) == (1, 2)
    assert await keys.key("old", "ES256") is OLD


async def test_calls_that_wait_are_bounded_in_number_and_in_time(keys, source) -> None:
    source.answering.clear()
    keys.start()
    await settle()
    waiting = [asyncio.create_task(keys.key("old", "ES256")) for _ in range(jwks.WAITING)]
    await settle()
    with pytest.raises(Unavailable):  # at once
        await keys.key("old", "ES256")
    source.answering.set()

    assert set(map(id, await asyncio.gather(*waiting))) == {id(OLD)}


async def test_without_a_name_the_only_able_key_is_meant_and_of_several_none(keys, source) -> None:
    only = await keys.key(None, "ES256")
    source.keys = (OLD, NEW)
    await keys.key("new", "ES256")

    assert only is OLD
    assert await keys.key(None, "ES256") is None
    assert await keys.key("old", "RS256") is None


async def test_closing_ends_a_fetch_that_hangs(source, clock) -> None:
    keys = IssuerKeys("entra", source, clock)
    source.answering.clear()
    keys.start()
    await settle()
    async with asyncio.timeout(2):
        await keys.close()


async def test_whatever_a_source_raises_calls_go_on(clock) -> None:
    class Broken(Source):
        async def fetch(self) -> Published:
            raise RuntimeError("never expected")

    keys = IssuerKeys("entra", Broken(), clock)
    with pytest.raises(Unavailable):
        await keys.key("old", "ES256")
    await keys.close()
