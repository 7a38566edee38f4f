"""Onboarding: eligibility at once, a customer everywhere after finance's word, and nothing left behind by a refusal."""

import asyncio
from datetime import timedelta

import pytest

from contracts.models.onboarding import NewOnboarding, OnboardingState
from contracts.models.operation import CrmRecord, Reason
from contracts.models.reference import Reference
from contracts.models.sales import References
from kernel.problem import Conflict, Invalid, KeyReused, NotFound, PlatformDown, Refused, Unmapped
from tests.process_apis.onboarding.conftest import terms
from tests.process_apis.platforms.world import account

AGAIN = Reason(reason="put right")


async def test_an_eligible_account_waits_for_finance_with_the_terms_that_sales_asked_for(start, world):
    waiting = await start("ACC-1001")

    assert (waiting.id, waiting.state) == ("ACC-1001", OnboardingState.AWAITING_CREDIT_DECISION)
    assert (waiting.customer_key, waiting.legal_entity, waiting.terms) == ("ACC-1001", "US01", terms())
    assert waiting.operation == "/process/onboarding/v1/operations/ACC-1001"
    assert (world.erp.of("ACC-1001").reference, world.billing.of("ACC-1001")) == (waiting.erp_customer, None)
    assert world.erp.terms == {}


async def test_approved_it_is_a_customer_in_every_system(start, decide, world):
    done = await decide((await start("ACC-1001")).id, "approve")

    ledger, billed = world.erp.of("ACC-1001"), world.billing.of("ACC-1001")
    assert (done.state, done.erp_customer, done.billing_customer) == (
        OnboardingState.COMPLETED,
        ledger.reference,
        billed.reference,
    )
    assert world.erp.terms == {ledger.reference.id: terms()}
    assert world.crm.written == [
        ("0011001", References(erp_customer_id=ledger.reference.id, billing_customer_id=billed.reference.id))
    ]
    known = {str(found.reference) for found in await world.book.references.of("ACC-1001")}
    assert known == {"salesforce/account/0011001", str(ledger.reference), str(billed.reference)}


async def test_master_data_knows_what_was_granted_and_who_owns_it(start, decide, world):
    await decide((await start("ACC-1001")).id, "approve")

    known = {found.name: (found.value, found.set_by) for found in await world.book.ownership.attributes("ACC-1001")}
    assert known["payment_days"] == ("30", "erp")
    assert known["credit_limit"] == ("20000.00 USD", "erp")
    assert known["legal_entity"] == ("US01", "erp")
    assert known["address"] == ("1 Pier Ave, 94111, San Francisco, CA, US", "crm")


async def test_finance_may_grant_other_terms(start, decide, world):
    done = await decide((await start("ACC-1001")).id, "approve", terms("5000", 14))

    assert done.terms == terms("5000", 14)
    assert list(world.erp.terms.values()) == [terms("5000", 14)]


async def test_terms_in_another_currency_are_not_granted(start, decide, world):
    waiting = await start("ACC-1001")

    with pytest.raises(Invalid, match="a credit limit in EUR for a customer in USD") as refused:
        await decide(waiting.id, "approve", terms(currency="EUR"))
    assert refused.value.field == "terms.credit_limit.currency"
    assert (await decide(waiting.id, "approve")).state is OnboardingState.COMPLETED


async def test_a_refusal_blocks_the_customer_that_this_onboarding_made(start, decide, world, durable):
    refused = await decide((await start("ACC-1001")).id, "refuse")
    record = await durable.get("onboarding:ACC-1001")

    assert (refused.state, refused.billing_customer) == (OnboardingState.REFUSED, None)
    assert (world.erp.of("ACC-1001").active, world.billing.of("ACC-1001")) == (False, None)
    assert record.reason == "finance refused: as finance sees it"
    assert world.crm.written == []


async def test_a_refusal_leaves_a_customer_who_was_there_before_alone(start, decide, world):
    refused = await decide((await start("ACC-1003")).id, "refuse")

    assert refused.state is OnboardingState.REFUSED
    assert (world.erp.of("ACC-1003").active, world.billing.of("ACC-1003").active) == (True, True)
    assert world.traffic.calls["erp.set_customer_status"] == 0


