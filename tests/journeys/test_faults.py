"""What a person notices when something is wrong: with a quote, with a platform, or with what was agreed.

One deployment for all; each test has quotes of its own, and mends what it broke.
"""

from datetime import date

import pytest
import pytest_asyncio

from tests.journeys import people
from tests.journeys.caller import CRM, caller
from tests.journeys.deployment import Deployment
from tests.journeys.orders import LINES

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
CREDIT = {"ACC-1003": ("USD", "100000.00"), "ACC-1004": ("USD", "10000.00"), "ACC-1007": ("EUR", "50000.00")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployment(tmp_path_factory):
    """Up, with its platforms reliable."""
    deployment = Deployment(tmp_path_factory.mktemp("faults"), {"TRIVIUM_ANSWER_WITHIN": "5", "TRIVIUM_CHECK_DEADLINE": "2.5"})
    try:
        await deployment.start_sandbox()
        await deployment.start_gateway()
        yield deployment
    finally:
        await deployment.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(deployment):
    """Who may do everything; customers that the books already know are onboarded."""
    async with caller(deployment) as client:
        for number, (currency, limit) in CREDIT.items():
            await client.onboard(await people.account_id(deployment, number), currency, limit)
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def quote(deployment, client):
    """An approved quote of Harbor Freightways that nobody has submitted."""
    (made,) = await people.write_quotes(deployment, "ACC-1003", LINES["USD"], 1)
    yield made
    await deployment.mend()


def failed_checks(validation):
    return {check["name"]: check["findings"] for check in validation["checks"] if check["verdict"] == "not_ok"}


async def completed(client, quote):
    answer = await client.submit(quote)
    assert answer.status_code in (201, 202), answer.text
    order = await client.settled(answer.json()["id"])
    assert order["state"] == "completed", order
    return order


async def test_customers_whom_the_books_know_are_found_and_not_doubled(deployment, client):
    in_netsuite = [one["externalId"] for one in await deployment.records("netsuite", "customer")]
    in_stripe = [one["metadata"]["external_id"] for one in await deployment.records("stripe", "customer")]

    for number in CREDIT:
        assert (in_netsuite.count(number), in_stripe.count(number)) == (1, 1)


@pytest.mark.parametrize(
    ("number", "check", "field"),
    [
        ("Q-1004", "credit", "quote.total"),
        ("Q-1006", "stock", "quote.lines[0].quantity"),
        ("Q-1007", "contract_not_expired", "quote.expires_on"),
        ("Q-1009", "quote_approved", "quote.status"),
        ("Q-1011", "prices", "quote.lines[0].unit_price"),
    ],
)
async def test_a_quote_that_must_not_become_an_order_is_refused_with_what_to_change(deployment, client, number, check, field):
    quote = await people.quote_id(deployment, number)
    validation, answer = await client.validate(quote), await client.submit(quote)

    problem = answer.json()
    assert validation["verdict"] == "not_ok"
    assert list(failed_checks(validation)) == [check]
    assert answer.status_code == 422
    assert (problem["field"], problem["system"]) == (field, failed_system(validation))
    assert problem["fix"]
    assert [one["name"] for one in problem["checks"]] == [check]
    assert await nothing_was_made(deployment, quote)


def failed_system(validation):
    return next(check["system"] for check in validation["checks"] if check["verdict"] == "not_ok")


async def nothing_was_made(deployment, quote):
    sales_orders = [one["externalId"] for one in await deployment.records("netsuite", "salesOrder")]
    subscriptions = [one["metadata"]["external_ref"] for one in await deployment.records("stripe", "subscription")]
    return f"{CRM}-{quote}" not in (*sales_orders, *subscriptions)


async def test_an_inactive_account_is_neither_onboarded_nor_sold_to(deployment, client):
    terms = {"payment_days": 30, "credit_limit": {"amount": "1000.00", "currency": "USD"}}
    account = {"connection": CRM, "id": await people.account_id(deployment, "ACC-1005")}
    onboarding = await client.ask("POST", "/process/onboarding/v1/onboardings", {"account": account, "terms": terms})
    order = await client.submit(await people.quote_id(deployment, "Q-1005"))

    assert (onboarding.status_code, onboarding.json()["field"]) == (422, "account.active")
    assert order.status_code == 422
    assert "account_active" in [check["name"] for check in order.json()["checks"]]


async def test_an_account_without_an_address_is_refused_naming_the_field(deployment, client):
    terms = {"payment_days": 30, "credit_limit": {"amount": "1000.00", "currency": "USD"}}
    account = {"connection": CRM, "id": await people.account_id(deployment, "ACC-1006")}
    answer = await client.ask("POST", "/process/onboarding/v1/onboardings", {"account": account, "terms": terms})

    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["system"]) == ("account.address", "salesforce")
    assert answer.json()["fix"]


