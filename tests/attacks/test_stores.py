"""A Redis that stalls, dies or was never there: few calls wait for it, and briefly; each limit does as it says; it recovers."""

import asyncio
import os
import tracemalloc
import uuid
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import RedisStore, redis_store
from kernel.sections.limits import Limits
from kernel.settings import Settings
from tests.gateway.limits.proxy import Proxy, proxied

pytestmark = pytest.mark.redis
REDIS = os.environ.get("TRIVIUM_TEST_REDIS", "redis://127.0.0.1:6379/9")
ORDERS = "/process/orders/v1/orders"
PATIENCE = 0.05
FAULTS = ("stalled", "cut")


@pytest.fixture
async def way() -> AsyncIterator[tuple[Proxy, RedisStore]]:
    client = Redis.from_url(REDIS)
    try:
        await client.ping()
    except RedisError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Redis at {REDIS}")
    finally:
        await client.aclose()
    async with proxied(REDIS) as (proxy, url):
        store = redis_store(url, patience=PATIENCE)
        yield proxy, store
        await store.close()


@pytest.fixture
def open_house(build: Any, clock: Any) -> Any:
    """A door whose limits are counted behind the proxy, for a client nobody has heard of."""

    def opened(store: RedisStore, outage: Any = "local", waiting: int = 256) -> Any:
        settings = Settings.model_construct(limits=Limits(outage=outage, processes=2))
        limiter = Limiter(store, clock=clock, patience=PATIENCE, waiting=waiting)
        house = build(limiter=limiter, means={"settings": settings})
        house.caller = type(house.caller)(uuid.uuid4().hex, "acme", frozenset({"orders:read", "orders:write"}))
        return house

    return opened


async def fail(proxy: Proxy, fault: str) -> None:
    if fault == "stalled":
        proxy.stalled = True
    else:
        await proxy.cut()


async def recover(proxy: Proxy, fault: str) -> None:
    if fault == "stalled":
        proxy.stalled = False
    else:
        await proxy.open()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("outage", "statuses"), [("deny", [503] * 4), ("allow", [200] * 4), ("local", [200, 429, 429, 429])])
async def test_each_way_of_living_without_it_does_what_it_says(
    way: tuple[Proxy, RedisStore], open_house: Any, fault: str, outage: str, statuses: list[int]
) -> None:
    proxy, store = way
    house = open_house(store, outage)
    before = await house.ask("GET", ORDERS)
    await fail(proxy, fault)
    answers = [await house.submit({"quote": "q"}) for _ in range(4)]  # granted: 3; this process's share: 1

    assert (before.status, before.headers["ratelimit"].split(";")[1]) == (200, "r=99")
    assert [answer.status for answer in answers] == statuses
    assert {answer.headers.get("retry-after") is not None for answer in answers if answer.status != 200} <= {True}
    assert ["ratelimit" in answer.headers for answer in answers] == [outage == "local"] * 4


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_first_calls_wait_no_longer_than_their_patience_and_the_others_not_at_all(
    way: tuple[Proxy, RedisStore], open_house: Any, fault: str
) -> None:
    proxy, store = way
    house = open_house(store, "allow")
    await house.ask("GET", ORDERS)
    await fail(proxy, fault)
    begun = perf_counter()
    await asyncio.gather(*(house.ask("GET", ORDERS) for _ in range(100)))
    together = perf_counter() - begun
    begun = perf_counter()
    for _ in range(100):
        await house.ask("GET", ORDERS)

    assert together < 20 * PATIENCE
    assert perf_counter() - begun < 20 * PATIENCE  # 100 × patience if each had waited


async def counted_again(house: Any, clock: Any) -> Any:
    """The first call that is counted; each rest that is over has one call try."""
    for _ in range(20):
        clock.pass_seconds(1.5)
        answer = await house.submit({"quote": "q"})
        if "ratelimit" in answer.headers:
            return answer
    raise AssertionError("it was back, and nobody noticed")


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_was_counted_before_counts_again_when_it_is_back(
    way: tuple[Proxy, RedisStore], open_house: Any, clock: Any, fault: str
) -> None:
    proxy, store = way
    house = open_house(store, "allow")
    granted = [(await house.submit({"quote": "q"})).status for _ in range(2)]
    await fail(proxy, fault)
    uncounted = [(await house.submit({"quote": "q"})).status for _ in range(5)]
    await recover(proxy, fault)
    resting = await house.submit({"quote": "q"})
    back = await counted_again(house, clock)
    last = await house.submit({"quote": "q"})

    assert granted == [200] * 2
    assert uncounted == [200] * 5
    assert "ratelimit" not in resting.headers
    assert (back.status, back.headers["ratelimit"].split(";")[1]) == (200, "r=0")
    assert last.status == 429


async def test_a_redis_that_was_never_there_does_not_keep_the_door_from_opening(open_house: Any) -> None:
    store = redis_store("redis://127.0.0.1:1", patience=PATIENCE)
    answers = [await open_house(store, outage).ask("GET", ORDERS) for outage in ("deny", "allow", "local")]
    await store.close()

    assert [answer.status for answer in answers] == [503, 200, 200]


async def test_a_redis_that_accepts_and_never_signs_in_is_borne_like_a_stalled_one(
    way: tuple[Proxy, RedisStore], open_house: Any
) -> None:
    proxy, store = way
    proxy.stalled = True
    house = open_house(store, "allow")
    begun = perf_counter()
    statuses = [(await house.ask("GET", ORDERS)).status for _ in range(50)]

    assert statuses == [200] * 50
    assert perf_counter() - begun < 20 * PATIENCE


async def test_what_is_held_for_a_stalled_redis_is_bounded(way: tuple[Proxy, RedisStore], open_house: Any, clock: Any) -> None:
    proxy, store = way
    house = open_house(store, "allow", waiting=8)
    await house.ask("GET", ORDERS)
    proxy.stalled = True

    async def ask_much() -> int:
        for _ in range(20):
            clock.pass_seconds(1.5)  # the rest is over: it is tried again and again
            await asyncio.gather(*(house.ask("GET", ORDERS) for _ in range(20)))
        house.echo.scopes.clear()
        house.echo.bodies.clear()
        house.log.start()
        house.log.stop()  # writes what it holds
        house.lines.clear()
        house.registry.get_sample_value("trivium_requests_total")  # counts what it holds
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        warm, *later = [await ask_much() for _ in range(3)]
    finally:
        tracemalloc.stop()

    assert max(later) - warm < 200_000  # bytes; a call that stayed behind holds some 10,000
    assert len(asyncio.all_tasks()) < 10
