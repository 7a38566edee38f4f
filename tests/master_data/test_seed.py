"""The mappings file is taken in once; what people have changed since stays changed."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from contracts.models.master_data import MappingKind, NewMapping
from kernel.settings import BadSettings
from master_data.mappings import MappingBook
from master_data.seed import read_mappings, seed_mappings
from master_data.tables import mapping

EXAMPLE = Path(__file__).parent.parent.parent / "mappings.example.toml"


@pytest.fixture
def book(database, clock):
    return MappingBook(database, clock)


def numbered(count):
    return [NewMapping(kind="item", source=f"SKU-{n}", target=f"ITEM-{n}", valid_from=date(2026, 1, 1)) for n in range(count)]


async def test_the_example_is_taken_in_under_the_files_name(book):
    wanted = read_mappings(EXAMPLE)

    assert await seed_mappings(book, wanted) == len(wanted) > 20
    assert {mapping.author for mapping in await book.list()} == {"mappings file"}
    resolved = await book.resolve(MappingKind.ITEM, ["PLAT-ANNUAL"], "netsuite", date(2026, 6, 1))
    assert resolved == {"PLAT-ANNUAL": "PLATFORM-ANNUAL"}


async def test_taking_it_in_again_adds_nothing(book):
    wanted = numbered(5)
    await seed_mappings(book, wanted)
    before = await book.list()

    assert await seed_mappings(book, wanted) == 0
    assert await book.list() == before


async def test_what_people_have_changed_stays_changed(book):
    await book.add(NewMapping(kind="item", source="SKU-0", target="MINE", valid_from=date(2026, 1, 1)), "ann")
    await book.add(NewMapping(kind="item", source="SKU-1", target="LATER", valid_from=date(2026, 2, 1)), "ann")
    await seed_mappings(book, numbered(2))

    resolved = await book.resolve(MappingKind.ITEM, ["SKU-0", "SKU-1"], "netsuite", date(2026, 6, 1))
    assert resolved == {"SKU-0": "MINE", "SKU-1": "LATER"}


async def test_processes_that_start_together_take_it_in_once(book):
    added = await asyncio.gather(*(seed_mappings(book, numbered(5)) for _ in range(4)))

    assert max(added) == 5
    assert len(await book.list()) == 5


async def test_a_file_of_any_length_is_taken_in_once(embedded, clock):
    book, wanted = MappingBook(embedded, clock), numbered(1100)
    async with embedded.transaction() as db:
        rows = [{**new.model_dump(), "kind": "item", "author": "ann", "recorded_at": clock.now()} for new in wanted]
        await db.execute(mapping.insert(), [{**row, "target": "CHANGED"} for row in rows])

    assert await seed_mappings(book, wanted) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[mappings]]\nkind = 'shoe'\nsource='A'\ntarget='B'\nvalid_from = 2026-01-01", "kind"),
        ("[[mappings]]\nkind = 'item'\nsource='A'\ntarget='B'", "valid_from"),
        ("[[mappings]]\nkind = 'item'\nsource='A'\ntarget='B'\nvalid_from = 2026-01-01\nowner='me'", "owner"),
        ("[[mappings]", "line 1"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(tmp_path, text, said):
    file = tmp_path / "mappings.toml"
    file.write_text(text)

    with pytest.raises(BadSettings, match=f"(?s){file.name} cannot be used.*{said}"):
        read_mappings(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadSettings, match=r"nowhere\.toml cannot be used"):
        read_mappings(tmp_path / "nowhere.toml")
