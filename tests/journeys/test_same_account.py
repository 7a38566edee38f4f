"""Fifty people onboard the same account at once, each under their own key: one onboarding, and one customer in each system."""

import asyncio

import pytest

from tests.journeys import people
from tests.journeys.caller import CRM, caller
from tests.journeys.databases import fresh_postgres
from tests.journeys.deployment import VENDORS, plain

pytestmark = pytest.mark.slow
PEOPLE = 50
TERMS = {"payment_days": 30, "credit_limit": {"amount": "50000.00", "currency": "USD"}}


async def everyone_onboards(account, *doors):
    """The answers to all of them, who are spread over the doors of the deployment."""
    path, body = "/process/onboarding/v1/onboardings", {"account": {"connection": CRM, "id": account}, "terms": TERMS}
    asked = [doors[n % len(doors)].insist("POST", path, body, f"person-{n}-asks") for n in range(PEOPLE)]
    return await asyncio.gather(*asked)


async def end_as_one(deployment, client, *doors):
    """However many ask, before finance decides and after it: they are shown one onboarding, and there is one customer."""
    account = await people.account_id(deployment, "ACC-1001")
    answers = await everyone_onboards(account, client, *doors)
    named = {answer.json().get("id") for answer in answers}

    assert {answer.status_code for answer in answers} <= {201, 202}, [answer.text for answer in answers]
    assert len(named) == 1
    onboarding = await client.approve(named.pop())
    again = await everyone_onboards(account, client, *doors)
    assert {(answer.status_code, answer.json()["id"]) for answer in again} == {(201, onboarding["id"])}
    await assert_one_customer(deployment, account, onboarding)


async def assert_one_customer(deployment, account, onboarding):
    in_netsuite = [one for one in await deployment.records("netsuite", "customer") if one["externalId"] == "ACC-1001"]
    in_stripe = [one for one in await deployment.records("stripe", "customer") if one["metadata"]["external_id"] == "ACC-1001"]
    in_crm = next(one for one in await deployment.records("salesforce", "Account") if one["Id"] == account)

    assert [one["id"] for one in in_netsuite] == [onboarding["erp_customer"]["id"]] == [in_crm["ERP_Id__c"]]
    assert [one["id"] for one in in_stripe] == [onboarding["billing_customer"]["id"]] == [in_crm["Billing_Account_Id__c"]]


@pytest.mark.parametrize("platforms", ["reliable", "losing replies"])
async def test_all_are_shown_the_one_onboarding_and_there_is_one_customer(deploy, platforms):
    deployment = deploy({"TRIVIUM_ANSWER_WITHIN": "5"})
    await deployment.start_sandbox()
    await deployment.start_gateway()
    if platforms == "losing replies":
        await deployment.fault("netsuite", "reply_lost", method="PUT", count=2)
        await deployment.fault("stripe", "reply_lost", method="POST", path="/v1/customers", count=2)
        for vendor in VENDORS:
            await deployment.fault(vendor, "reply_lost", probability=0.05, count=None)

    async with caller(deployment) as client:
        await end_as_one(deployment, client)


@pytest.mark.postgres
async def test_it_makes_no_difference_at_which_process_they_ask(deploy):
    with fresh_postgres() as database_url:
        deployment = deploy({"TRIVIUM_ANSWER_WITHIN": "5", "TRIVIUM_DATABASE_URL": database_url})
        await deployment.start_sandbox()
        await deployment.start_gateway()
        other_door = await deployment.start_another_gateway()
        for vendor in VENDORS:
            await deployment.fault(vendor, "reply_lost", probability=0.05, count=None)

        async with caller(deployment) as client, plain(other_door, timeout=20) as http:
            await end_as_one(deployment, client, client.at(http))


async def test_finance_decides_once_however_many_say_so(deploy):
    deployment = deploy({"TRIVIUM_ANSWER_WITHIN": "5"})
    await deployment.start_sandbox()
    await deployment.start_gateway()
    async with caller(deployment) as client:
        account = await people.account_id(deployment, "ACC-1001")
        body = {"account": {"connection": CRM, "id": account}, "terms": TERMS}
        asked = (await client.insist("POST", "/process/onboarding/v1/onboardings", body)).json()
        here = f"/process/onboarding/v1/onboardings/{asked['id']}"
        words = [{"decision": word, "reason": "several people decide"} for word in ("approve", "refuse") * 5]
        answers = await asyncio.gather(*(client.insist("POST", f"{here}/decisions", word) for word in words))
        late = await client.insist("POST", f"{here}/decisions", words[0])
        state = (await client.ask("GET", here)).json()["state"]

        accepted = [answer for answer in answers if answer.status_code in (200, 202)]
        assert len(accepted) == 1, [answer.text for answer in answers]
        assert {answer.status_code for answer in answers if answer not in accepted} == {409}
        assert late.status_code == 409
        assert state in ("completed", "refused")
