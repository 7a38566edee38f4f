"""Ownership: the owner's word is written, another's is proposed, and nothing is written in a circle."""

import asyncio
from datetime import timedelta

import pytest

from kernel.problem import NotFound
from master_data.ownership import OWNERS, Ownership

KEY = "ACC-1001"


@pytest.fixture
def ownership(database, clock):
    return Ownership(database, clock)


async def values(ownership):
    return {attribute.name: (attribute.value, attribute.set_by) for attribute in await ownership.attributes(KEY)}


async def proposed(ownership):
    return [(proposal.name, proposal.value, proposal.proposed_by) for proposal in await ownership.proposals(KEY)]


async def test_the_first_word_counts_whoever_says_it(ownership, clock):
    await ownership.observe(KEY, {"tax_id": "DE1"}, by="crm")

    [attribute] = await ownership.attributes(KEY)
    assert (attribute.name, attribute.value, attribute.owner, attribute.set_by) == ("tax_id", "DE1", "erp", "crm")
    assert attribute.set_at == clock.now()
    assert await proposed(ownership) == []


async def test_the_owner_writes(ownership):
    await ownership.observe(KEY, {"tax_id": "DE1", "name": "Alpenglow"}, by="crm")
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")

    assert await values(ownership) == {"tax_id": ("DE2", "erp"), "name": ("Alpenglow", "crm")}
    assert await proposed(ownership) == []


async def test_another_proposes(ownership, clock):
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")
    clock.pass_(timedelta(hours=1))
    await ownership.observe(KEY, {"tax_id": "DE3"}, by="crm")

    [proposal] = await ownership.proposals(KEY)
    assert (proposal.name, proposal.value, proposal.proposed_by, proposal.proposed_at) == ("tax_id", "DE3", "crm", clock.now())
    assert await values(ownership) == {"tax_id": ("DE2", "erp")}


@pytest.mark.parametrize("by", ["crm", "erp", "billing"])
async def test_the_same_value_changes_nothing(ownership, clock, by):
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")
    before = await ownership.attributes(KEY)
    clock.pass_(timedelta(hours=1))
    await ownership.observe(KEY, {"tax_id": "DE2"}, by=by)

    assert await ownership.attributes(KEY) == before
    assert await proposed(ownership) == []


async def test_the_same_proposal_again_changes_nothing(ownership, clock):
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")
    await ownership.observe(KEY, {"tax_id": "DE3"}, by="crm")
    before = await ownership.proposals(KEY)
    clock.pass_(timedelta(hours=1))
    await ownership.observe(KEY, {"tax_id": "DE3"}, by="crm")

    assert await ownership.proposals(KEY) == before


async def test_a_system_has_one_proposal_per_attribute_its_latest(ownership):
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")
    for value in ("DE3", "DE4"):
        await ownership.observe(KEY, {"tax_id": value}, by="crm")
    await ownership.observe(KEY, {"tax_id": "DE5"}, by="billing")

    assert sorted(await proposed(ownership)) == [("tax_id", "DE4", "crm"), ("tax_id", "DE5", "billing")]


async def test_an_accepted_proposal_takes_the_owners_place(ownership):
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")
    await ownership.observe(KEY, {"tax_id": "DE3"}, by="crm")
    [proposal] = await ownership.proposals(KEY)
    await ownership.decide(KEY, proposal.id, accept=True)

    assert await values(ownership) == {"tax_id": ("DE3", "crm")}
    assert await proposed(ownership) == []


async def test_a_dismissed_proposal_leaves_the_value(ownership):
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")
    await ownership.observe(KEY, {"tax_id": "DE3"}, by="crm")
    [proposal] = await ownership.proposals(KEY)
    await ownership.decide(KEY, proposal.id, accept=False)

    assert await values(ownership) == {"tax_id": ("DE2", "erp")}
    assert await proposed(ownership) == []


async def test_a_proposal_is_decided_once_and_under_its_own_customer(ownership):
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")
    await ownership.observe(KEY, {"tax_id": "DE3"}, by="crm")
    [proposal] = await ownership.proposals(KEY)

    with pytest.raises(NotFound):
        await ownership.decide("ACC-1002", proposal.id, accept=True)
    await ownership.decide(KEY, proposal.id, accept=False)
    with pytest.raises(NotFound, match="there is no proposal"):
        await ownership.decide(KEY, proposal.id, accept=True)


async def test_customers_do_not_mix(ownership):
    await ownership.observe(KEY, {"tax_id": "DE2"}, by="erp")
    await ownership.observe("ACC-1002", {"tax_id": "DE3"}, by="crm")

    assert await values(ownership) == {"tax_id": ("DE2", "erp")}
    assert await proposed(ownership) == []


async def test_many_who_say_the_same_at_once_are_one_word(ownership):
    said = {"name": "Northwind", "email": "ap@northwind.example", "tax_id": None}
    await asyncio.gather(*(ownership.observe(KEY, said, by="crm") for _ in range(20)))

    assert await values(ownership) == {name: (value, "crm") for name, value in said.items()}
    assert await proposed(ownership) == []


async def test_an_attribute_that_nobody_owns_is_a_mistake(ownership):
    with pytest.raises(KeyError, match="shoe_size"):
        await ownership.observe(KEY, {"shoe_size": "44"}, by="crm")


def test_every_owner_is_a_domain():
    assert set(OWNERS.values()) <= {"crm", "billing", "erp"}
