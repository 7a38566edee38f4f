"""Mappings are effective-dated: the versions of one source partition time, and none is ever rewritten."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.models.master_data import ANY, MappingKind, NewMapping
from kernel.problem import Conflict
from master_data.mappings import MappingBook
from master_data.tables import mapping

ITEM = MappingKind.ITEM
BEGIN = date(2026, 1, 1)


def new(target, valid_from=BEGIN, source="PLAT", connection=ANY, kind=ITEM):
    return NewMapping(kind=kind, connection=connection, source=source, target=target, valid_from=valid_from)


@pytest.fixture
def book(database, clock):
    return MappingBook(database, clock)


async def test_a_mapping_holds_from_its_day_on(book):
    await book.add(new("OLD", date(2026, 3, 1)), "ann")
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2036, 1, 1)]

    assert [await book.resolve(ITEM, ["PLAT"], "netsuite", day) for day in days] == [{}, {"PLAT": "OLD"}, {"PLAT": "OLD"}]


async def test_a_new_version_ends_the_old_one_on_its_day(book):
    await book.add(new("OLD"), "ann")
    await book.add(new("NEW", date(2026, 3, 1)), "bob")

    assert await book.resolve(ITEM, ["PLAT"], "netsuite", date(2026, 2, 28)) == {"PLAT": "OLD"}
    assert await book.resolve(ITEM, ["PLAT"], "netsuite", date(2026, 3, 1)) == {"PLAT": "NEW"}
    assert [(m.target, m.valid_to) for m in await book.list()] == [("NEW", None), ("OLD", date(2026, 3, 1))]


async def test_a_version_before_a_later_one_reaches_until_it(book):
    await book.add(new("LATER", date(2026, 6, 1)), "ann")
    made = await book.add(new("EARLIER", date(2026, 2, 1)), "bob")

    assert made.valid_to == date(2026, 6, 1)
    assert await book.resolve(ITEM, ["PLAT"], "netsuite", date(2026, 6, 1)) == {"PLAT": "LATER"}


@pytest.mark.parametrize("order", [1, -1])
async def test_a_mapping_for_the_connection_outranks_one_for_any(book, order):
    for said in [new("GENERAL", date(2026, 3, 1)), new("SPECIFIC", connection="netsuite")][::order]:
        await book.add(said, "ann")

    assert await book.resolve(ITEM, ["PLAT"], "netsuite", date(2026, 4, 1)) == {"PLAT": "SPECIFIC"}
    assert await book.resolve(ITEM, ["PLAT"], "sap-s4hana", date(2026, 4, 1)) == {"PLAT": "GENERAL"}


async def test_only_what_was_asked_for_is_answered(book):
    await book.add(new("A", source="A"), "ann")
    await book.add(new("B", source="B"), "ann")
    await book.add(new("annual", source="A", kind=MappingKind.CHARGE), "ann")

    assert await book.resolve(ITEM, ["A", "A", "missing"], "netsuite", BEGIN) == {"A": "A"}
    assert await book.resolve(ITEM, [], "netsuite", BEGIN) == {}


async def test_each_version_names_its_author_and_when_it_was_recorded(book, clock):
    await book.add(new("OLD"), "ann")
    clock.pass_(timedelta(days=1))
    await book.add(new("NEW", date(2026, 3, 1)), "bob")

    recorded = [(m.author, m.recorded_at) for m in await book.list(ITEM, "PLAT")]
    assert recorded == [("bob", datetime(2026, 6, 16, 12, tzinfo=UTC)), ("ann", datetime(2026, 6, 15, 12, tzinfo=UTC))]


async def test_the_same_mapping_again_is_the_one_on_record(book):
    first = await book.add(new("OLD"), "ann")

    assert await book.add(new("OLD"), "bob") == first
    assert len(await book.list()) == 1


async def test_a_day_that_has_its_version_is_not_given_another_meaning(book):
    await book.add(new("OLD"), "ann")

    with pytest.raises(Conflict, match="item 'PLAT' already means 'OLD' from 2026-01-01") as refused:
        await book.add(new("NEW"), "bob")
    assert (refused.value.field, refused.value.system) == ("valid_from", "trivium")
    assert "choose a later valid_from" in str(refused.value.fix)


async def test_many_who_add_the_same_mapping_leave_one_version(book):
    added = await asyncio.gather(*(book.add(new("OLD"), f"person-{n}") for n in range(15)))

    assert len({made.id for made in added}) == 1
    assert len(await book.list()) == 1


async def test_many_who_add_different_days_leave_versions_that_partition_time(book):
    days = [BEGIN + timedelta(days=7 * n) for n in range(15)]
    await asyncio.gather(*(book.add(new(f"T{n}", day), "ann") for n, day in enumerate(days)))

    versions = sorted(await book.list(), key=lambda version: version.valid_from)
    assert [version.valid_to for version in versions] == [*days[1:], None]


additions = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["A", "B", "C"])), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(additions)
async def test_at_any_date_exactly_the_version_valid_then_answers(embedded, clock, said):
    book = MappingBook(embedded, clock)
    async with embedded.transaction() as db:
        await db.execute(mapping.delete())
    meant: dict[date, str] = {}
    for days, target in said:
        before = {m.id: (m.target, m.valid_from, m.author) for m in await book.list()}
        day = BEGIN + timedelta(days=days)
        if meant.setdefault(day, target) == target:
            await book.add(new(target, day), "ann")
        else:
            with pytest.raises(Conflict):
                await book.add(new(target, day), "bob")
        after = {m.id: (m.target, m.valid_from, m.author) for m in await book.list()}
        assert before.items() <= after.items()

    versions = sorted(await book.list(), key=lambda version: version.valid_from)
    assert all(one.valid_to == following.valid_from for one, following in pairwise(versions))
    assert versions[-1].valid_to is None
    for offset in range(-1, 62, 3):
        day = BEGIN + timedelta(days=offset)
        valid = [begun for begun in meant if begun <= day]
        expected = {"PLAT": meant[max(valid)]} if valid else {}
        assert await book.resolve(ITEM, ["PLAT"], "netsuite", day) == expected
