"""Cross-references are unique both ways, however many say so at once."""

import asyncio

import pytest

from contracts.models.reference import Reference
from kernel.problem import Conflict
from master_data.references import CrossReferenceBook

KEY = "ACC-1001"


def in_crm(id="0011"):
    return Reference(connection="salesforce", kind="account", id=id)


@pytest.fixture
def book(database, clock):
    return CrossReferenceBook(database, clock)


async def test_a_link_is_found_from_both_sides(book, clock):
    await book.link(KEY, in_crm())

    assert await book.find(KEY, "salesforce", "account") == in_crm()
    assert await book.key_of(in_crm()) == KEY
    assert [(found.reference, found.recorded_at) for found in await book.of(KEY)] == [(in_crm(), clock.now())]


async def test_what_is_not_linked_is_not_found(book):
    await book.link(KEY, in_crm())

    assert await book.find(KEY, "salesforce-emea", "account") is None
    assert await book.key_of(Reference(connection="salesforce", kind="quote", id="0011")) is None
    assert await book.of("ACC-9") == []


async def test_one_key_has_one_object_per_connection_and_kind(book):
    objects = [in_crm(), Reference(connection="salesforce-emea", kind="account", id="0011"),
               Reference(connection="salesforce", kind="contact", id="0011")]  # fmt: skip
    for reference in objects:
        await book.link(KEY, reference)

    assert {str(found.reference) for found in await book.of(KEY)} == {str(reference) for reference in objects}


async def test_saying_it_again_changes_nothing(book):
    await book.link(KEY, in_crm())

    assert await book.link(KEY, in_crm()) == in_crm()
    assert len(await book.of(KEY)) == 1


async def test_a_key_does_not_stand_for_a_second_object(book):
    await book.link(KEY, in_crm("0011"))

    with pytest.raises(
        Conflict, match=r"ACC-1001 already stands for salesforce/account/0011.*salesforce/account/0012"
    ) as refused:
        await book.link(KEY, in_crm("0012"))
    assert (refused.value.field, refused.value.system) == ("reference", "trivium")
    assert "merge the duplicate in the platform" in str(refused.value.fix)
    assert await book.key_of(in_crm("0012")) is None


async def test_an_object_does_not_stand_for_a_second_key(book):
    await book.link(KEY, in_crm())

    with pytest.raises(Conflict, match=r"salesforce/account/0011 already stands for ACC-1001.*ACC-1002") as refused:
        await book.link("ACC-1002", in_crm())
    assert "correct the business key" in str(refused.value.fix)
    assert await book.of("ACC-1002") == []


async def test_many_first_sights_of_one_object_are_one_record(book):
    linked = await asyncio.gather(*(book.link(KEY, in_crm()) for _ in range(25)))

    assert linked == [in_crm()] * 25
    assert len(await book.of(KEY)) == 1


async def test_of_many_objects_for_one_key_one_wins_and_the_others_hear_which(book):
    answers = await asyncio.gather(*(book.link(KEY, in_crm(f"00{n}")) for n in range(25)), return_exceptions=True)

    winners = [answer for answer in answers if isinstance(answer, Reference)]
    losers = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(winners), len(losers)) == (1, 24)
    assert [found.reference for found in await book.of(KEY)] == winners
    assert all(str(winners[0]) in loser.detail for loser in losers)


async def test_of_many_keys_for_one_object_one_wins_and_the_others_hear_which(book):
    answers = await asyncio.gather(*(book.link(f"ACC-{n}", in_crm()) for n in range(25)), return_exceptions=True)

    losers = [answer for answer in answers if isinstance(answer, Conflict)]
    winner = await book.key_of(in_crm())
    assert len(losers) == 24
    assert all(f"already stands for {winner}" in loser.detail for loser in losers)
