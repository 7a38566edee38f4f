"""Usage: every call of a client is counted once, kept over restarts, and paged without loss."""

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from gateway.observe import Metrics, Record
from gateway.partners.tables import usage
from gateway.partners.usage import Counts, UsageBook, Wanted, counting
from kernel.db import Database
from kernel.problem import Invalid
from tests.gateway.oauth.conftest import FakeClock

TODAY = "2026-03-01"
ANY = Wanted()


def record(operation="get_order", status=200, client="tvc_a", partner="acme"):
    return Record(operation, "GET", "/x", status, 0.01, client, "c", "t", partner=partner)


@pytest.fixture
def metrics():
    return Metrics(CollectorRegistry())


@pytest.fixture
async def book(database):
    async with database.transaction() as connection:
        await connection.execute(usage.delete())
    return UsageBook(database)


class Away:
    """A database that does not answer until it is back."""

    def __init__(self, database):
        self._database, self.away, self.embedded = database, True, database.embedded

    @asynccontextmanager
    async def transaction(self):
        if self.away:
            raise ConnectionError("away")
        async with self._database.transaction() as connection:
            yield connection


async def everything(book, wanted=ANY, most=ANY, limit=500):
    found, cursor = [], None
    while True:
        page = await book.page(wanted, most, cursor, limit)
        assert len(page.items) <= limit
        found, cursor = found + page.items, page.next
        if cursor is None:
            return found


def told(lines):
    return {(line.day, line.client_id, line.partner, line.operation, line.status): line.calls for line in lines}


async def test_calls_are_counted_by_client_partner_operation_status_and_day(book, database, metrics, clock):
    async with counting(metrics, database, clock, pause=60):
        for status in (200, 201, 404, 503, 0):
            metrics.add(record(status=status))
        metrics.add(record(client="tvc_own", partner=""))
        metrics.add(record(client="anonymous", partner=""))

    assert told(await everything(book)) == {
        (TODAY, "tvc_a", "acme", "get_order", "2xx"): 2,
        (TODAY, "tvc_a", "acme", "get_order", "4xx"): 1,
        (TODAY, "tvc_a", "acme", "get_order", "5xx"): 1,
        (TODAY, "tvc_a", "acme", "get_order", "none"): 1,
        (TODAY, "tvc_own", None, "get_order", "2xx"): 1,
    }


async def test_a_restart_goes_on_counting_where_the_last_process_stopped(book, database, clock):
    for calls in (3, 4):
        metrics = Metrics(CollectorRegistry(), batch=2)
        async with counting(metrics, database, clock, pause=60):
            for _ in range(calls):
                metrics.add(record())
    clock.pass_seconds(86_400)
    metrics = Metrics(CollectorRegistry())
    async with counting(metrics, database, clock, pause=60):
        metrics.add(record())

    assert [(line.day, line.calls) for line in await everything(book)] == [("2026-03-02", 1), (TODAY, 7)]


async def test_what_is_counted_is_written_while_the_process_goes_on(book, database, metrics, clock):
    async with counting(metrics, database, clock, pause=0.01):
        metrics.add(record())
        async with asyncio.timeout(10):
            while not await everything(book):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.01)
        metrics.add(record())

    assert [line.calls for line in await everything(book)] == [2]


async def test_processes_that_count_at_once_lose_nothing(book, database, clock):
    async def process():
        metrics = Metrics(CollectorRegistry(), batch=7)
        async with counting(metrics, database, clock, pause=0.001):
            for n in range(200):
                metrics.add(record(operation=f"o{n % 5}"))
                if n % 20 == 0:
                    await asyncio.sleep(0)

    await asyncio.gather(*(process() for _ in range(5)))

    assert {line.operation: line.calls for line in await everything(book)} == {f"o{n}": 200 for n in range(5)}


async def test_while_the_database_is_away_the_count_waits(book, database, metrics, clock):
    away = Away(database)
    async with counting(metrics, away, clock, pause=0.005) as counts:
        for _ in range(5):
            metrics.add(record())
            await asyncio.sleep(0.01)
        nothing = await everything(book)
        away.away = False

    assert (nothing, [line.calls for line in await everything(book)], counts.lost) == ([], [5], 0)