@pytest.mark.parametrize("decide_within", [timedelta(milliseconds=50)])
async def test_without_a_decision_in_time_it_is_refused_and_undone(start, durable, world):
    await start("ACC-1001")
    async with asyncio.timeout(10):
        while (record := await durable.wait("onboarding:ACC-1001", 10)).state.value not in ("refused", "failed"):
            pass

    assert (record.state.value, world.erp.of("ACC-1001").active) == ("refused", False)
    assert "finance did not decide" in record.reason


async def test_a_decision_is_taken_once(start, decide):
    id = (await start("ACC-1001")).id
    done = await decide(id, "approve", key="key-first")
    repeated = await decide(id, "approve", key="key-first")

    assert repeated == done
    with pytest.raises(Conflict, match="not waiting"):
        await decide(id, "refuse", key="key-other")


async def test_after_a_refusal_it_is_tried_again_under_the_next_key_and_the_customer_comes_back(start, decide, world):
    first = await decide((await start("ACC-1001", "key-0001")).id, "refuse")
    second = await start("ACC-1001", "key-0002")
    blocked = world.erp.of("ACC-1001").active
    done = await decide(second.id, "approve", key="key-again")

    assert (first.id, second.id, second.customer_key) == ("ACC-1001", "ACC-1001.2", "ACC-1001")
    assert (blocked, world.erp.of("ACC-1001").active) == (False, True)
    assert (done.state, len([c for c in world.erp.customers.values() if c.key == "ACC-1001"])) == (OnboardingState.COMPLETED, 1)


async def test_a_second_refusal_leaves_it_blocked(start, decide, world):
    await decide((await start("ACC-1001", "key-0001")).id, "refuse")
    second = await decide((await start("ACC-1001", "key-0002")).id, "refuse", key="key-again")

    assert (second.state, world.erp.of("ACC-1001").active) == (OnboardingState.REFUSED, False)


async def test_fifty_onboardings_of_one_account_at_once_are_one(start, decide, world, durable):
    waiting = await asyncio.gather(*(start("ACC-1001", f"key-{n:04}") for n in range(50)))
    await decide("ACC-1001", "approve")

    assert {(one.id, one.state) for one in waiting} == {("ACC-1001", OnboardingState.AWAITING_CREDIT_DECISION)}
    assert len(await durable.search(process="onboarding")) == 1
    assert [world.traffic.calls[name] for name in ("erp.create_customer", "billing.create_customer")] == [1, 1]
    assert len([customer for customer in world.erp.customers.values() if customer.key == "ACC-1001"]) == 1
    assert len([customer for customer in world.billing.customers.values() if customer.key == "ACC-1001"]) == 1


async def test_asking_again_shows_the_onboarding_that_is_there(start, decide):
    await start("ACC-1001", "key-0001")
    done = await decide("ACC-1001", "approve")

    assert await start("ACC-1001", "key-0001") == done
    assert await start("ACC-1001", "key-0002", terms("99000")) == done


async def test_the_same_key_does_not_mean_another_request(start):
    await start("ACC-1001", "key-0001")

    with pytest.raises(KeyReused):
        await start("ACC-1002", "key-0001", terms(currency="EUR"))


async def test_the_key_of_an_account_may_hold_a_dot(start, decide, world):
    world.change_account("ACC-1001", number="US.1001")
    await decide((await start("ACC-1001", "key-0001")).id, "refuse")
    second = await start("ACC-1001", "key-0002")

    assert (second.id, second.customer_key) == ("US.1001.2", "US.1001")


@pytest.mark.parametrize(
    ("number", "changes", "problem", "field", "fix"),
    [
        ("ACC-1005", {}, Refused, "account.active", "reactivate the account in the CRM"),
        ("ACC-1006", {}, Invalid, "account.address", "enter the account's billing address in the CRM"),
        ("ACC-1001", {"email": None}, Invalid, "account.email", "enter the account's billing email in the CRM"),
        ("ACC-1001", {"currency": "EUR"}, Invalid, "account.currency", "set the account's currency to USD in the CRM"),
        ("ACC-1001", {"parent": Reference(connection="salesforce", kind="account", id="0019999")}, Refused, "account.parent",
         "correct the account's parent in the CRM"),
    ],
)  # fmt: skip
async def test_an_account_that_is_not_eligible_is_told_so_at_once(start, world, durable, number, changes, problem, field, fix):
    world.change_account(number, **changes)

    with pytest.raises(problem) as refused:
        await start(number)
    assert (refused.value.field, refused.value.system, refused.value.fix) == (field, "salesforce", fix)
    assert await durable.search() == []
    assert world.erp.of("ACC-1001") is None


