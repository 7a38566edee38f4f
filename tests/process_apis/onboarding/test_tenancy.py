"""Whoever is restricted to certain accounts onboards these and follows their onboardings; others' do not exist for them."""

import pytest

from contracts.models.onboarding import CreditDecision, OnboardingState
from contracts.models.operation import Reason
from kernel.problem import Conflict, NotFound
from tests.process_apis.partners import calling

NORTHWIND, ALPENGLOW = "salesforce/0011001", "salesforce/0011002"
WHY = Reason(reason="try again")


def northwind():
    return calling(NORTHWIND)


def alpenglow():
    return calling(ALPENGLOW, client="alpenglow-portal", partner="alpenglow")


def asked(onboardings, id):
    """Every way to ask for an onboarding by its id."""
    decision = CreditDecision(decision="approve", reason="I say so")
    return {
        "get": onboardings.get_onboarding(id),
        "operation": onboardings.get_onboarding_operation(id),
        "release": onboardings.release_onboarding(id, WHY, "key-r"),
        "decide": onboardings.decide_onboarding(id, decision, "key-d"),
    }


async def refused(call):
    with pytest.raises(NotFound) as refusal:
        await call
    return refusal.value.body()


async def test_a_partner_onboards_and_follows_its_own_account(onboardings, start, decide):
    with northwind():
        begun = await start("ACC-1001")
        seen = await onboardings.get_onboarding(begun.id)
    done = await decide(begun.id, "approve")
    with northwind():
        operation = await onboardings.get_onboarding_operation(begun.id)

    assert seen.state is OnboardingState.AWAITING_CREDIT_DECISION
    assert (done.state, operation.done) == (OnboardingState.COMPLETED, True)


@pytest.mark.parametrize("way", ["get", "operation", "release", "decide"])
async def test_another_s_onboarding_is_told_like_one_that_does_not_exist(onboardings, start, way):
    with northwind():
        begun = await start("ACC-1001")
    told = {}
    with alpenglow():
        for id in (begun.id, "ACC-9999"):
            ways = asked(onboardings, id)
            told[id] = str(await refused(ways.pop(way))).replace(id, "…")
            for unused in ways.values():
                unused.close()

    assert len(set(told.values())) == 1
    assert (await onboardings.get_onboarding(begun.id)).state is OnboardingState.AWAITING_CREDIT_DECISION


async def test_another_s_account_cannot_be_onboarded_nor_asked_about(start, world):
    with northwind():
        theirs, unknown = await refused(start("ACC-1002")), await refused(start("ACC-9999"))

    assert str(theirs).replace("0011002", "0019999") == str(unknown)
    assert not world.traffic.calls


async def test_an_account_with_another_s_number_is_not_told_whose_it_is(start, world):
    with northwind():
        await start("ACC-1001")
    world.change_account("ACC-1002", number="ACC-1001", address=world.crm.accounts["0011001"].address, currency="USD")
    with alpenglow(), pytest.raises(Conflict) as refusal:
        await start("ACC-1002", key="key-other")

    assert "0011001" not in str(refusal.value.body())
