"""Whatever callers and clocks do, this process and Redis count as the reference does, and admit no more than the policy says."""

import asyncio
import os
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from redis import Redis
from redis.exceptions import RedisError

from gateway.limits.allowance import Allowance
from gateway.limits.charge import Charge
from gateway.limits.counting import SECOND, period
from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import redis_store
from gateway.pipeline import Limit
from tests.gateway.conftest import FakeClock
from tests.gateway.limits.conftest import REDIS
from tests.gateway.limits.reference import Reference, Said

COUNTS = st.integers(1, 6)
WINDOWS = st.integers(1, 5)
SHADOW = st.booleans() | st.just(False)


def named(policy: str, kind: str, **said: st.SearchStrategy[Any]) -> st.SearchStrategy[Limit]:
    return st.builds(Limit, st.just(policy), COUNTS, kind=st.just(kind), shadow=SHADOW, **said)


GCRA = st.tuples(COUNTS, COUNTS, WINDOWS).map(
    lambda said: Limit("even", max(said[:2]), said[2], kind="gcra", burst=min(said[:2]))
)
LIMITS = st.lists(
    st.one_of(
        named("burst", "sliding", window=WINDOWS), GCRA, named("daily", "day"), named("monthly", "month"),
        named("parallel", "concurrent"),
    ),
    min_size=1, max_size=4, unique_by=lambda limit: limit.policy,
).map(tuple)  # fmt: skip


class Counting(RuleBasedStateMachine):
    """One client calls, ends calls, and lives with a clock that is sometimes put back a little."""

    held: Bundle[Charge] = Bundle("held")
    shared = False

    @initialize(limits=LIMITS, day=st.integers(0, 400))
    def begin(self, limits: tuple[Limit, ...], day: int) -> None:
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.clock.pass_seconds(day * 86_400 + 43_200 - 5)  # five seconds before midnight
        self.store = redis_store(REDIS, patience=5, lease=10**8, clock=self.clock) if self.shared else None
        self.limiter = Limiter(self.store, clock=self.clock, patience=5)
        self.client, self.allowance = uuid.uuid4().hex, Allowance("op", limits)
        self.references = [Reference(limit, shared=self.shared) for limit in limits]

    @rule(target=held)
    def call(self) -> Charge:
        now = int(self.clock.now().timestamp() * SECOND)
        said = [reference.says(now) for reference in self.references]
        charge = self.runner.run(self._spend())
        refused = any(not admitted and not each.limit.shadow for each, (_, admitted, _, _) in self._with(said))
        told = [self._told(words, refused) for each, words in self._with(said) if not each.limit.shadow]

        assert [(v.limit.policy, v.admitted, v.remaining, v.reset) for v in charge.verdicts] == told
        assert charge.refused == refused
        assert [limit.policy for limit in charge.shadows] == [
            words[0] for each, words in self._with(said) if each.limit.shadow and not words[1]
        ]
        taken = [] if refused else [each for each, words in self._with(said) if words[1]]
        for reference in taken:
            reference.take()
        return charge

    async def _spend(self) -> Charge:
        return await self.limiter.spend(self.client, self.allowance)

    @rule(charge=consumes(held))
    def end(self, charge: Charge) -> None:
        if charge.release is None:
            return
        self.runner.run(self._end(charge))
        for reference in self.references:
            if reference.limit.kind == "concurrent" and reference.limit not in charge.shadows:
                reference.held -= 1

    async def _end(self, charge: Charge) -> None:
        assert charge.release is not None
        charge.release()
        if self.store is not None:  # orders are kept: when this was answered, the release was done
            await self.limiter.spend(uuid.uuid4().hex, self.allowance)

    @rule(milliseconds=st.one_of(st.integers(1, 1500), st.integers(1500, 20_000), st.just(86_400_000)))
    def wait(self, milliseconds: int) -> None:
        self.clock.pass_seconds(milliseconds / 1000)

    @rule(milliseconds=st.integers(1, 900))
    def clock_is_put_back(self, milliseconds: int) -> None:
        behind = max(reference.latest for reference in self.references) - int(self.clock.now().timestamp() * SECOND)
        if behind + milliseconds * 1000 < SECOND:  # no more than the shortest window
            self.clock.pass_seconds(-milliseconds / 1000)

    @invariant()
    def no_more_than_the_policy_says(self) -> None:
        for reference in getattr(self, "references", ()):
            limit, admitted = reference.limit, reference.admitted
            match limit.kind:
                case "concurrent":
                    assert reference.held <= limit.quota
                case "gcra":
                    stretches = [sum(begin <= at < begin + limit.window * SECOND for at in admitted) for begin in admitted]
                    assert max(stretches, default=0) <= limit.quota
                case _:
                    width = limit.window * SECOND
                    windows = [at // width if width else period(limit.kind, at) for at in admitted]
                    assert max(map(windows.count, windows), default=0) <= limit.quota

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            if self.store is not None:
                self.runner.run(self.store.close())
            self.runner.close()

    def _with(self, said: list[Said]) -> list[tuple[Reference, Said]]:
        return list(zip(self.references, said, strict=True))

    def _told(self, words: Said, refused: bool) -> Said:
        policy, admitted, remaining, reset = words
        return policy, admitted, remaining + 1 if refused and admitted else remaining, reset


class CountingOnRedis(Counting):
    shared = True


QUICK = settings(deadline=None, max_examples=60, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow])
TestCounting = Counting.TestCase
TestCounting.settings = settings(QUICK, max_examples=150)
TestCountingOnRedis = pytest.mark.redis(CountingOnRedis.TestCase)
TestCountingOnRedis.settings = QUICK


@pytest.fixture(autouse=True, scope="module")
def _redis() -> None:
    try:
        with Redis.from_url(REDIS) as client:
            client.ping()
    except RedisError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Redis at {REDIS}")
