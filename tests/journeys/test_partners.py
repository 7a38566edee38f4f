"""Two partners at one gateway, over HTTP: each has its own account, its own order, its own usage, and nothing of the other."""

import asyncio
from time import monotonic

import pytest

from tests.contract_tests.tenants import bound, closed, names_something
from tests.journeys.caller import caller
from tests.journeys.databases import fresh_postgres
from tests.journeys.deployment import plain
from tests.journeys.partnership import UNKNOWN, Partner, done

pytestmark = pytest.mark.slow
OBJECTS = [promise for promise in bound("path", "body", "filtered") if names_something(promise)]
LISTS = [promise for promise in bound("filtered") if not names_something(promise)]
SECOND = 1.0
READ = "/process/orders/v1/orders"


async def partners_of(deployment, http):
    """Acme with Northwind's account, Globex with Alpenglow's; both onboarded, each with an order of its own."""
    acme, globex = Partner("acme", "ACC-1001", "Q-1001"), Partner("globex", "ACC-1002", "Q-1002")
    async with caller(deployment) as ours:
        for partner, currency in ((acme, "USD"), (globex, "EUR")):
            await partner.register(deployment)
            await ours.onboard(partner.account_id, currency)
            await partner.sign_in(http)
            await partner.order()
    return acme, globex


async def assert_isolated(one, other):
    """The whole matrix, over every operation of every contract."""
    for promise in closed():
        status, _ = await one.ask(promise, {**dict.fromkeys(_names(promise), "0"), **other.ids})
        assert status == 403, promise.id
    for promise in OBJECTS:
        theirs, nobodys = await one.ask(promise, other.ids), await one.ask(promise, UNKNOWN)
        assert theirs == nobodys, promise.id
        assert theirs[0] == 404, (promise.id, theirs)
    for promise in LISTS:
        shown = await one.caller.ask(promise.method, promise.path)
        assert shown.status_code == 200, shown.text
        for secret in (other.ids["order_id"], other.account_id, other.account, other.client_id):
            assert secret not in shown.text, promise.id


def _names(promise):
    return [parameter["name"] for parameter in promise.parameters("path")]


@pytest.mark.parametrize("mode", ["one process", "split"])
async def test_each_sees_its_own_order_and_gets_404_for_the_other_s(deploy, mode):
    deployment = deploy({"TRIVIUM_ANSWER_WITHIN": "5"})
    if mode == "split":
        await deployment.start("everything", "up", "--split", ready=f"{deployment.url}/health/ready")
    else:
        await deployment.start_sandbox()
        await deployment.start_gateway()
    async with plain(deployment.url, timeout=20) as http:
        acme, globex = await partners_of(deployment, http)
        mine = await acme.caller.ask("GET", f"{READ}/{acme.ids['order_id']}")
        listed = await acme.caller.ask("GET", READ)
        view = await acme.caller.ask("GET", f"/experience/sales-desk/v1/customers/salesforce/{acme.account_id}")

        assert (mine.status_code, mine.json()["customer_key"]) == (200, "ACC-1001")
        assert [order["id"] for order in listed.json()["items"]] == [acme.ids["order_id"]]
        assert (view.status_code, view.json()["unavailable"]) == (200, []), view.text
        assert [order["id"] for order in view.json()["orders"]] == [acme.ids["order_id"]]
        await assert_isolated(acme, globex)
        await assert_isolated(globex, acme)
        await assert_usage(deployment, acme, globex)
        await assert_comes_back(deployment, acme, http)


