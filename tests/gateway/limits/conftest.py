"""Counters in this process, and on a real Redis: what is said of the one holds for the other."""

import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import RedisStore, redis_store

REDIS = os.environ.get("TRIVIUM_TEST_REDIS", "redis://127.0.0.1:6379/9")
Open = Callable[..., RedisStore]


@pytest.fixture
async def shared() -> AsyncIterator[Open]:
    """Opens stores on the Redis, each like that of another process."""
    client = Redis.from_url(REDIS)
    try:
        await client.ping()
    except RedisError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Redis at {REDIS}")
    finally:
        await client.aclose()
    opened: list[RedisStore] = []

    def open_one(url: str = REDIS, **said: Any) -> RedisStore:
        opened.append(redis_store(url, **{"patience": 5.0, **said}))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture(params=["here", pytest.param("redis", marks=pytest.mark.redis)])
def limiter(request: pytest.FixtureRequest, clock: Any) -> Limiter:
    if request.param == "here":
        return Limiter(clock=clock)
    open_one: Open = request.getfixturevalue("shared")
    return Limiter(open_one(clock=clock), clock=clock, patience=5)
