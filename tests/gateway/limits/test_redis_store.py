"""On Redis: one round trip a check, one count whoever asks, and calls of a process that died do not count for ever."""

import asyncio
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.crc import key_slot

from gateway.limits.allowance import Allowance
from gateway.limits.charge import Charge
from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import RedisStore, StoreAway
from gateway.limits.wire import hash_tag
from gateway.pipeline import Limit
from tests.gateway.limits.conftest import REDIS, Open
from tests.gateway.limits.proxy import proxied

pytestmark = pytest.mark.redis
SEVERAL = Allowance(
    "op",
    (
        Limit("burst", 1000, 60), Limit("even", 1000, 60, kind="gcra", burst=100), Limit("daily", 1000, kind="day", per="client"),
        Limit("parallel", 1000, kind="concurrent"), Limit("all", 1000, kind="concurrent", per="client"),
    ),
)  # fmt: skip
PARALLEL = Allowance("op", (Limit("parallel", 2, kind="concurrent"),))
ROOT = Path(__file__).parent.parent.parent.parent


async def settled(store: RedisStore) -> None:
    """What was asked of the store before is done when this is: orders are kept."""
    await store.charge(uuid.uuid4().hex, SEVERAL)


async def test_all_limits_of_a_call_are_one_command_and_one_round_trip(shared: Open) -> None:
    async with proxied(REDIS) as (proxy, url):
        store = shared(url)
        await store.charge("warm", SEVERAL)
        proxy.exchanges.clear()
        charges = [await store.charge("acme", SEVERAL) for _ in range(3)]

        assert [len(charge.verdicts) for charge in charges] == [5, 5, 5]
        assert [exchange.count(b"EVALSHA") for exchange in proxy.exchanges] == [1, 1, 1]
        assert [exchange.count(b"\r\n*") for exchange in proxy.exchanges] == [0, 0, 0]  # and nothing beside it
        assert proxy.opened == 1


async def test_checks_that_come_together_share_their_round_trips(shared: Open) -> None:
    async with proxied(REDIS) as (proxy, url):
        store = shared(url)
        await store.charge("warm", SEVERAL)
        proxy.exchanges.clear()
        await asyncio.gather(*(store.charge("acme", SEVERAL) for _ in range(60)))

        assert sum(exchange.count(b"EVALSHA") for exchange in proxy.exchanges) == 60
        assert len(proxy.exchanges) == 1
        assert proxy.opened == 1


@pytest.mark.parametrize("client", ["acme", "a}b", "{a}", "}", "%7D", "issuer|a:b/c", "ü"])
def test_every_key_of_a_call_is_in_one_slot_of_a_cluster(client: str) -> None:
    keys = SEVERAL.wire.keys(client)

    assert len(keys) == 4
    assert {key_slot(key) for key in keys} == {key_slot(hash_tag(client))}


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_two_clients_share_a_key(one: str, other: str) -> None:
    assert (hash_tag(one) == hash_tag(other)) == (one == other)


def test_processes_that_share_a_redis_share_the_quota(shared: Open) -> None:
    client, spender = uuid.uuid4().hex, ROOT / "tests/gateway/limits/spender.py"
    command = [sys.executable, str(spender), REDIS, client, "150"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}) for _ in range(4)]
    answers = [process.communicate(timeout=60)[0].split() for process in running]

    assert sum(int(admitted) for admitted, _ in answers) == 250  # the tightest of four limits
    assert {uncounted for _, uncounted in answers} == {"0"}


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    quotas=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    calls=st.lists(st.integers(0, 12), min_size=2, max_size=4),
    kinds=st.permutations(("sliding", "gcra", "day", "concurrent")),
)
async def test_however_processes_interleave_no_more_is_admitted_than_the_tightest_limit(
    shared: Open, clock: Any, quotas: list[int], calls: list[int], kinds: list[str]
) -> None:
    limits = tuple(
        Limit(kind, quota, 3600 if kind in ("sliding", "gcra") else 0, kind=kind, burst=quota if kind == "gcra" else 0)
        for quota, kind in zip(quotas, kinds, strict=False)
    )
    client, allowance = uuid.uuid4().hex, Allowance("op", limits)
    stores = [shared(clock=clock) for _ in calls]
    asked = [store.charge(client, allowance) for store, count in zip(stores, calls, strict=True) for _ in range(count)]
    admitted = sum(not charge.refused for charge in await asyncio.gather(*asked))
    for store in stores:
        await store.close()

    assert admitted == min(sum(calls), *quotas)


