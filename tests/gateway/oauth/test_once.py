"""Of all who use a thing that may be used once, in every process, one is the first."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator

import pytest
from redis import Redis
from redis.exceptions import ConnectionError
from sqlalchemy import func, select

from gateway.oauth.once import Once, OnceHere, OnceInDatabase, OnceInRedis, once_for, used_once
from kernel.db import Database
from kernel.problem import Shedding, Unavailable

REDIS = os.environ.get("TRIVIUM_TEST_REDIS", "redis://127.0.0.1:6379/9")


@pytest.fixture
def redis_url() -> str:
    with Redis.from_url(REDIS, socket_connect_timeout=1) as redis:
        try:
            redis.ping()
        except ConnectionError:
            pytest.skip("no Redis at TRIVIUM_TEST_REDIS")
    return REDIS


@pytest.fixture(params=["here", "database", pytest.param("redis", marks=pytest.mark.redis)])
async def processes(request: pytest.FixtureRequest, clock, database: Database) -> AsyncIterator[list[Once]]:
    """Two processes of one deployment; of the memory in a process there is only one."""
    match request.param:
        case "here":
            one = OnceHere(clock)
            made: list[Once] = [one, one]
        case "database":
            made = [OnceInDatabase(database, clock), OnceInDatabase(database, clock)]
        case _:
            url = request.getfixturevalue("redis_url")
            made = [OnceInRedis(url), OnceInRedis(url)]
    yield made
    for one in made:
        await one.close()


async def test_the_second_use_is_told_apart_in_any_process_and_other_names_are_not_touched(processes) -> None:
    here, there = processes
    name = secrets.token_hex()

    assert [await here.first(name, 60), await here.first(name, 60), await there.first(name, 60)] == [True, False, False]
    assert await there.first(name + "'; --", 60)


async def test_of_many_at_once_one_is_the_first(processes) -> None:
    name = secrets.token_hex()
    answers = await asyncio.gather(*(processes[n % 2].first(name, 60) for n in range(20)))

    assert sum(answers) == 1


async def test_memory_here_forgets_what_has_ended_and_refuses_more_than_it_can_hold(clock) -> None:
    once = OnceHere(clock, cap=3)
    for name in "abc":
        assert await once.first(name, 60)
    with pytest.raises(Shedding):
        await once.first("d", 60)
    remembered = await once.first("a", 60)
    clock.pass_seconds(60)

    assert not remembered
    assert [await once.first(name, 60) for name in "dad"] == [True, True, False]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_the_table_is_swept(database, clock) -> None:
    once = OnceInDatabase(database, clock)
    for n in range(5):
        await once.first(f"old {n}", 10)
    clock.pass_seconds(120)
    await once.first("new", 10)

    async with database.reading() as connection:
        count = (await connection.execute(select(func.count()).select_from(used_once))).scalar()
    assert count == 1


async def test_a_redis_that_does_not_answer_is_waited_for_shortly_and_lets_nothing_through() -> None:
    with socket.socket() as stalled:  # the connection is made, and nothing ever comes
        stalled.bind(("127.0.0.1", 0))
        stalled.listen()
        once = OnceInRedis(f"redis://127.0.0.1:{stalled.getsockname()[1]}/0", deadline=0.1)
        async with asyncio.timeout(5):
            with pytest.raises(Unavailable):
                await once.first("name", 60)
        await once.close()


async def test_a_redis_that_is_gone_lets_nothing_through_and_one_that_is_back_does(redis_url) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gone = OnceInRedis(f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
        with pytest.raises(Unavailable):
            await gone.first("name", 60)
        await gone.close()
    back = OnceInRedis(redis_url)

    assert await back.first(secrets.token_hex(), 60)
    await back.close()


async def test_a_database_that_fails_lets_nothing_through(tmp_path, clock) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'without-tables.sqlite'}")
    with pytest.raises(Unavailable):
        await OnceInDatabase(empty, clock).first("name", 60)
    await empty.close()


async def test_the_most_shared_place_there_is_is_taken(database, clock) -> None:
    redis = once_for(database, clock, REDIS)
    otherwise = once_for(database, clock, "")
    await redis.close()

    assert isinstance(redis, OnceInRedis)
    assert isinstance(otherwise, OnceHere if database.embedded else OnceInDatabase)
