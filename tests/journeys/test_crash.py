"""Crash safety: processes die at any moment while platforms misbehave; each order ends as one record in each system."""

import asyncio
import random
from contextlib import asynccontextmanager
from time import monotonic

import psycopg
import pytest

from tests.journeys.caller import caller
from tests.journeys.databases import fresh_postgres
from tests.journeys.orders import Sales, assert_one_record_each, finished, onboarded_quotes

pytestmark = pytest.mark.slow
ORDERS, KILLS = 105, 15
SOON = {"TRIVIUM_ANSWER_WITHIN": "2", "TRIVIUM_CHECK_DEADLINE": "2"}
SALESFORCE_WRITES, STRIPE_CREATES, NETSUITE_ORDERS = "/composite", "/v1/subscriptions", "/salesOrder/eid:"
# (vendor, kind, method, path, probability): the reads and writes that an order is made of.
FAULTS = (
    ("salesforce", "reply_lost", "POST", SALESFORCE_WRITES, 0.05),
    ("salesforce", "locked_record", "POST", SALESFORCE_WRITES, 0.05),
    ("salesforce", "server_error", "*", "/services/data", 0.02),
    ("salesforce", "rate_limited", "*", "/services/data", 0.02),
    ("salesforce", "timeout", "POST", SALESFORCE_WRITES, 0.02),
    ("salesforce", "timeout", "GET", "/services/data", 0.03),
    ("stripe", "reply_lost", "POST", STRIPE_CREATES, 0.05),
    ("stripe", "server_error", "POST", STRIPE_CREATES, 0.05),
    ("stripe", "timeout", "POST", STRIPE_CREATES, 0.02),
    ("stripe", "rate_limited", "*", "/v1", 0.02),
    ("stripe", "locked_record", "POST", STRIPE_CREATES, 0.03),
    ("stripe", "latency", "*", "/v1", 0.02),
    ("stripe", "timeout", "*", "/v1/(prices|tax)", 0.05),
    ("netsuite", "reply_lost", "PUT", NETSUITE_ORDERS, 0.05),
    ("netsuite", "server_error", "*", "/record/v1", 0.02),
    ("netsuite", "rate_limited", "*", "/services/rest/(record|query)", 0.02),
    ("netsuite", "timeout", "*", NETSUITE_ORDERS, 0.01),
    ("netsuite", "timeout", "POST", "/query/v1", 0.03),
    ("netsuite", "locked_record", "PUT", NETSUITE_ORDERS, 0.03),
    ("netsuite", "latency", "*", "/services/rest", 0.02),
)


@asynccontextmanager
async def selling(deployment):
    """A client, its sales people, and their quotes: everything is well until the faults are switched on."""
    async with caller(deployment) as client:
        quotes = await onboarded_quotes(deployment, client, ORDERS)
        for vendor, kind, method, path, probability in FAULTS:
            await deployment.fault(vendor, kind, method=method, path=path, probability=probability, count=None)
        sales = Sales(client)
        try:
            yield client, quotes, sales
        finally:
            await sales.stop()


def shared_out(quotes, rounds):
    """As many portions as there are rounds, so that there is work under way whenever a process dies."""
    return [quotes[number::rounds] for number in range(rounds)]


async def came_to_an_end(deployment, client, sales):
    await sales.done(within=60)
    await deployment.mend()
    orders = await finished(client, sales.orders.values())

    assert sales.refused == {}
    assert [order for order in orders if order["state"] != "completed"] == []
    assert len(orders) == ORDERS
    await assert_one_record_each(deployment, orders)


async def test_one_process_that_is_killed_again_and_again(deploy):
    deployment, dice = deploy(SOON), random.Random(20261121)
    await deployment.start_sandbox()
    await deployment.start_gateway()
    hit = 0
    async with selling(deployment) as (client, quotes, sales):
        for portion in shared_out(quotes, KILLS):
            sales.wants(portion)
            await asyncio.sleep(dice.uniform(0.05, 1.5))
            hit += sales.under_way > 0
            await deployment.kill("gateway")
            await deployment.start_gateway()

        assert hit >= KILLS * 2 / 3, "the process died while it was at work"
        await came_to_an_end(deployment, client, sales)


@pytest.mark.postgres
async def test_two_workers_of_which_one_dies_for_good(deploy):
    with fresh_postgres() as database_url:
        deployment, dice = deploy({**SOON, "TRIVIUM_DATABASE_URL": database_url}), random.Random(20261122)
        await deployment.start_sandbox()
        await deployment.start_gateway()
        workers = {name: await deployment.start(name, "serve", "--part", "worker") for name in ("one worker", "another worker")}
        async with selling(deployment) as (client, quotes, sales):
            for number, portion in enumerate(shared_out(quotes, 7)):
                sales.wants(portion)
                await asyncio.sleep(dice.uniform(0.2, 1.5))
                if number == 3:
                    mortal = await one_took_over_and_died(deployment, database_url, workers)
                else:
                    await deployment.kill("gateway")
                await deployment.start_gateway()

            await came_to_an_end(deployment, client, sales)
            assert await runs_of(database_url, mortal, "PENDING") == 0, "what it had begun was left lying"


async def one_took_over_and_died(deployment, database_url, workers):
    """The gateway dies with orders under way; the worker that takes them over dies over them, for good, and leaves `workers`."""
    await deployment.fault("netsuite", "latency", method="PUT", path="/salesOrder", seconds=0.5, count=20)
    await whoever_works(database_url, {"gateway": deployment.processes["gateway"]})
    await deployment.kill("gateway")
    name = await whoever_works(database_url, workers)
    await deployment.kill(name)
    return workers.pop(name)


async def whoever_works(database_url, processes):
    """The name of one of these processes that has runs to finish, as soon as there is one."""
    ends = monotonic() + 20
    while monotonic() < ends:
        for name, process in processes.items():
            if await runs_of(database_url, process, "PENDING"):
                return name
        await asyncio.sleep(0.01)
    raise AssertionError(f"none of {', '.join(processes)} has anything to do")


async def runs_of(database_url, process, status):
    """How many runs the engine has on record for this process, whose id is in its name there."""
    async with await psycopg.AsyncConnection.connect(database_url) as database:
        cursor = await database.execute(
            "select count(*) from dbos.workflow_status where executor_id like %s and status = %s", (f"%-{process.pid}-%", status)
        )
        return (await cursor.fetchone())[0]
