"""Upstreams that serve the same: which one a call goes to, and whether it may go to another when that one fails."""

import asyncio
import random
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from time import monotonic

from gateway.deadline import Deadline
from gateway.upstreams.budget import RetryBudget
from gateway.upstreams.condition import Now
from gateway.upstreams.endpoint import Endpoint, endpoint
from gateway.upstreams.exchange import Exchange, Request, exchange
from gateway.upstreams.failures import BrokenOff, CallerLeft, Failure, Full, Garbled
from kernel.problem import BadPlatformAnswer, OutcomeUnknown, PlatformBusy, PlatformDown, PlatformTimeout, Problem
from kernel.sections.services import Connections, Ejection, Retries

PAUSE = 0.05  # seconds at most before a single upstream is tried again, times the attempts so far


@dataclass(frozen=True)
class Rules:
    """How upstreams are treated."""

    retries: Retries = field(default_factory=Retries)
    ejection: Ejection = field(default_factory=Ejection)
    connections: Connections = field(default_factory=Connections)
    least: bool = False  # of two at random the one with fewer calls under way; else each in turn
    failing: frozenset[int] = frozenset({502, 503, 504})  # statuses that speak against an upstream


class Cluster:
    """`name`: what callers are told about. Opens connections when they are needed; `close` ends those that are idle."""

    def __init__(
        self, name: str, urls: Sequence[str], rules: Rules, *, now: Now = monotonic, tls: ssl.SSLContext | None = None
    ) -> None:
        self.name, self.rules = name, rules
        self.endpoints = [endpoint(url, rules.connections, rules.ejection, now, tls) for url in urls]
        self._budget = RetryBudget(rules.retries.budget, rules.retries.per_second, now)
        self._turn = 0
        self.repeated = 0

    def close(self) -> None:
        for each in self.endpoints:
            each.pool.close()

    async def exchange(self, request: Request, seconds: float) -> Exchange:
        """An answer's beginning. `seconds`: for all attempts together; where a body is uploaded, from its end on.

        Raises PlatformDown and PlatformBusy (nothing was sent), OutcomeUnknown, PlatformTimeout, BadPlatformAnswer.
        """
        self._budget.call()
        tried: list[Endpoint] = []
        try:
            if request.upload is not None:
                return await self._attempts(request, seconds, tried)
            with Deadline(seconds):
                return await self._attempts(request, seconds, tried)
        except TimeoutError:
            if tried:
                self.failed(tried[-1])
            raise self._late(seconds) from None

    async def _attempts(self, request: Request, seconds: float, tried: list[Endpoint]) -> Exchange:
        while True:
            chosen = self.choose(tried)
            tried.append(chosen)
            try:
                begun = await self._attempt(chosen, request, seconds)
            except (Failure, TimeoutError) as failure:
                if isinstance(failure, CallerLeft) or not self._again(request, failure, tried):
                    raise self._problem(failure, seconds) from None
            else:
                if begun.head.status not in self.rules.failing:
                    chosen.answered += 1
                    chosen.condition.succeeded()
                    return begun
                self.failed(chosen)
                if begun.head.status not in self.rules.retries.statuses or not self._worth_it(request, begun, tried):
                    return begun
                begun.end()
            self.repeated += 1
            if len(self.endpoints) == 1:
                await asyncio.sleep(random.random() * PAUSE * len(tried))

    async def _attempt(self, chosen: Endpoint, request: Request, seconds: float) -> Exchange:
        chosen.condition.begin()
        within = self.rules.retries.within
        try:
            if within is None or request.upload is not None or within >= seconds:
                return await exchange(chosen, request, seconds)
            with Deadline(within):
                return await exchange(chosen, request, seconds)
        except (BrokenOff, Garbled, TimeoutError):
            self.failed(chosen)
            raise
        except Failure as failure:
            if isinstance(failure, Full | CallerLeft):
                chosen.condition.abandoned()
            else:
                self.failed(chosen)
            raise
        except BaseException:
            chosen.condition.abandoned()
            raise

    def choose(self, tried: Sequence[Endpoint] = ()) -> Endpoint:
        """Raises PlatformDown when every upstream is left alone for now."""
        found = [each for each in self.endpoints if each.condition.preferred]
        found = found or [each for each in self.endpoints if each.condition.possible]
        if not found:
            alone = ceil(min(each.condition.alone_for for each in self.endpoints)) or 1
            raise PlatformDown(f"{self.name} failed too often and is left alone", system=self.name, retry_after=alone)
        if len(found) == 1:
            return found[0]
        found = [each for each in found if each not in tried] or found
        if self.rules.least and len(found) > 1:
            one, other = random.sample(found, 2)
            return one if one.under_way <= other.under_way else other
        self._turn += 1
        return found[self._turn % len(found)]

    def _again(self, request: Request, failure: Exception, tried: Sequence[Endpoint]) -> bool:
        sent = not isinstance(failure, Failure) or failure.sent
        return (not sent or request.repeatable) and len(tried) < self.rules.retries.attempts and self._budget.take()

    def _worth_it(self, request: Request, begun: Exchange, tried: Sequence[Endpoint]) -> bool:
        """An upstream that says when to come again is not asked before."""
        return all(name != b"retry-after" for name, _ in begun.head.headers) and self._again(request, TimeoutError(), tried)

    def failed(self, at: Endpoint) -> None:
        """A call that had been sent there ended badly."""
        at.failed += 1
        at.condition.failed(others=any(each.condition.preferred for each in self.endpoints if each is not at))

    def _problem(self, failure: Exception, seconds: float) -> Problem:
        match failure:
            case Full():
                return PlatformBusy(f"{self.name} is busy: {failure}", system=self.name, retry_after=1)
            case Garbled():
                return BadPlatformAnswer(f"{self.name} answered unintelligibly: {failure}", system=self.name)
            case BrokenOff():
                return OutcomeUnknown(f"{self.name} broke off before it answered", system=self.name)
            case TimeoutError():
                return self._late(min(seconds, self.rules.retries.within or seconds))
            case CallerLeft():
                return OutcomeUnknown("the caller left in the middle of the body")
        return PlatformDown(f"{self.name} cannot be reached", system=self.name)

    def _late(self, seconds: float) -> PlatformTimeout:
        return PlatformTimeout(f"{self.name} did not answer within {seconds:g} s", system=self.name)
