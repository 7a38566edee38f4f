"""Several upstreams: each takes its turn, the ill and the failing do not, and none is asked more often than allowed."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from gateway.upstreams.cluster import Cluster
from gateway.upstreams.exchange import Request
from gateway.upstreams.probe import Probe
from kernel.problem import OutcomeUnknown, PlatformBusy, PlatformDown, PlatformTimeout
from kernel.sections.services import Health
from tests.gateway.upstreams.conftest import RawUpstream, Talk


def answering(text: bytes = b"hi", status: int = 200, *headers: bytes) -> Any:
    said = b"".join(b"%b\r\n" % header for header in headers)
    answer = b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(text), said, text)

    async def script(talk: Talk) -> None:
        while True:
            await talk.request()
            await talk.say(answer)

    return script


async def hang_up(talk: Talk) -> None:
    await talk.request()


async def silent(talk: Talk) -> None:
    await talk.request()
    await talk.gone()


async def ask(cluster: Cluster, method: str = "GET", seconds: float = 5.0) -> tuple[int, bytes]:
    begun = await cluster.exchange(Request(method, b"/", []), seconds)
    try:
        return begun.head.status, await begun.read()
    finally:
        begun.end()


@pytest.fixture
async def two(raw_upstream: Any) -> list[RawUpstream]:
    return [await raw_upstream(answering(b"one")), await raw_upstream(answering(b"two"))]


async def test_each_takes_its_turn(two: list[RawUpstream], cluster_of: Any) -> None:
    cluster = cluster_of(*(each.url for each in two))
    heard = Counter([(await ask(cluster))[1] for _ in range(20)])

    assert heard == {b"one": 10, b"two": 10}


async def test_the_one_with_less_to_do_is_chosen(two: list[RawUpstream], cluster_of: Any) -> None:
    cluster = cluster_of(*(each.url for each in two), least=True)
    cluster.endpoints[0].under_way = 5

    assert {(await ask(cluster))[1] for _ in range(10)} == {b"two"}


async def test_a_call_that_fails_at_one_is_made_at_the_other(two: list[RawUpstream], cluster_of: Any) -> None:
    two[0].script = hang_up
    cluster = cluster_of(*(each.url for each in two))

    assert {await ask(cluster) for _ in range(10)} == {(200, b"two")}
    assert cluster.repeated > 0


async def test_one_that_fails_on_and_on_gets_no_calls(two: list[RawUpstream], cluster_of: Any) -> None:
    two[0].script = hang_up
    cluster = cluster_of(*(each.url for each in two), ejection={"failures": 2, "breaker": 5, "pause": 60})
    for _ in range(20):
        await ask(cluster)

    assert two[0].connections == 2
    assert not cluster.endpoints[0].condition.preferred


async def test_when_all_fail_they_are_still_asked_until_the_breaker_opens(two: list[RawUpstream], cluster_of: Any) -> None:
    for each in two:
        each.script = hang_up
    rules = {"retries": {"attempts": 1}, "ejection": {"failures": 2, "breaker": 5, "pause": 60}}
    cluster = cluster_of(*(each.url for each in two), **rules)
    outcomes = Counter[str]()
    for _ in range(30):
        with pytest.raises((OutcomeUnknown, PlatformDown)) as told:
            await ask(cluster)
        outcomes[type(told.value).__name__] += 1

    assert outcomes["OutcomeUnknown"] == 10
    assert outcomes["PlatformDown"] == 20
    assert 0 < (told.value.retry_after or 0) <= 60


async def test_statuses_that_speak_against_an_upstream_are_tried_elsewhere(two: list[RawUpstream], cluster_of: Any) -> None:
    two[0].script = answering(b"bad", 503)
    cluster = cluster_of(*(each.url for each in two))

    assert {await ask(cluster) for _ in range(6)} == {(200, b"two")}


async def test_an_upstream_that_says_when_to_come_again_is_believed(raw_upstream: Any, cluster_of: Any) -> None:
    upstream = await raw_upstream(answering(b"", 503, b"Retry-After: 9"))

    assert (await ask(cluster_of(upstream.url)))[0] == 503
    assert upstream.connections == 1


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_what_may_have_been_done_is_not_repeated(two: list[RawUpstream], cluster_of: Any, method: str) -> None:
    for each in two:
        each.script = hang_up
    cluster = cluster_of(*(each.url for each in two))

    with pytest.raises(OutcomeUnknown):
        await ask(cluster, method)
    assert sum(each.connections for each in two) == 1


async def test_what_was_surely_not_sent_is_made_elsewhere_whatever_it_is(two: list[RawUpstream], cluster_of: Any) -> None:
    await two[0].close()
    cluster = cluster_of(*(each.url for each in two))

    assert {await ask(cluster, "POST") for _ in range(4)} == {(200, b"two")}


async def test_all_attempts_together_have_one_deadline(raw_upstream: Any, cluster_of: Any) -> None:
    upstream = await raw_upstream(silent)
    cluster = cluster_of(upstream.url, retries={"attempts": 10, "within": 0.05})
    begun = asyncio.get_running_loop().time()

    with pytest.raises(PlatformTimeout):
        await ask(cluster, seconds=0.2)
    assert asyncio.get_running_loop().time() - begun < 1
    assert 1 < upstream.connections <= 5


async def test_a_slow_attempt_is_given_up_for_another_upstream(two: list[RawUpstream], cluster_of: Any) -> None:
    two[0].script = silent
    cluster = cluster_of(*(each.url for each in two), retries={"within": 0.05})

    assert {await ask(cluster) for _ in range(4)} == {(200, b"two")}


async def test_connections_are_reused_and_never_too_many(raw_upstream: Any, cluster_of: Any) -> None:
    upstream = await raw_upstream(answering())
    cluster = cluster_of(upstream.url, connections={"most": 3})
    await asyncio.gather(*(ask(cluster) for _ in range(50)))

    assert upstream.connections <= 3


async def test_too_many_callers_are_told_so(raw_upstream: Any, cluster_of: Any) -> None:
    upstream = await raw_upstream(silent)
    cluster = cluster_of(upstream.url, connections={"most": 1, "waiting": 1}, retries={"attempts": 1})
    waiting = [asyncio.create_task(ask(cluster, seconds=0.3)) for _ in range(2)]
    await asyncio.sleep(0.05)

    with pytest.raises(PlatformBusy):
        await ask(cluster)
    await asyncio.gather(*waiting, return_exceptions=True)
    assert cluster.endpoints[0].under_way == 0


async def test_the_checks_take_an_ill_one_out_and_let_it_back_in(two: list[RawUpstream], cluster_of: Any) -> None:
    cluster = cluster_of(*(each.url for each in two))
    probe = Probe(cluster.endpoints[0], Health(path="/health", healthy=2, unhealthy=2, timeout=0.2))
    two[0].script = silent
    await probe.look()
    once = cluster.endpoints[0].condition.preferred
    await probe.look()
    ill = {(await ask(cluster))[1] for _ in range(4)}
    two[0].script = answering(b"one")
    await probe.look()
    await probe.look()
    well = {(await ask(cluster))[1] for _ in range(4)}

    assert (once, ill, well) == (True, {b"two"}, {b"one", b"two"})


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_only_a_success_is_healthy(raw_upstream: Any, cluster_of: Any, status: int) -> None:
    cluster = cluster_of((await raw_upstream(answering(b"", status))).url)
    await Probe(cluster.endpoints[0], Health(path="/health", unhealthy=1)).look()

    assert not cluster.endpoints[0].condition.healthy


async def test_when_the_checks_find_all_ill_calls_are_made_all_the_same(two: list[RawUpstream], cluster_of: Any) -> None:
    cluster = cluster_of(*(each.url for each in two))
    for each in cluster.endpoints:
        each.condition.healthy = False

    assert (await ask(cluster))[0] == 200
