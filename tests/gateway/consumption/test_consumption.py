"""Who uses which fields is known by name, never by value; of all processes together, for as long as the settings say."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.consumption.book import FieldUseBook, Wanted
from gateway.consumption.tally import MOST_CLIENTS, FieldUse, Turns, consuming
from gateway.pipeline import Caller
from kernel.db import Database
from kernel.problem import Invalid
from kernel.sections.consumption import Consumption
from tests.gateway.oauth.conftest import FakeClock

TODAY = "2026-03-01"
ANY = Wanted()
PORTAL = Caller("tvc_a", "tvc_a", frozenset(), partner="acme")
SEEN = [("call", ""), ("response", "verdict")]


@pytest.fixture
def quotes(operation):
    return operation(id="process.quotes.v1.validate_quote", version="1.0.0")


async def everything(book, wanted=ANY, most=ANY, limit=500):
    found, cursor = [], None
    while True:
        page = await book.page(wanted, most, cursor, limit)
        assert len(page.items) <= limit
        found, cursor = found + page.items, page.next
        if cursor is None:
            return found


def told(lines):
    return {(line.client_id, line.partner, line.operation, line.version, line.part, line.field): line.calls for line in lines}


async def test_what_is_seen_is_kept_by_client_operation_version_and_field(book, database, clock, quotes):
    async with consuming(database, clock, Consumption, pause=60) as tally:
        tally.see(PORTAL, quotes, SEEN)
        tally.see(PORTAL, quotes, SEEN)
        tally.see(PORTAL, replace(quotes, version="1.1.0"), [("request", "id")])

    assert told(await everything(book)) == {
        ("tvc_a", "acme", quotes.id, "1.0.0", "call", None): 2,
        ("tvc_a", "acme", quotes.id, "1.0.0", "response", "verdict"): 2,
        ("tvc_a", "acme", quotes.id, "1.1.0", "request", "id"): 1,
    }


async def test_two_processes_on_one_database_lose_nothing(book, database, clock, quotes):
    async def process():
        async with consuming(database, clock, Consumption, pause=0.001) as tally:
            for n in range(100):
                tally.see(PORTAL, quotes, [("response", f"field{n % 5}")])
                await asyncio.sleep(0)

    await asyncio.gather(process(), process())

    assert {line.field: line.calls for line in await everything(book)} == {f"field{n}": 40 for n in range(5)}


async def test_use_is_forgotten_after_the_days_that_it_is_kept(book, database, clock, quotes):
    for days in (0, 30, 1):
        clock.pass_seconds(86_400 * days)
        async with consuming(database, clock, lambda: Consumption(keep_days=30), pause=60) as tally:
            tally.see(PORTAL, quotes, [("call", "")])
    kept = await everything(book)

    assert [line.day for line in kept] == ["2026-04-01", "2026-03-31"]


def test_what_cannot_be_kept_is_bounded_and_known(operation):
    tally = FieldUse(FakeClock(), most=3)
    tally.see(PORTAL, operation(), [("response", f"field{n}") for n in range(5)])

    assert (len(tally.take()), tally.lost) == (3, 2)


def test_turns_are_remembered_of_so_many_clients_and_no_more():
    turns = Turns()
    for n in range(MOST_CLIENTS + 1):
        turns.begin(f"client-{n}", 100)

    assert len(turns.left) == 1


@pytest.mark.parametrize("limit", [1, 4, 500])
async def test_following_the_cursor_shows_each_line_once_the_latest_day_first(book, limit):
    lines = {
        ((date(2026, 3, 1) + timedelta(days=day)).isoformat(), client, "", "process.quotes.v1.validate_quote", "1", part, ""): 1
        for day in range(3) for client in "ab" for part in ("call", "query")
    }  # fmt: skip
    await book.record(lines)
    found = await everything(book, limit=limit)

    assert len(found) == len(told(found)) * 3 == 12
    assert [line.day for line in found] == sorted((line.day for line in found), reverse=True)


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (Wanted(api="process/quotes/v1"), {"b", "d"}), (Wanted(api="process/quotes"), {"b", "c", "d"}),
        (Wanted(client="a"), {"a"}),
        (Wanted(partner="acme"), {"d"}), (Wanted(since=date(2026, 3, 2)), {"c"}), (Wanted(api="process/quote"), set()),
        (Wanted(operation="process.orders.v1.list_orders"), {"a"}), (Wanted(api="process/q_otes"), set()),
    ],
)  # fmt: skip
async def test_a_filter_shows_what_it_says(book, wanted, shown):
    rest = ("1.0.0", "call", "")
    await book.record(
        {
            (TODAY, "a", "", "process.orders.v1.list_orders", *rest): 1,
            (TODAY, "b", "", "process.quotes.v1.validate_quote", *rest): 1,
            ("2026-03-02", "c", "", "process.quotes.v2.validate_quote", *rest): 1,
            (TODAY, "d", "acme", "process.quotes.v1.validate_quote", *rest): 1,
        }
    )

    assert {line.client_id for line in await everything(book, wanted)} == shown


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "W10", "WyJhIiwiYiJd", "bnVsbA", "WzEsMiwzLDQsNSw2LDdd", "e30"])
async def test_a_cursor_that_is_none_of_ours_is_refused_in_words(book, cursor):
    with pytest.raises(Invalid, match="the cursor cannot be read"):
        await book.page(ANY, ANY, cursor, 10)


@given(sample=st.integers(1, 7), calls=st.integers(1, 40))
def test_the_first_call_is_looked_at_and_then_each_so_manieth(sample, calls):
    turns, looked = Turns(), []
    for n in range(calls):
        if turns.left.get("a"):
            turns.left["a"] -= 1
        else:
            turns.begin("a", sample)
            looked.append(n)

    assert looked == list(range(0, calls, sample))


async def test_the_book_outlives_its_process(tmp_path):
    place = f"sqlite:///{tmp_path / 'other.sqlite'}"
    database = Database(place)
    await database.create_all()
    await FieldUseBook(database).record({(TODAY, "a", "", "o", "1.0.0", "call", ""): 5})
    await database.close()
    again = Database(place)
    found = await everything(FieldUseBook(again))
    await again.close()

    assert [line.calls for line in found] == [5]
