"""The journey once more, by a program that knows the estate from its contracts alone: the generated Python client."""

import importlib
import shutil
import sys

import pytest

from gateway.house import CONTRACTS
from governance.clients.python.package import package
from governance.collection import collect
from tests.journeys import people
from tests.journeys.caller import CRM, EVERYTHING
from tests.journeys.deployment import plain

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("datamodel-codegen"), reason="pip install datamodel-code-generator"),
]
APIS = ("process/onboarding", "process/orders", "experience/sales_desk", "system/crm")


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """The generated package, imported from where it was written."""
    contracts = [one for one in collect(str(CONTRACTS)).values() if one.api in APIS]
    package(contracts, tmp_path / "client", "acme_client")
    monkeypatch.syspath_prepend(str(tmp_path / "client"))
    yield importlib.import_module("acme_client")
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_client"]:
        del sys.modules[name]


async def credentials(deployment):
    code, said = await deployment.run("clients", "add", "a generated client", *[f"--scope={scope}" for scope in EVERYTHING])
    assert code == 0, said
    return [line.split()[-1] for line in said.splitlines()[:2]]


async def onboarded(acme, client, account_id):
    models = importlib.import_module("acme_client.onboarding_v1.models")
    account = models.CrmRecord(connection=CRM, id=account_id)
    terms = models.CreditTerms(payment_days=30, credit_limit=models.Money(amount="50000.00", currency="USD"))
    begun = await client.onboarding_v1.start_onboarding(models.NewOnboarding(account=account, terms=terms))
    with pytest.raises(acme.NotFound) as refusal:
        await client.onboarding_v1.get_onboarding("nothing-of-the-kind")
    decision = models.CreditDecision(decision="approve", reason="in good standing")
    done = await client.onboarding_v1.decide_onboarding(begun.id, decision)
    return begun, refusal.value, done


async def test_it_onboards_validates_and_orders_through_a_running_gateway(deploy, acme):
    deployment = deploy()
    await deployment.start_sandbox()
    await deployment.start_gateway()
    account_id, quote_id = await people.account_id(deployment, "ACC-1001"), await quote(deployment)
    client_id, secret = await credentials(deployment)
    async with (
        plain(deployment.url, timeout=20) as http,
        acme.Client.with_credentials("", client_id, secret, http=http) as client,
    ):
        begun, refusal, onboarding = await onboarded(acme, client, account_id)
        checked = await client.sales_desk_v1.check_quote(CRM, quote_id)
        models = importlib.import_module("acme_client.sales_desk_v1.models")
        wanted, key = models.Submission(customer_reference="PO-2026-11"), "po-2026-11-once"
        order = await client.sales_desk_v1.place_order(CRM, quote_id, wanted, idempotency_key=key)
        again = await client.sales_desk_v1.place_order(CRM, quote_id, wanted, idempotency_key=key)
        listed = [one.id async for one in client.orders_v1.each_of_list_orders(limit=1)]
        written = await client.crm_v1.get_quote(CRM, quote_id)

    assert begun.state in ("awaiting_credit_decision", "in_progress", "completed")
    assert (refusal.status, bool(refusal.correlation_id)) == (404, True)
    assert onboarding.state == "completed"
    assert onboarding.erp_customer.connection == "netsuite"
    assert (checked.verdict, order.state, again.id) == ("ok", "completed", order.id)
    assert listed == [order.id]
    assert written.order_key == order.id
    assert len(await deployment.records("stripe", "subscription")) == 1


async def test_what_a_platform_refuses_for_a_while_is_answered_in_the_end(deploy, acme):
    deployment = deploy({"TRIVIUM_ANSWER_WITHIN": "5"})
    await deployment.start_sandbox()
    await deployment.start_gateway()
    account_id = await people.account_id(deployment, "ACC-1001")
    client_id, secret = await credentials(deployment)
    patient, impatient = acme.Retries(attempts=30, first_pause=0.1, longest_pause=5), acme.Retries(attempts=1)
    async with plain(deployment.url, timeout=20) as http:
        once = acme.Client.with_credentials("", client_id, secret, http=http, retries=impatient)
        client = acme.Client.with_credentials("", client_id, secret, http=http, retries=patient)
        await deployment.fault("salesforce", "server_error", count=10)
        with pytest.raises(acme.Unavailable) as refusal:
            await once.crm_v1.get_account(CRM, account_id)
        account = await client.crm_v1.get_account(CRM, account_id)

    assert "salesforce" in refusal.value.detail.lower() + str(refusal.value.system)
    assert account.reference.id == account_id


async def quote(deployment):
    return next(one["Id"] for one in await deployment.records("salesforce", "Quote") if one["QuoteNumber"] == "Q-1001")
