"""A database that stalls costs refusals: nobody waits long, and no more than so many wait."""

import asyncio
from typing import Any

import pytest

from gateway.replays.work import Works
from kernel.problem import Unavailable


class Stalled:
    """A store whose transactions end when the test lets them."""

    def __init__(self) -> None:
        self.answers, self.begun = asyncio.Event(), 0

    async def __call__(self, work: Any) -> Any:
        self.begun += 1
        await self.answers.wait()
        return work(None)


async def test_a_caller_waits_a_moment_and_no_longer() -> None:
    works = Works(Stalled(), patience=0.01)  # type: ignore[arg-type]

    with pytest.raises(Unavailable) as told:
        await works.do(lambda _: 1)

    assert told.value.retry_after == 1
    assert "nothing was done" in told.value.detail


async def test_only_so_many_are_begun_and_the_others_refused_at_once() -> None:
    stalled = Stalled()
    works = Works(stalled, patience=0.01, most=3)  # type: ignore[arg-type]
    answers = await asyncio.gather(*(works.do(lambda _: 1) for _ in range(50)), return_exceptions=True)
    later = await asyncio.gather(*(works.do(lambda _: 1) for _ in range(50)), return_exceptions=True)

    assert {type(answer) for answer in (*answers, *later)} == {Unavailable}
    assert stalled.begun == 3


async def test_when_it_answers_again_so_do_we() -> None:
    stalled = Stalled()
    works = Works(stalled, patience=0.5, most=2)  # type: ignore[arg-type]
    stuck = [asyncio.create_task(works.do(lambda _: 1)) for _ in range(2)]
    await asyncio.sleep(0)
    stalled.answers.set()

    assert await asyncio.gather(*stuck) == [1, 1]
    assert await works.do(lambda _: 2) == 2


async def test_what_the_work_says_is_said() -> None:
    stalled = Stalled()
    stalled.answers.set()

    def work(_: Any) -> int:
        raise KeyError("mine")

    with pytest.raises(KeyError):
        await Works(stalled).do(work)  # type: ignore[arg-type]