async def test_a_redis_that_lost_its_scripts_gets_them_again_within_the_check(shared: Open) -> None:
    store, client = shared(), Redis.from_url(REDIS)
    await settled(store)
    await client.script_flush()
    await client.aclose()
    charges = await asyncio.gather(*(store.charge("scripts" + uuid.uuid4().hex, SEVERAL) for _ in range(3)))

    assert [charge.refused for charge in charges] == [False] * 3


async def test_what_redis_refuses_to_do_is_a_store_that_is_away(shared: Open) -> None:
    store, name, client = shared(), uuid.uuid4().hex, Redis.from_url(REDIS)
    await client.set(SEVERAL.wire.keys(name)[0], "not a hash", ex=60)
    await client.aclose()
    with pytest.raises(StoreAway):
        await store.charge(name, SEVERAL)

    assert not (await store.charge(uuid.uuid4().hex, SEVERAL)).refused


async def test_the_calls_of_a_process_that_died_lapse(shared: Open, clock: Any) -> None:
    client, dead, alive = uuid.uuid4().hex, shared(clock=clock, lease=30), shared(clock=clock, lease=30)
    for _ in range(2):
        await dead.charge(client, PARALLEL)
    before = await alive.charge(client, PARALLEL)
    clock.pass_seconds(31)
    after = await alive.charge(client, PARALLEL)

    assert (before.refused, after.refused) == (True, False)


async def test_a_call_that_takes_long_is_counted_for_as_long_as_it_takes(shared: Open) -> None:
    client, store = uuid.uuid4().hex, shared(lease=0.3)
    held = await store.charge(client, PARALLEL)
    second = await store.charge(client, PARALLEL)
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=1.0)  # three leases' length
    still = await store.charge(client, PARALLEL)
    for charge in (held, second):
        assert charge.release is not None
        charge.release()

    assert still.refused
    assert not (await store.charge(client, PARALLEL)).refused


async def test_a_call_that_left_while_it_was_counted_gives_its_place_back(shared: Open) -> None:
    async with proxied(REDIS) as (_, url):
        client, store = uuid.uuid4().hex, shared(url)
        await settled(store)
        for _ in range(10):
            leaving = asyncio.create_task(store.charge(client, PARALLEL))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.wait([leaving])
        await settled(store)
        charges = [await store.charge(client, PARALLEL) for _ in range(2)]

        assert [charge.refused for charge in charges] == [False, False]


async def test_without_a_clock_of_ours_redis_has_the_time_and_clocks_of_processes_may_differ(shared: Open, clock: Any) -> None:
    client, allowance = uuid.uuid4().hex, Allowance("op", (Limit("burst", 5, 3600), Limit("daily", 4, kind="day")))
    ahead, behind = Limiter(shared(), clock=clock, patience=5), Limiter(shared(), patience=5)
    clock.pass_seconds(7200)
    charges = [await limiter.spend(client, allowance) for _ in range(3) for limiter in (ahead, behind)]

    assert [charge.refused for charge in charges] == [False] * 4 + [True] * 2


async def test_keys_do_not_outlive_what_they_count(shared: Open) -> None:
    name, store, client = uuid.uuid4().hex, shared(), Redis.from_url(REDIS)
    charge: Charge = await store.charge(name, SEVERAL)
    lives = [await client.ttl(key) for key in SEVERAL.wire.keys(name)]
    assert charge.release is not None
    charge.release()
    await settled(store)
    left = [await client.exists(key) for key in SEVERAL.wire.keys(name)]
    await client.aclose()

    assert all(0 < life <= 2 * 86_400 + 60 for life in lives)
    assert left == [1, 1, 0, 0]
