"""The budget of one process: never above its concurrency, in order, and nothing is lost to who gives up."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.clock import SystemClock
from kernel.problem import PlatformBusy
from kernel.settings import Budget
from system_apis.guard import LocalBudget
from tests.system_apis.guard.shop import OwnedClock


def budget(concurrency: int = 1, per_second: int = 1000, burst: int = 1000) -> LocalBudget:
    settings = Budget(concurrency=concurrency, per_second=per_second, burst=burst)
    return LocalBudget("shop", settings, SystemClock())


async def test_waiters_are_served_in_their_order() -> None:
    shared, order = budget(), list[int]()
    place = await shared.enter(1)

    async def wait(number: int) -> None:
        mine = await shared.enter(5)
        order.append(number)
        shared.leave(mine)

    waiters = [asyncio.create_task(wait(number)) for number in range(5)]
    await asyncio.sleep(0)
    shared.leave(place)
    await asyncio.gather(*waiters)

    assert order == [0, 1, 2, 3, 4]


async def test_nobody_overtakes_those_who_wait() -> None:
    shared = budget()
    place = await shared.enter(1)
    waiter = asyncio.create_task(shared.enter(5))
    await asyncio.sleep(0)

    shared.leave(place)
    late = asyncio.create_task(shared.enter(5))
    await waiter

    assert not late.done()
    shared.leave(0)
    await late


async def test_waiting_ends_with_the_deadline() -> None:
    shared = budget()
    await shared.enter(1)

    with pytest.raises(PlatformBusy, match="budget of shop") as refused:
        await shared.enter(0.01)
    assert refused.value.retry_after == 1


async def test_a_cancelled_waiter_gives_its_place_back_even_in_the_moment_it_is_granted() -> None:
    shared = budget()
    place = await shared.enter(1)
    waiter = asyncio.create_task(shared.enter(5))
    await asyncio.sleep(0)
    shared.leave(place)  # granted …
    waiter.cancel()  # … and given up in the same turn of the loop

    with pytest.raises(asyncio.CancelledError):
        await waiter
    await shared.enter(0.01)


async def test_calls_beyond_the_burst_begin_at_the_rate() -> None:
    shared, clock = budget(concurrency=100, per_second=200, burst=5), SystemClock()
    began = clock.monotonic()

    await asyncio.gather(*(shared.enter(5) for _ in range(25)))

    assert clock.monotonic() - began >= 19 / 200


async def test_tokens_pile_up_to_the_burst_only(clock: OwnedClock) -> None:
    shared = LocalBudget("shop", Budget(concurrency=100, per_second=10, burst=3), clock)
    clock.seconds += 60

    for _ in range(3):
        await shared.enter(0.01)

    with pytest.raises(PlatformBusy):
        await shared.enter(0.01)


@given(concurrency=st.integers(1, 5), turns=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=40))
@settings(deadline=None, max_examples=50)
def test_any_coming_going_and_giving_up_stays_within_the_concurrency(concurrency: int, turns: list[tuple[int, bool]]) -> None:
    async def run() -> tuple[int, int]:
        shared, now, most = budget(concurrency), 0, 0

        async def call(length: int) -> None:
            nonlocal now, most
            place = await shared.enter(5)
            now += 1
            most = max(most, now)
            try:
                for _ in range(length):
                    await asyncio.sleep(0)
            finally:
                now -= 1
                shared.leave(place)

        calls = []
        for length, gives_up in turns:
            calls.append(asyncio.create_task(call(length)))
            await asyncio.sleep(0)
            if gives_up:
                calls[len(calls) // 2].cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        for _ in range(concurrency):
            await shared.enter(0.01)  # every place came back
        return most, now

    most, now = asyncio.run(run())

    assert most <= concurrency
    assert now == 0