async def test_terms_in_another_currency_are_refused_at_once(start):
    with pytest.raises(Invalid, match="a credit limit in EUR") as refused:
        await start("ACC-1001", asked=terms(currency="EUR"))

    assert (refused.value.field, refused.value.fix) == ("terms.credit_limit.currency", "ask for a limit in USD")


async def test_an_account_where_nobody_sells_names_the_route_to_add(start, world):
    address = world.crm.accounts["0011001"].address
    world.change_account("ACC-1001", address=address.model_copy(update={"country": "JP"}))

    with pytest.raises(Unmapped, match="no legal entity sells to JP"):
        await start("ACC-1001")


async def test_two_records_with_one_account_number_are_a_conflict(start, world):
    await start("ACC-1001", "key-0001")
    copy = Reference(connection="salesforce", kind="account", id="0018888")
    world.crm.accounts["0018888"] = world.crm.accounts["0011001"].model_copy(update={"reference": copy})

    with pytest.raises(Conflict, match=r"ACC-1001 already stands for salesforce/account/0011001") as refused:
        await start("ACC-8888", "key-0002")
    assert "merge the duplicate" in str(refused.value.fix)


async def test_an_account_that_does_not_exist_is_not_found(onboardings):
    with pytest.raises(NotFound):
        await onboardings.start_onboarding(NewOnboarding(account=account("ACC-9999"), terms=terms()), "key-1234")
    with pytest.raises(NotFound, match="there is no onboarding ACC-9999"):
        await onboardings.get_onboarding("ACC-9999")


async def test_an_unknown_connection_names_its_field(onboardings):
    with pytest.raises(Invalid) as refused:
        await onboardings.start_onboarding(
            NewOnboarding(account=CrmRecord(connection="hubspot", id="1"), terms=terms()), "key-1234"
        )

    assert refused.value.field == "connection"


async def test_a_platform_that_refuses_holds_it_until_it_is_released(start, decide, world, onboardings):
    no = Refused("Memory billing: unknown tax id", field="tax_id", system="stripe", fix="correct the tax id")
    world.traffic.fail("billing.create_customer", no, times=1)
    held = await decide((await start("ACC-1001")).id, "approve")
    done = await onboardings.release_onboarding(held.id, AGAIN, "key-release")

    assert (held.state, held.problem["fix"]) == (OnboardingState.HELD, "correct the tax id")
    assert done.state is OnboardingState.COMPLETED
    assert world.traffic.calls["erp.create_customer"] == 1


async def test_the_operation_shows_its_steps_and_what_it_waits_for(start, decide, onboardings):
    await start("ACC-1001")
    waiting = await onboardings.get_onboarding_operation("ACC-1001")
    await decide("ACC-1001", "approve")
    done = await onboardings.get_onboarding_operation("ACC-1001")

    assert (waiting.state, waiting.waiting_for, waiting.done) == ("waiting", "credit", False)
    assert [step.name for step in waiting.steps] == ["look for customer in ERP", "create customer in ERP"]
    assert (done.state, done.done, done.resource) == ("completed", True, "/process/onboarding/v1/onboardings/ACC-1001")
    assert [step.name for step in done.steps][2:] == [
        "set credit terms in ERP", "look for customer in billing", "create customer in billing", "record cross-references",
        "write references to CRM",
    ]  # fmt: skip
    assert {step.state for step in done.steps} == {"done"}


async def test_a_crm_that_is_down_is_said_at_once(start, world, durable):
    world.traffic.fail("crm", PlatformDown("down"))

    with pytest.raises(PlatformDown):
        await start("ACC-1001")
    assert await durable.search() == []
