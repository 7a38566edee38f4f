"""However many ask at once, the quota is what is admitted; and a store that is away has a stated effect."""

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest

from gateway.limits.allowance import Allowance
from gateway.limits.charge import Charge
from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import StoreAway
from gateway.pipeline import Limit
from kernel.problem import Shedding

BURST = Limit("burst", 10, 60)
PARALLEL = Limit("parallel", 3, kind="concurrent")


async def admitted(limiter: Limiter, client: str, *limits: Limit, times: int, processes: int = 1) -> int:
    allowance = Allowance("op", limits, processes)
    charges = await asyncio.gather(*(limiter.spend(client, allowance) for _ in range(times)))
    return sum(not charge.refused for charge in charges)


async def test_exactly_the_quota_is_admitted_of_many_at_once(limiter: Limiter) -> None:
    assert await admitted(limiter, uuid.uuid4().hex, BURST, times=60) == 10


async def test_of_several_limits_the_tightest_decides_and_the_others_lose_nothing(limiter: Limiter) -> None:
    client, daily = uuid.uuid4().hex, Limit("daily", 3, kind="day")

    assert await admitted(limiter, client, BURST, daily, times=8) == 3
    assert await admitted(limiter, client, BURST, times=20) == 7


async def test_calls_under_way_make_room_when_they_end(limiter: Limiter) -> None:
    client, allowance = uuid.uuid4().hex, Allowance("op", (PARALLEL,))
    held = [charge for charge in [await limiter.spend(client, allowance) for _ in range(5)] if charge.release]
    for charge in held[:2]:
        charge.release()  # type: ignore[misc]

    assert len(held) == 3
    assert await admitted(limiter, client, PARALLEL, times=5) == 2


class Away:
    """A store that fails, or never answers, until it is back."""

    def __init__(self, *, stalled: bool = False) -> None:
        self.away, self.stalled, self.asked = True, stalled, 0

    async def charge(self, client: str, allowance: Allowance) -> Charge:
        self.asked += 1
        if self.away and self.stalled:
            await asyncio.Event().wait()
        if self.away:
            raise StoreAway
        return Charge([])


async def test_nobody_waits_for_a_store_that_has_just_failed(clock: Any) -> None:
    store = Away()
    limiter = Limiter(store, clock=clock)
    for _ in range(100):
        await limiter.spend("k", Allowance("op", (replace(BURST, outage="allow"),)))

    assert store.asked == 1
    assert limiter.tally.uncounted == 100


async def test_after_the_rest_one_call_tries_and_the_others_follow_once_it_was_answered(clock: Any) -> None:
    store = Away(stalled=True)
    limiter, allowance = Limiter(store, clock=clock, patience=0.05), Allowance("op", (replace(BURST, outage="allow"),))
    await limiter.spend("k", allowance)
    clock.pass_seconds(1.5)
    await asyncio.gather(*(limiter.spend("k", allowance) for _ in range(50)))
    tried = store.asked
    store.away = False
    clock.pass_seconds(1.5)
    back = [await limiter.spend("k", allowance) for _ in range(10)]

    assert tried == 2
    assert store.asked == 12
    assert not any(charge.uncounted for charge in back)


async def test_only_so_many_calls_wait_for_a_store(clock: Any) -> None:
    limiter = Limiter(Away(stalled=True), clock=clock, waiting=2, patience=0.3)
    calls = [asyncio.create_task(limiter.spend("k", Allowance("op", (BURST,)))) for _ in range(20)]
    done, pending = await asyncio.wait(calls, timeout=0.1)
    await asyncio.gather(*calls)

    assert (len(done), len(pending)) == (18, 2)


@pytest.mark.parametrize(
    "limit", [BURST, Limit("even", 10, 60, kind="gcra", burst=10), Limit("parallel", 10, kind="concurrent")], ids=lambda x: x.kind
)
async def test_locally_a_limit_is_this_process_s_share(clock: Any, limit: Limit) -> None:
    limiter = Limiter(Away(), clock=clock)

    assert await admitted(limiter, "k", replace(limit, outage="local"), times=10, processes=5) == 2


async def test_each_limit_does_as_it_says_while_the_store_is_away(clock: Any) -> None:
    limiter, allow, deny = Limiter(Away(), clock=clock), replace(BURST, outage="allow"), replace(BURST, outage="deny")
    allowed = await limiter.spend("k", Allowance("op", (allow,)))
    mixed = await limiter.spend("k", Allowance("op", (allow, replace(PARALLEL, outage="local"))))
    with pytest.raises(Shedding) as refused:
        await limiter.spend("k", Allowance("op", (BURST, deny)))

    assert (allowed.verdicts, allowed.refused, allowed.uncounted) == ([], False, True)
    assert [verdict.limit.policy for verdict in mixed.verdicts] == ["parallel"]
    assert refused.value.retry_after == 1


async def test_a_shadow_limit_denies_nobody_while_the_store_is_away(clock: Any) -> None:
    limiter = Limiter(Away(), clock=clock)
    watched = replace(PARALLEL, outage="deny", shadow=True)
    charge = await limiter.spend("k", Allowance("op", (replace(BURST, outage="local"), watched)))

    assert not charge.refused