async def test_a_quote_that_does_not_exist_is_not_found(client):
    answer = await client.submit("0Q0000000000000AAA")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_an_unmapped_item_is_refused_until_people_put_it_on_record(deployment, client):
    quote = await people.quote_id(deployment, "Q-1008")
    refused = await client.submit(quote)

    problem = refused.json()
    assert refused.status_code == 422
    assert (problem["field"], problem["system"]) == ("quote.lines[0].sku", "netsuite")
    assert "LEGACY-ADDON" in problem["detail"]
    assert "/ops/master-data/v1/mappings" in problem["fix"]
    await put_on_record(deployment, client)
    order = await completed(client, quote)
    assert order["total"] == {"amount": "300.00", "currency": "USD"}


async def put_on_record(deployment, client):
    """The item in the ERP, its price in billing, and what both are called."""
    await people.item_in_netsuite(deployment, "LEGACY-NS", 300)
    await people.price_in_stripe(deployment, "LEGACY-ADDON/usd", "LEGACY-ADDON", 30000, interval="year")
    for kind, connection, source, target in (
        ("charge", "any", "LEGACY-ADDON", "annual"),
        ("item", "netsuite", "LEGACY-ADDON", "LEGACY-NS"),
        ("price", "stripe", "LEGACY-ADDON/USD", "LEGACY-ADDON/usd"),
    ):
        names = {"kind": kind, "connection": connection, "source": source, "target": target}
        body = {**names, "valid_from": date.today().isoformat()}
        answer = await client.ask("POST", "/ops/master-data/v1/mappings", body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["author"]


async def test_the_parts_of_a_bundle_share_its_price_to_the_cent(deployment, client):
    order = await completed(client, await people.quote_id(deployment, "Q-1010"))

    sales_order = next(one for one in await deployment.records("netsuite", "salesOrder") if one["externalId"] == order["id"])
    amounts = [int(line["amount"].replace(".", "")) for line in sales_order["item"]["items"]]
    assert order["total"] == {"amount": "2300.00", "currency": "EUR"}
    assert len(amounts) == 2
    assert sum(amounts) == 230_000


async def test_a_platform_that_is_down_leaves_its_checks_open_and_the_order_held_until_it_is_back(deployment, client, quote):
    await deployment.fault("netsuite", "server_error", count=None)
    validation, answer = await client.validate(quote), await client.submit(quote)

    verdicts = {check["system"]: check["verdict"] for check in validation["checks"] if check["verdict"] != "ok"}
    held = answer.json()
    assert validation["verdict"] == "could_not_check"
    assert verdicts == {"netsuite": "could_not_check"}
    assert (answer.status_code, held["state"], held["information_required"]) == (202, "held", True)
    assert held["problem"]["system"] == "netsuite"
    assert "releases" in held["problem"]["fix"]
    assert (await client.release(held["id"]))["state"] == "held", "released too early it is held again"
    await deployment.mend("netsuite")
    assert (await client.release(held["id"]))["state"] == "completed"


async def test_a_platform_that_is_slow_costs_its_own_checks_only(deployment, client, quote):
    await deployment.fault("stripe", "timeout", count=None)
    validation = await client.validate(quote)

    assert validation["verdict"] == "could_not_check"
    assert {check["system"] for check in validation["checks"] if check["verdict"] == "could_not_check"} == {"stripe"}
    assert len([check for check in validation["checks"] if check["verdict"] == "ok"]) == 11
    assert max(check["milliseconds"] for check in validation["checks"]) < 4000


async def test_a_lost_reply_makes_no_second_record(deployment, client, quote):
    await deployment.fault("netsuite", "reply_lost", method="PUT", path="/salesOrder/")
    await deployment.fault("stripe", "reply_lost", method="POST", path="/v1/subscriptions")
    await deployment.fault("salesforce", "reply_lost", method="POST", path="/composite")
    order = await completed(client, quote)

    keys = [one["metadata"]["external_ref"] for one in await deployment.records("stripe", "subscription")]
    external = [one["externalId"] for one in await deployment.records("netsuite", "salesOrder")]
    assert (keys.count(order["id"]), external.count(order["id"])) == (1, 1)


async def test_the_same_quote_submitted_again_is_the_same_order(client, quote):
    first = await completed(client, quote)
    again = await client.submit(quote)

    assert (again.status_code, again.json()["id"], again.json()["state"]) == (201, first["id"], "completed")


async def test_the_correlation_id_of_a_submission_reaches_every_platform(deployment, client, quote):
    path, named = f"/experience/sales-desk/v1/quotes/{CRM}/{quote}/orders", "a-submission-we-follow"
    answer = await client.ask("POST", path, {}, X_Correlation_Id=named)
    order = await client.settled(answer.json()["id"])

    assert (order["state"], order["correlation_id"]) == ("completed", named)
    assert answer.headers["X-Correlation-Id"] == named
    for vendor, method in (("salesforce", "POST"), ("stripe", "POST"), ("netsuite", "PUT")):
        told = [one for one in await deployment.requests(vendor) if named in str(one["headers"])]
        assert method in {one["method"] for one in told}, f"{vendor} was not told"


async def test_a_completed_order_that_is_cancelled_is_taken_back_everywhere(deployment, client, quote):
    order = await completed(client, quote)
    here = f"/process/orders/v1/orders/{order['id']}/cancellations"
    answer = await client.insist("POST", here, {"reason": "the customer changed its mind"})
    again = await client.insist("POST", here, {"reason": "the customer changed its mind"})

    trace = order["trace"]
    sales_order = next(
        one for one in await deployment.records("netsuite", "salesOrder") if one["id"] == trace["sales_order"]["id"]
    )
    subscription = next(
        one for one in await deployment.records("stripe", "subscription") if one["id"] == trace["subscription"]["id"]
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert (again.status_code, again.json()["state"]) == (200, "cancelled")
    assert all(line["isClosed"] for line in sales_order["item"]["items"])
    assert subscription["status"] == "canceled"


async def test_refused_credit_terms_block_what_was_created(deployment, client):
    terms = {"payment_days": 30, "credit_limit": {"amount": "50000.00", "currency": "EUR"}}
    account = {"connection": CRM, "id": await people.account_id(deployment, "ACC-1002")}
    asked = (await client.insist("POST", "/process/onboarding/v1/onboardings", {"account": account, "terms": terms})).json()
    here = f"/process/onboarding/v1/onboardings/{asked['id']}"
    answer = await client.insist("POST", f"{here}/decisions", {"decision": "refuse", "reason": "no references"})

    customer = next(one for one in await deployment.records("netsuite", "customer") if one["externalId"] == "ACC-1002")
    in_stripe = [one["metadata"].get("external_id") for one in await deployment.records("stripe", "customer")]
    assert asked["state"] == "awaiting_credit_decision"
    assert answer.json()["state"] == "refused"
    assert customer["isInactive"] is True
    assert "ACC-1002" not in in_stripe


async def test_who_was_refused_may_be_onboarded_later_and_is_active_again(deployment, client):
    account = await people.account_id(deployment, "ACC-1000")
    terms = {"payment_days": 30, "credit_limit": {"amount": "50000.00", "currency": "USD"}}
    body = {"account": {"connection": CRM, "id": account}, "terms": terms}
    asked = (await client.insist("POST", "/process/onboarding/v1/onboardings", body)).json()
    here = f"/process/onboarding/v1/onboardings/{asked['id']}"
    await client.insist("POST", f"{here}/decisions", {"decision": "refuse", "reason": "no references"})
    later = await client.onboard(account)

    customers = [one for one in await deployment.records("netsuite", "customer") if one["externalId"] == "ACC-1000"]
    assert later["id"] != asked["id"]
    assert [customer["isInactive"] for customer in customers] == [False]
