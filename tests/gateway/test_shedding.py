"""The share that is refused follows the queue, comes from what matters least, and one slow step is no overload."""

import asyncio
import time
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from gateway.shedding import LARGEST_SHARE, Importance, Load, LoadMetrics, Probe
from kernel.problem import Shedding
from kernel.sections.shedding import Shedding as Settings

SETTINGS = Settings(target=0.02, interval=0.05, in_flight=100)


def offered(load: Load, importance: Importance, calls: int = 1000) -> int:
    """How many of so many calls, one after the other, are admitted."""
    admitted = 0
    for _ in range(calls):
        try:
            load.admit(importance)
        except Shedding:
            continue
        load.leave()
        admitted += 1
    return admitted


def overloaded(*intervals: float, **arrivals: int) -> Load:
    load = Load(SETTINGS)
    for delay in intervals:
        for name, calls in arrivals.items():
            offered(load, Importance[name.upper()], calls)
        load.observe(delay)
    return load


def test_the_share_grows_while_the_queue_stands_and_shrinks_when_it_drains() -> None:
    load, shares = Load(SETTINGS), []
    for delay in (0.01, 0.03, 0.03, 0.2, 0.2, 0.01, 0.01):
        load.observe(delay)
        shares.append(round(load.share, 2))

    assert shares == [0.0, 0.33, 0.56, 0.78, 0.89, 0.87, 0.84]


def test_after_the_overload_nothing_is_refused() -> None:
    load = overloaded(*[0.5] * 20, *[0.001] * 30, normal=100)

    assert load.share == 0
    assert offered(load, Importance.NORMAL) == 1000


def test_what_matters_least_goes_first() -> None:
    load = overloaded(0.08, 0.021, sheddable=500, normal=500)  # half of all calls is too much: that is every sheddable one

    assert offered(load, Importance.SHEDDABLE) < 100
    assert offered(load, Importance.NORMAL) > 900
    assert offered(load, Importance.CRITICAL) == 1000
    assert offered(load, Importance.ESSENTIAL) == 1000


def test_what_is_essential_is_never_refused_for_the_delay() -> None:
    load = overloaded(*[5.0] * 20, normal=10, critical=10, essential=1000)

    assert load.share == LARGEST_SHARE
    assert offered(load, Importance.ESSENTIAL) == 1000
    assert offered(load, Importance.CRITICAL) < 100


@given(
    arrivals=st.lists(st.integers(0, 50), min_size=4, max_size=4),
    delays=st.lists(st.floats(0, 10, allow_nan=False), min_size=1, max_size=15),
)
def test_no_importance_loses_a_call_before_all_lower_ones_have_lost_theirs(arrivals: list[int], delays: list[float]) -> None:
    load = overloaded(*delays, **dict(zip(("sheddable", "normal", "critical", "essential"), arrivals, strict=True)))
    shares = [load._shares[importance] for importance in Importance]

    assert all(0 <= share <= LARGEST_SHARE for share in shares)
    assert shares[Importance.ESSENTIAL] == 0
    for lower, higher in pairwise(shares):
        assert higher == 0 or lower == pytest.approx(LARGEST_SHARE)


def test_calls_under_way_are_capped_and_the_last_places_are_for_what_matters_more() -> None:
    load, admitted = Load(SETTINGS), []
    for importance in Importance:
        for _ in range(200):
            with suppress(Shedding):
                load.admit(importance)
                admitted.append(importance)

    assert [admitted.count(importance) for importance in Importance] == [70, 20, 10, 25]
    assert load.in_flight == 125


def test_refused_callers_are_not_told_to_come_back_all_at_once() -> None:
    load, waits = Load(Settings(in_flight=1)), set()
    load.admit(Importance.CRITICAL)
    for _ in range(200):
        with pytest.raises(Shedding) as refused:
            load.admit(Importance.NORMAL)
        waits.add(refused.value.retry_after)

    assert waits == {1, 2, 3, 4, 5}


def test_a_call_that_turns_out_to_matter_less_counts_as_what_it_is() -> None:
    load = Load(SETTINGS)
    for _ in range(3):
        for _ in range(100):
            load._arrived[Importance.NORMAL] += 2  # two calls, of which one is a trial client's
            with suppress(Shedding):
                load.lower(Importance.NORMAL, Importance.SHEDDABLE)
        load.observe(0.021)

    assert offered(load, Importance.NORMAL) > 800


async def _while(load: Load, work: Any, until: Any) -> None:
    """Works on the loop until something holds of the load, for ten seconds at most."""
    end = time.monotonic() + 10
    while not until(load):
        assert time.monotonic() < end, (load.delay, load.share)
        await work()


async def test_a_queue_that_does_not_drain_is_noticed_and_so_is_its_end() -> None:
    load = Load(SETTINGS)
    probe = Probe(load, SETTINGS)
    probe.start()

    async def turn() -> None:
        await asyncio.gather(*(_step(0.002) for _ in range(20)))

    async def idle() -> None:
        await asyncio.sleep(0.01)

    await _while(load, turn, lambda load: load.share > 0.1)
    noticed = load.delay
    await _while(load, idle, lambda load: load.share == 0)
    probe.stop()

    assert noticed > 0.02


async def _step(seconds: float) -> None:
    await asyncio.sleep(0)
    time.sleep(seconds)  # noqa: ASYNC251 - blocking the loop is what is tried here


async def test_one_slow_step_is_no_overload() -> None:
    seen: list[float] = []

    class Watched(Load):
        def observe(self, shortest: float) -> None:
            seen.append(shortest)

    probe = Probe(Watched(SETTINGS), SETTINGS)
    probe.start()
    for _ in range(3):
        await _step(0.3)
        await asyncio.sleep(0.06)
    probe.stop()

    assert seen
    assert min(seen) < 0.3


def test_what_is_shed_is_measured() -> None:
    load, registry = Load(Settings(in_flight=1)), CollectorRegistry()
    LoadMetrics(registry, load)
    load.admit(Importance.CRITICAL)
    with pytest.raises(Shedding):
        load.admit(Importance.NORMAL)
    load.observe(0.5)

    assert registry.get_sample_value("trivium_shed_total", {"importance": "normal", "reason": "in_flight"}) == 1
    assert registry.get_sample_value("trivium_calls_in_flight") == 1
    assert registry.get_sample_value("trivium_queue_delay_seconds") == 0.5
    assert registry.get_sample_value("trivium_shed_share") == pytest.approx(0.5)
