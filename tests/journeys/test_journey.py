"""The journey of the README, by its own command: from nothing to an order in three systems, or a word on what failed."""

import pytest

from tests.journeys.databases import empty_redis, fresh_postgres

pytestmark = pytest.mark.slow
TRACE = ("opportunity: salesforce", "quote: salesforce", "sales order: netsuite", "subscription: stripe")


async def travelled(deployment, *arguments):
    code, said = await deployment.run("up", "--once", *arguments)

    assert code == 0, said
    assert "The journey is complete" in said
    for line in TRACE:
        assert line in said
    assert deployment.pids() == {}


async def test_it_needs_nothing_but_this_machine(deploy):
    await travelled(deploy(patience=None))


async def test_each_layer_may_be_a_process_of_its_own(deploy):
    await travelled(deploy(patience=None), "--split")


@pytest.mark.postgres
@pytest.mark.redis
async def test_it_runs_on_postgresql_and_redis_with_further_workers(deploy):
    with fresh_postgres() as database_url, empty_redis() as redis_url:
        environment = {"TRIVIUM_DATABASE_URL": database_url, "TRIVIUM_REDIS_URL": redis_url}

        await travelled(deploy(environment, patience=None), "--workers", "1")


async def test_it_can_be_travelled_again_by_a_gateway_that_is_up(deploy):
    deployment = deploy()
    await deployment.start_sandbox()
    await deployment.start_gateway()

    first, second = await deployment.run("journey"), await deployment.run("journey")

    assert first[0] == second[0] == 0, second[1]
    assert len(await deployment.records("netsuite", "salesOrder")) == 1
    assert len(await deployment.records("stripe", "subscription")) == 1


async def test_a_platform_that_fails_ends_it_with_a_word_about_which(deploy):
    deployment = deploy({"TRIVIUM_ANSWER_WITHIN": "2"})
    await deployment.start_sandbox()
    await deployment.start_gateway()
    await deployment.fault("stripe", "server_error", count=None)

    code, said = await deployment.run("journey")

    assert code == 1
    assert "trivium:" in said
    assert "stripe" in said.rpartition("trivium:")[2].lower()
    assert "Traceback" not in said


async def test_up_once_ends_with_an_error_when_the_journey_cannot_be_finished(deploy):
    deployment = deploy({"TRIVIUM_ANSWER_WITHIN": "2"})
    nobody = f"http://127.0.0.1:{deployment.vendor_ports[1]}"
    text = deployment.file.read_text()
    deployment.file.write_text(text.replace(f'base_url = "{nobody}"', 'base_url = "http://127.0.0.1:9"'))

    code, said = await deployment.run("up", "--once")

    assert code == 1
    assert "stripe" in said.rpartition("trivium:")[2].lower()
    assert "Traceback" not in said
    assert deployment.pids() == {}
