"""Connections to one address: never more than allowed, none lost, and a line that is served in its order."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstreams.connection import Connection
from gateway.upstreams.failures import Full, Unreachable
from gateway.upstreams.pool import Pool


class FakeConnection:
    def __init__(self) -> None:
        self.fit, self.closed, self.idle_since = True, False, 0.0

    def close(self) -> None:
        self.fit, self.closed = False, True


class Maker:
    """Opens connections, or fails to."""

    def __init__(self) -> None:
        self.made: list[FakeConnection] = []
        self.failing = False

    async def __call__(self) -> Connection:
        await asyncio.sleep(0)
        if self.failing:
            raise Unreachable("refused")
        self.made.append(FakeConnection())
        return cast(Connection, self.made[-1])

    @property
    def open(self) -> int:
        return sum(not each.closed for each in self.made)


@pytest.fixture
def maker() -> Maker:
    return Maker()


def pool_of(maker: Maker, *, most: int = 2, waiting: int = 10, keep: float = 60.0) -> Pool:
    return Pool(maker, most=most, waiting=waiting, keep=keep)


async def test_a_connection_that_was_given_back_is_used_again(maker: Maker) -> None:
    pool = pool_of(maker)
    first = await pool.take()
    pool.give(first)

    assert await pool.take() is first
    pool.close()


async def test_the_one_used_last_is_used_first(maker: Maker) -> None:
    pool = pool_of(maker)
    one, two = await pool.take(), await pool.take()
    pool.give(one)
    pool.give(two)

    assert await pool.take() is two
    pool.close()


async def test_one_that_is_not_fit_is_closed_and_its_place_is_free(maker: Maker) -> None:
    pool = pool_of(maker, most=1)
    first = await pool.take()
    first.fit = False
    pool.give(first)

    assert await pool.take() is not first
    assert maker.made[0].closed


async def test_one_that_ended_while_it_was_idle_is_not_handed_out(maker: Maker) -> None:
    pool = pool_of(maker, most=1)
    first = await pool.take()
    pool.give(first)
    first.fit = False

    assert await pool.take() is not first


async def test_an_idle_one_is_kept_only_for_a_while(maker: Maker) -> None:
    pool = pool_of(maker, keep=0.01)
    pool.give(await pool.take())
    async with asyncio.timeout(5):
        while maker.open:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0.005)

    assert pool.open == 0


async def test_whoever_comes_too_many_waits_in_line(maker: Maker) -> None:
    pool = pool_of(maker, most=1)
    first = await pool.take()
    waiting = [asyncio.create_task(pool.take()) for _ in range(2)]
    await asyncio.sleep(0)
    pool.give(first)
    served = await waiting[0]
    pool.give(served)

    assert served is first
    assert await waiting[1] is first
    assert len(maker.made) == 1


async def test_the_line_has_an_end(maker: Maker) -> None:
    pool = pool_of(maker, most=1, waiting=1)
    await pool.take()
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)

    with pytest.raises(Full):
        await pool.take()
    waiting.cancel()
    await asyncio.wait({waiting})


async def test_whoever_stops_waiting_takes_nothing_along(maker: Maker) -> None:
    pool = pool_of(maker, most=1)
    first = await pool.take()
    left = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.give(first)  # in the same moment
    left.cancel()
    await asyncio.wait({left})

    assert await asyncio.wait_for(pool.take(), 1) is first


async def test_a_failure_to_open_gives_the_place_to_the_next(maker: Maker) -> None:
    pool = pool_of(maker, most=1)
    maker.failing = True
    tasks = [asyncio.create_task(pool.take()) for _ in range(3)]
    await asyncio.wait(tasks)

    assert all(isinstance(task.exception(), Unreachable) for task in tasks)
    assert pool.open == 0


async def test_a_closed_pool_keeps_nothing(maker: Maker) -> None:
    pool = pool_of(maker)
    one, two = await pool.take(), await pool.take()
    pool.give(one)
    pool.close()
    pool.give(two)

    assert maker.open == 0


STEPS = st.lists(st.sampled_from(["take", "give", "spoil", "cancel", "fail", "mend", "turn"]), max_size=60)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, most=st.integers(1, 3))
def test_never_more_than_allowed_and_none_is_lost(steps: list[str], most: int) -> None:
    asyncio.run(_lived(steps, most))


async def _lived(steps: list[str], most: int) -> None:
    maker = Maker()
    pool, held, waiting = pool_of(maker, most=most, waiting=3), list[Any](), list[asyncio.Task[Connection]]()
    for step in steps:
        match step:
            case "take":
                waiting.append(asyncio.create_task(pool.take()))
            case "give" | "spoil" if held:
                held[-1].fit = step == "give"
                pool.give(held.pop())
            case "cancel" if waiting:
                waiting.pop().cancel()
            case "fail" | "mend":
                maker.failing = step == "fail"
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        held += [task.result() for task in waiting if task.done() and not task.cancelled() and not task.exception()]
        waiting = [task for task in waiting if not task.done()]

        assert maker.open <= most
        assert len(held) == len({id(each) for each in held})
    maker.failing = False
    for task in waiting:
        task.cancel()
    for each in held:
        pool.give(each)
    again = [await asyncio.wait_for(pool.take(), 1) for _ in range(most)]
    pool.close()

    assert len(again) == most