def test_what_cannot_be_kept_is_bounded_and_known():
    counts = Counts(FakeClock(), most=3)
    counts.add([record(operation=f"o{n}") for n in range(5)])
    counts.add([record(operation="o0")])
    kept = counts.take()
    counts.put_back(kept)

    assert sum(kept.values()) == 4
    assert (counts.lost, counts.take(), counts.take()) == (2, kept, {})


@given(calls=st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from([200, 404, 500])), max_size=60),
       takes=st.sets(st.integers(0, 60)))  # fmt: skip
def test_whenever_it_is_taken_every_call_is_counted_once(calls, takes):
    counts, found = Counts(FakeClock()), Counter()
    for n, (client, operation, status) in enumerate(calls):
        counts.add([record(operation, status, client)])
        if n in takes:
            found.update(counts.take())
    found.update(counts.take())

    assert {key[1:]: calls for key, calls in found.items()} == Counter((c, "acme", o, s // 100) for c, o, s in calls)


@pytest.fixture
async def month(book):
    """A month of three clients, two of them of partners."""
    dice = random.Random(7)
    lines = {
        ((date(2026, 3, 1) + timedelta(days=day)).isoformat(), client, partner, operation, status): dice.randint(1, 900)
        for day in range(30)
        for client, partner in (("tvc_a", "acme"), ("tvc_g", "globex"), ("tvc_own", ""))
        for operation in ("get_order", "list_orders")
        for status in (2, 4)
        if dice.random() < 0.6
    }
    await book.record(lines)
    return lines


@pytest.mark.parametrize("limit", [1, 7, 500])
async def test_following_the_cursor_shows_each_line_once_the_latest_day_first(book, month, limit):
    found = await everything(book, limit=limit)

    assert len(found) == len(month) == len(told(found))
    assert [line.day for line in found] == sorted((line.day for line in found), reverse=True)
    assert sum(line.calls for line in found) == sum(month.values())


@pytest.mark.parametrize(
    "said",
    [
        {"client": "tvc_a"}, {"partner": "globex"}, {"operation": "get_order"}, {"status": 4}, {"since": date(2026, 3, 20)},
        {"until": date(2026, 3, 3)}, {"partner": "acme", "status": 2, "since": date(2026, 3, 10), "until": date(2026, 3, 10)},
    ],
)  # fmt: skip
async def test_a_filter_shows_what_it_says(book, month, said):
    names = ("day", "client", "partner", "operation", "status")

    def fits(key):
        line = dict(zip(names, key, strict=True))
        first, last = said.get("since", date.min).isoformat(), said.get("until", date.max).isoformat()
        exact = all(line[name] == value for name, value in said.items() if name in names)
        return exact and first <= line["day"] <= last

    found = await everything(book, Wanted(**said), limit=4)

    assert sorted(line.calls for line in found) == sorted(calls for key, calls in month.items() if fits(key))


async def test_more_than_may_be_seen_is_never_shown_whatever_is_asked_or_where_one_goes_on_from(book, month):
    most = Wanted(partner="acme")
    everybody_s = await book.page(ANY, ANY, None, 5)
    mine = await everything(book, most=most, limit=3)
    of_another = await everything(book, Wanted(partner="globex"), most)
    from_another = await book.page(ANY, most, everybody_s.next, 500)

    assert {line.partner for line in mine} == {"acme"}
    assert of_another == []
    assert {line.partner for line in from_another.items} == {"acme"}


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "W10", "WyJhIiwiYiIsImMiLCJkIiwiZSJd", "bnVsbA", "WzEsMiwzLDQsNV0"])
async def test_a_cursor_that_is_none_of_ours_is_refused_in_words(book, cursor):
    with pytest.raises(Invalid, match="the cursor cannot be read"):
        await book.page(ANY, ANY, cursor, 10)


async def test_what_is_written_outlives_its_process(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    await database.create_all()
    await UsageBook(database).record({(TODAY, "tvc_a", "acme", "get_order", 2): 5})
    await database.close()
    again = Database(f"sqlite:///{tmp_path / 'other.sqlite'}")

    assert [line.calls for line in await everything(UsageBook(again))] == [5]
    await again.close()