async def assert_usage(deployment, acme, globex):
    """What was called is counted, also by a gateway that was stopped in an orderly way and started again."""
    path = "/ops/gateway/v1/usage?operation=experience.sales_desk.v1.place_order"
    async with asyncio.timeout(30):
        counted = []
        while {line["status"] for line in counted} < {"2xx", "4xx"}:  # written every 2 s
            await asyncio.sleep(0.2)
            counted = (await acme.caller.ask("GET", path)).json()["items"]
    said = await done(deployment, "partners", "usage", "globex", "--client", globex.client_id)

    assert {(line["client_id"], line["partner"]) for line in counted} == {(acme.client_id, "acme")}
    assert sum(line["calls"] for line in counted if line["status"] == "2xx") == 1
    assert "globex" in said
    assert "acme" not in said


async def assert_comes_back(deployment, partner, http):
    """After a suspension its new token works at once, in every process that a call comes through."""
    path = f"/experience/sales-desk/v1/orders/{partner.ids['order_id']}"
    await done(deployment, "partners", "suspend", partner.name, "--reason", "unpaid")
    await done(deployment, "partners", "resume", partner.name)
    await _until_token_works(partner, http)

    shown = await partner.caller.ask("GET", path)
    assert shown.status_code == 200, shown.text


async def test_usage_outlives_an_orderly_stop_to_the_last_call(deploy):
    deployment = deploy()
    await deployment.start_sandbox()
    await deployment.start_gateway()
    acme = Partner("acme", "ACC-1001", "Q-1001")
    await acme.register(deployment)
    calls = 0
    for _ in range(2):
        async with plain(deployment.url, timeout=20) as http:
            await acme.sign_in(http)
            for _ in range(7):
                calls += (await acme.caller.ask("GET", READ)).status_code == 200
        process = deployment.processes.pop("gateway")
        process.terminate()
        await process.wait()
        await deployment.start_gateway()
    async with plain(deployment.url, timeout=20) as http:
        await acme.sign_in(http)
        shown = await acme.caller.ask("GET", "/ops/gateway/v1/usage?status=2xx&operation=process.orders.v1.list_orders")

    assert calls == 14
    assert [line["calls"] for line in shown.json()["items"]] == [14]


@pytest.mark.postgres
@pytest.mark.parametrize("plan", ["default", "gold"])
async def test_a_suspension_closes_both_gateways_within_a_second(deploy, plan):
    with fresh_postgres() as database_url:
        deployment = deploy({"TRIVIUM_DATABASE_URL": database_url})
        await deployment.start_sandbox()
        await deployment.start_gateway()
        other_door = await deployment.start_another_gateway()
        acme = Partner("acme", "ACC-1001", "Q-1001")
        await acme.register(deployment, plan)
        async with plain(deployment.url, timeout=20) as http, plain(other_door, timeout=20) as there:
            await acme.sign_in(http)
            doors = [acme.caller, acme.caller.at(there)]
            before = [(await door.ask("GET", READ)).status_code for door in doors]
            await done(deployment, "partners", "suspend", "acme", "--reason", "unpaid")
            late = await _until(401, doors)
            no_token = await acme.token(http)
            await done(deployment, "partners", "resume", "acme")
            old = [(await door.ask("GET", READ)).status_code for door in doors]
            await _until_token_works(acme, http)
            after = [(await door.ask("GET", READ)).status_code for door in (acme.caller, acme.caller.at(there))]

    assert (before, no_token, old, after) == ([200, 200], None, [401, 401], [200, 200])
    assert late < SECOND + 0.3, "a second, and the time that the command takes to end"


async def _until(status, doors):
    """Seconds until every door answers so, under steady traffic as a busy gateway has it."""
    begun = monotonic()
    async with asyncio.timeout(20):
        while {(await door.ask("GET", READ)).status_code for door in doors} != {status}:  # noqa: ASYNC110 - steady traffic
            await asyncio.sleep(0.02)
    return monotonic() - begun


async def _until_token_works(partner, http):
    """A token of the very second in which the partner was resumed is of before."""
    async with asyncio.timeout(20):
        while True:
            await partner.sign_in(http)
            if (await partner.caller.ask("GET", READ)).status_code == 200:
                return
            await asyncio.sleep(0.2)
