"""What is kept stays within its bounds, ends when its time is over, and is forgotten when something is written near it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache import AnswerCache, Entry, directives
from kernel.sections.replays import MEGABYTE, Cache
from tests.gateway.conftest import FakeClock


def entry(cache: AnswerCache, path: bytes = b"/a", body: bytes = b"", ttl: float = 60, stale: float = 0) -> Entry:
    now = cache.now()
    return Entry(path, 200, (), body, now, now + ttl, now + ttl + stale)


def keep(cache: AnswerCache, name: str, **said: Any) -> bool:
    one = entry(cache, **said)
    return cache.land((name,), cache.begin((name,), one.path), one)


def open_cache(clock: FakeClock, entries: int = 100) -> AnswerCache:
    return AnswerCache(Cache(entries=entries, bytes=MEGABYTE), clock)


def test_what_is_kept_is_found_until_its_time_is_over(clock: FakeClock) -> None:
    cache = open_cache(clock)
    keep(cache, "a", body=b"hello", ttl=10, stale=5)
    clock.pass_seconds(14)
    stale = cache.find(("a",))
    clock.pass_seconds(1)
    gone = cache.find(("a",))

    assert stale is not None
    assert stale.body == b"hello"
    assert stale.fresh_until < cache.now()
    assert (gone, len(cache), cache.bytes) == (None, 0, 0)


def test_the_least_recently_used_makes_room(clock: FakeClock) -> None:
    cache = open_cache(clock, entries=2)
    keep(cache, "a")
    keep(cache, "b")
    cache.find(("a",))
    keep(cache, "c")

    assert [cache.find((name,)) is not None for name in "abc"] == [True, False, True]


def test_an_answer_larger_than_everything_is_not_kept(clock: FakeClock) -> None:
    cache = open_cache(clock)
    keep(cache, "a")

    assert not keep(cache, "b", body=b"x" * MEGABYTE)
    assert cache.find(("a",)) is not None


def test_without_entries_nothing_is_kept(clock: FakeClock) -> None:
    assert not keep(open_cache(clock, entries=0), "a")


@pytest.mark.parametrize(
    ("written", "left"),
    [
        (b"/v1/orders/1", {b"/v1/orders/10", b"/v1/items", b"/v1/orders/2/lines"}),
        (b"/v1/orders", {b"/v1/items"}),
        (b"/v1/orders/1/lines/7", {b"/v1/orders/10", b"/v1/items", b"/v1/orders/2/lines"}),
        (b"/v1/ord", {b"/v1/orders", b"/v1/orders/1", b"/v1/orders/10", b"/v1/items", b"/v1/orders/2/lines"}),
    ],
)
def test_a_write_is_felt_above_and_below_its_path_and_nowhere_else(clock: FakeClock, written: bytes, left: set[bytes]) -> None:
    cache = open_cache(clock)
    paths = [b"/v1/orders", b"/v1/orders/1", b"/v1/orders/10", b"/v1/items", b"/v1/orders/2/lines"]
    for path in paths:
        keep(cache, path.decode(), path=path)
    cache.written(written)

    assert {path for path in paths if cache.find((path.decode(),)) is not None} == left


def test_what_is_fetched_while_something_is_written_is_not_kept(clock: FakeClock) -> None:
    cache = open_cache(clock)
    flight = cache.begin(("a",), b"/v1/orders")
    cache.written(b"/v1/orders/1")
    joined = cache.flight(("a",))
    kept = cache.land(("a",), flight, entry(cache, b"/v1/orders"))

    assert joined is None, "who asks after the write waits for no call from before it"
    assert not kept
    assert flight.landed.is_set()


def test_the_later_of_two_fetches_counts(clock: FakeClock) -> None:
    cache = open_cache(clock)
    early, late = cache.begin(("a",), b"/a"), cache.begin(("a",), b"/a")
    cache.land(("a",), late, entry(cache, body=b"late"))
    cache.land(("a",), early, entry(cache, body=b"early"))
    found = cache.find(("a",))

    assert found is not None
    assert found.body == b"late"


STEPS = st.one_of(
    st.tuples(st.just("keep"), st.sampled_from("abcdef"), st.integers(0, 400_000)),
    st.tuples(st.just("pass"), st.just(""), st.integers(1, 40)),
    st.tuples(st.just("write"), st.sampled_from("abcdef"), st.just(0)),
)


@given(st.lists(STEPS, max_size=40))
def test_it_never_holds_more_than_it_may_and_counts_what_it_holds(steps: list[tuple[str, str, int]]) -> None:
    clock = FakeClock()
    cache = open_cache(clock, entries=4)
    for what, name, size in steps:
        if what == "keep":
            keep(cache, name, path=f"/{name}".encode(), body=b"x" * size, ttl=30)
        elif what == "write":
            cache.written(f"/{name}".encode())
        else:
            clock.pass_seconds(size)
        held = [cache.find((one,)) for one in "abcdef"]

        assert len(cache) == sum(one is not None for one in held) <= 4
        assert cache.bytes == sum(one.size for one in held if one is not None) <= MEGABYTE


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([], {}),
        ([b"no-store"], {b"no-store": b""}),
        ([b'Max-Age="60", private', b" S-MaxAge=1 "], {b"max-age": b"60", b"private": b"", b"s-maxage": b"1"}),
        ([b", ,"], {}),
    ],
)
def test_cache_control_is_read_as_a_list(said: list[bytes], found: dict[bytes, bytes]) -> None:
    assert directives(said) == found
