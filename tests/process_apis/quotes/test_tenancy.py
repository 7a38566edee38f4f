"""A quote is validated for whoever may see its account; to others it does not exist, and nothing is asked on their behalf."""

import pytest

from contracts.models.operation import CrmRecord
from contracts.models.validation import Verdict
from kernel.problem import NotFound, PlatformDown, PlatformTimeout, UnknownConnection
from process_apis.quotes.process import QuoteDecisions
from tests.process_apis.partners import HARBOR, calling, harbor
from tests.process_apis.platforms.world import quote


async def test_its_own_quote_is_validated_and_its_account_named(decisions):
    with harbor():
        validation = await decisions.validate_quote(quote("Q-1003"))

    assert (validation.verdict, validation.customer_key) == (Verdict.OK, "ACC-1003")
    assert validation.account is not None
    assert f"{validation.account.connection}/{validation.account.id}" == HARBOR


async def test_another_s_quote_is_told_like_one_that_does_not_exist(decisions, world):
    told = {}
    with harbor():
        for id in (quote("Q-1010").id, "0Q09999"):
            with pytest.raises(NotFound) as refusal:
                await decisions.validate_quote(CrmRecord(connection="salesforce", id=id))
            told[id] = str(refusal.value.body()).replace(id, "…")

    assert len(set(told.values())) == 1
    assert set(world.traffic.calls) == {"crm.get_quote"}


@pytest.mark.parametrize("connection", ["salesforce", "hubspot"])
async def test_where_it_has_no_account_a_connection_is_neither_asked_nor_known(decisions, world, connection):
    with calling("dynamics/1"), pytest.raises(NotFound, match=f"there is no quote Q in {connection}"):
        await decisions.validate_quote(CrmRecord(connection=connection, id="Q"))

    assert not world.traffic.calls
    with pytest.raises(UnknownConnection):
        await decisions.validate_quote(CrmRecord(connection="hubspot", id="Q"))


async def test_while_nobody_can_say_whose_it_is_it_is_nobodys(decisions, world):
    world.traffic.fail("crm.get_quote", PlatformDown("down"))
    with harbor(), pytest.raises(PlatformDown):
        await decisions.validate_quote(quote("Q-1003"))
    unrestricted = await decisions.validate_quote(quote("Q-1003"))

    assert unrestricted.verdict is Verdict.COULD_NOT_CHECK


async def test_a_crm_that_hangs_is_waited_for_no_longer_than_for_a_check(world):
    world.traffic.hang("crm.get_quote")
    with harbor(), pytest.raises(PlatformTimeout):
        await QuoteDecisions(world.systems, world.book, world.clock, deadline=0.05).validate_quote(quote("Q-1003"))


async def test_an_account_that_merely_has_another_s_number_learns_nothing_of_its_customer(decisions, world):
    """Northwind was never onboarded; somebody gives it the number under which the books know Overdrawn."""
    world.change_account("ACC-1001", number="ACC-1004")
    with calling("salesforce/0011001"):
        told = await decisions.validate_quote(quote("Q-1001"))
    credit = next(check for check in told.checks if check.name == "credit")
    told_sales = await decisions.validate_quote(quote("Q-1001"))

    assert told.customer is None
    assert "not known" in credit.findings[0].reason
    assert told_sales.customer == world.erp.of("ACC-1004").reference
