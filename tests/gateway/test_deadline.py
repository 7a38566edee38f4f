"""A deadline cancels what takes longer, leaves other cancellations alone, and can be lifted."""

import asyncio

import pytest

from gateway.deadline import Deadline


async def test_what_takes_longer_ends_in_a_timeout() -> None:
    with pytest.raises(TimeoutError), Deadline(0.01) as deadline:
        await asyncio.Event().wait()

    assert deadline.passed
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_what_is_quicker_is_left_alone() -> None:
    with Deadline(0.01) as deadline:
        pass
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.03)

    assert not deadline.passed


async def test_a_lifted_deadline_does_not_pass() -> None:
    with Deadline(0.01) as deadline:
        deadline.lift()
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.03)

    assert not deadline.passed


async def test_a_cancellation_from_outside_is_not_taken_for_a_timeout() -> None:
    async def work() -> None:
        with Deadline(5):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_of_two_deadlines_the_inner_one_is_told_apart() -> None:
    with Deadline(5) as outer:
        with pytest.raises(TimeoutError), Deadline(0.01):
            await asyncio.Event().wait()
        reached = True

    assert reached
    assert not outer.passed


async def test_an_error_of_the_block_s_own_passes_through() -> None:
    with pytest.raises(KeyError), Deadline(5):
        raise KeyError("own")
