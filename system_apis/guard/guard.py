"""The guard: every call to a platform passes it, compiled at start from the effects that the port declares.

Reads and sets are repeated when a problem is retryable; creates follow the in-doubt protocol of `create`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast, get_type_hints

from contracts.models.base import Model
from contracts.ports.effects import Capability, Creates, effects
from kernel import settings
from kernel.clock import Clock, SystemClock
from kernel.problem import Problem
from system_apis.guard.attempt import Line, attempting
from system_apis.guard.breaker import Breaker
from system_apis.guard.budget import Budget
from system_apis.guard.claim import Claim
from system_apis.guard.create import Create, Desk
from system_apis.guard.journal import Journal
from system_apis.guard.look_up import LookUp, Sleep
from system_apis.guard.outbound_write import State
from system_apis.guard.retry import Retries

P = ParamSpec("P")
R = TypeVar("R")
Port = TypeVar("Port")


class NoCapability(TypeError):
    """A connector does not say how one of its creates can be repeated; it must not start."""


class Guard:
    """One per connection and process. `dice` answers evenly from [0, 1), for the jitter of pauses."""

    def __init__(
        self,
        connection: settings.Connection,
        *,
        budget: Budget,
        journal: Journal,
        breaker: Breaker | None = None,
        clock: Clock = SystemClock(),
        sleep: Sleep = asyncio.sleep,
        dice: Callable[[], float] = random.random,
        grace: float = 2.0,
    ) -> None:
        patience = connection.patience
        self.breaker = breaker or Breaker(connection.id, patience, clock)
        self._deadline, self._clock, self._sleep = patience.deadline, clock, sleep
        self._retries = Retries(patience, self.breaker, clock, dice)
        self._line = Line(connection.vendor, connection.id, self.breaker, budget, clock)
        self._desk = Desk(connection.id, journal, self._retries, clock, sleep, patience.deadline, grace)

    def bind(self, port: type[Port], implementation: Port, capabilities: Mapping[str, Capability]) -> Port:
        """The port again, each method guarded as its mark says. Raises NoCapability, or TypeError for an incomplete connector."""
        bound = type(f"Guarded{port.__name__}", (), {})()
        for name, effect in effects(port).items():
            method = getattr(implementation, name, None)
            if method is None:
                raise TypeError(f"{self._line.connection}: {type(implementation).__name__} lacks {name} of {port.__name__}")
            if isinstance(effect, Creates):
                guarded = self._create(port, name, effect, method, capabilities.get(name), bound)
            else:
                guarded = self._repeatable(name, method)
            setattr(bound, name, guarded)
        return cast(Port, bound)

    def _repeatable(self, operation: str, method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        attempt = attempting(self._line, operation, method)
        retries, monotonic, sleep, deadline = self._retries, self._clock.monotonic, self._sleep, self._deadline

        async def call(*args: P.args, **kwargs: P.kwargs) -> R:
            ends = monotonic() + deadline
            retries.called()
            number = 1
            while True:
                try:
                    return await attempt(number, ends, *args, **kwargs)
                except Problem as problem:
                    pause = retries.pause_before_next(problem, number, ends)
                    if pause is None:
                        raise
                await sleep(pause)
                number += 1

        return call

    def _create(
        self,
        port: type[Any],
        name: str,
        effect: Creates,
        method: Callable[[Model, str], Awaitable[Model]],
        capability: Capability | None,
        bound: object,
    ) -> Callable[[Model, str], Awaitable[Model]]:
        operation = f"{port.__name__.lower()}.{name}"  # two ports of one connection may share a method's name
        if capability is None:
            raise NoCapability(f"{self._line.connection}: say in the connector's capabilities how {name} can be repeated")

        async def send(claim: Claim, new: Model) -> Model:
            claim.state = State.SENT
            return await method(new, claim.platform_key)

        async def find(new: Model) -> Model | None:
            return await effect.found_by(bound, new)

        attempt = attempting(self._line, name, send)
        look_up = LookUp(find, capability, self._clock, self._sleep)
        create = Create(self._desk, operation, attempt, look_up, _answer(port, name), effect.keep_existing)

        async def call(new: Model, idempotency_key: str) -> Model:
            return await create(new, idempotency_key)

        return call


def _answer(port: type[Any], name: str) -> type[Model]:
    answer = get_type_hints(getattr(port, name)).get("return")
    if not (isinstance(answer, type) and issubclass(answer, Model)):
        raise TypeError(f"{port.__name__}.{name}: a create answers a model")
    return answer
