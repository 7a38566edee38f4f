"""One attempt at a platform: admitted by the breaker, within the budget, in time, and watched."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from kernel.clock import Clock
from kernel.problem import PlatformTimeout
from system_apis.guard.breaker import Breaker, Verdict, verdict
from system_apis.guard.budget import Budget, no_place
from system_apis.guard.telemetry import Watch

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Line:
    """What all operations of one connection share."""

    vendor: str
    connection: str
    breaker: Breaker
    budget: Budget
    clock: Clock


def attempting(
    line: Line, operation: str, method: Callable[P, Awaitable[R]]
) -> Callable[Concatenate[int, float, P], Awaitable[R]]:
    """The method with two more arguments in front: the attempt's number, and the monotonic time by which it must be over.

    Raises PlatformDown (breaker open) or PlatformBusy (no place in time) with nothing sent, PlatformTimeout when the time is
    over under way, and whatever the method raises.
    """
    breaker, budget, monotonic = line.breaker, line.budget, line.clock.monotonic
    watch = Watch(line.vendor, line.connection, operation, line.clock)

    async def in_time(ends: float, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            async with asyncio.timeout(ends - monotonic()):
                return await method(*args, **kwargs)
        except TimeoutError:
            detail = f"{line.connection} did not answer {operation} in time"
            raise PlatformTimeout(detail, system=line.connection) from None

    async def attempt(number: int, ends: float, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with watch.attempt(number):
            ticket, result = breaker.admit(), Verdict.NOTHING
            try:
                place = await budget.enter(ends - monotonic())
                try:
                    if monotonic() >= ends:  # a late send could meet whoever took the work over
                        raise no_place(line.connection)
                    result = Verdict.ANSWERED
                    return await in_time(ends, *args, **kwargs)
                finally:
                    budget.leave(place)
            except BaseException as error:
                if result is Verdict.ANSWERED:
                    result = verdict(error)
                raise
            finally:
                breaker.settle(ticket, result)

    return attempt
