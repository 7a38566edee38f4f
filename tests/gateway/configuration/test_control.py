"""A new configuration is in force whole or not at all, in every process, and a broken one changes nothing."""

import asyncio
from typing import Any

import pytest
import structlog

from gateway.configuration.bundle import BadConfiguration
from gateway.configuration.snapshot import PLACE, last_good
from kernel.problem import Conflict, Invalid, NotFound
from kernel.sections.decisions import Configuration
from kernel.sections.limits import Granted, Limits
from kernel.settings import Server
from tests.gateway.configuration.conftest import Estate

ORDERS = "/process/orders/v1/orders"
HELLO = "/process/orders/v1/hello"


def _without_hello(document: Any) -> None:
    del document["paths"][HELLO]


async def test_a_removed_operation_is_gone_at_once(estate: Estate) -> None:
    process = await estate.start()
    before = await process.ask("GET", HELLO)
    estate.change(_without_hello)
    entry = await process.control.apply("ann")
    after = await process.ask("GET", HELLO)

    assert (before.status, after.status) == (200, 404)
    assert (entry.number, entry.by, entry.reason) == (2, "ann", "applied")
    assert (await process.ask("GET", ORDERS)).status == 200


async def test_settings_take_effect_too(single: Estate) -> None:
    process = await single.start()
    single.said["limits"] = Limits(clients={"acme": {"limits": [Granted(policy="burst", quota=7, window=60)]}})
    await process.control.apply("ann")

    assert '"burst";q=7;w=60' in (await process.ask("GET", ORDERS)).headers["ratelimit-policy"]


async def test_settings_that_need_a_restart_wait_for_it_and_are_named(single: Estate) -> None:
    process = await single.start()
    single.said |= {"answer_within": 3.0, "server": Server(port=9), "limits": Limits(outage="deny")}
    await process.control.apply("ann")
    _, bundle = await process.control.history.entry(2)

    assert process.control.waiting_for_restart() == ["answer_within", "server.port"]
    assert "server" not in bundle.sections


async def test_counters_outlive_a_change(single: Estate) -> None:
    process = await single.start()
    for _ in range(2):
        await process.ask("GET", HELLO)
    single.change(lambda document: document["paths"][HELLO]["get"].update({"x-trivium-timeout": 1}))
    await process.control.apply("ann")

    assert (await process.ask("GET", HELLO)).status == 429


async def test_every_process_follows(estate: Estate) -> None:
    first, second = await estate.start(), await estate.start("gateway")
    estate.change(_without_hello)
    entry = await first.control.apply("ann")
    await second.until(lambda: second.control.live.edition.number == entry.number, within=1.0)

    assert (await second.ask("GET", HELLO)).status == 404
    await second.until(lambda: second.control.standing._reported[:1] == (entry.number,))
    standings = await first.control.history.processes()
    assert {(each.part, each.number, each.fault) for each in standings} >= {("gateway", entry.number, "")}


async def test_a_broken_configuration_is_refused_with_all_its_faults(estate: Estate) -> None:
    process = await estate.start()

    def broken(document: Any) -> None:
        del document["paths"][HELLO]["get"]["x-trivium-limits"]
        document["paths"][ORDERS]["get"]["security"] = [{"oauth2": ["orders:fly"]}]
        document["paths"][ORDERS]["post"]["x-trivium-timeout"] = -1

    estate.change(broken)
    with pytest.raises(Invalid) as refused:
        await process.control.apply("ann")
    told = " ".join(error["detail"] for error in refused.value.errors)

    assert "v1.yaml: GET /process/orders/v1/orders: the scope orders:fly is unknown" in told
    assert "x-trivium-timeout" in told
    assert (await process.ask("GET", HELLO)).status == 200
    assert await process.control.history.newest() == 1
    assert process.opened == [process.control.live.edition.digest]


async def test_a_schema_that_cannot_be_compiled_is_told_with_its_operation(single: Estate) -> None:
    process = await single.start()
    schemas = {"NewOrder": {"type": "object", "properties": {"quote": {"type": "string", "pattern": "("}}}}
    single.change(lambda document: document["components"]["schemas"].update(schemas))

    with pytest.raises(Invalid) as refused:
        await process.control.apply("ann")
    assert "POST /process/orders/v1/orders" in refused.value.errors[0]["detail"]


async def test_a_promise_that_nobody_keeps_is_refused(single: Estate) -> None:
    process = await single.start()
    single.change(lambda document: document["info"].update({"x-trivium-api": "process/parcels"}))

    with pytest.raises(Invalid) as refused:
        await process.control.apply("ann")
    assert "process/parcels is not served here" in refused.value.errors[0]["detail"]


async def test_other_files_than_the_planned_ones_are_refused(single: Estate) -> None:
    process = await single.start()
    single.change(_without_hello)

    with pytest.raises(Conflict):
        await process.control.apply("ann", "0" * 64)
    assert (await process.ask("GET", HELLO)).status == 200


async def test_applying_what_is_in_force_changes_nothing(single: Estate) -> None:
    process = await single.start()
    edition = process.control.live.edition
    entry = await process.control.apply("ann")

    assert entry.number == 1
    assert process.control.live.edition is edition


async def test_going_back_and_staying_there_after_a_restart(estate: Estate) -> None:
    process = await estate.start()
    estate.change(_without_hello)
    await process.control.apply("ann")
    entry = await process.control.restore(1, "bob")
    again = await estate.start()

    assert (entry.number, entry.by, entry.reason) == (3, "bob", "back to 1")
    assert (await process.ask("GET", HELLO)).status == 200
    assert (await again.ask("GET", HELLO)).status == 200
    assert again.control.live.edition.number == 3
    with pytest.raises(NotFound):
        await process.control.restore(77, "bob")


async def test_files_that_were_changed_are_taken_at_the_next_start(single: Estate) -> None:
    await single.start()
    single.change(_without_hello)
    again = await single.start()

    assert (await again.ask("GET", HELLO)).status == 404
    assert again.control.live.edition.number == 2


async def test_a_start_with_broken_contracts_uses_the_last_good_ones_loudly(estate: Estate) -> None:
    await estate.start()
    estate.write("openapi: [")
    with structlog.testing.capture_logs() as logs:
        process = await estate.start()
    ready = (await process.ask("GET", "/health/ready")).json()
    metrics = (await process.ask("GET", "/metrics")).body.decode()

    assert (await process.ask("GET", HELLO)).status == 200
    assert ready["configuration"]["state"] == "last good"
    assert "trivium_configuration_last_good 1.0" in metrics
    assert any("broken" in log["event"] and "v1.yaml" in log["fault"] for log in logs)


async def test_a_strict_start_refuses(single: Estate) -> None:
    await single.start()
    single.write("openapi: [")

    with pytest.raises(BadConfiguration, match=r"v1\.yaml: cannot be read"):
        await single.start(configuration=Configuration(contracts=single.contracts, strict=True))


async def test_a_first_start_with_broken_contracts_refuses(single: Estate) -> None:
    single.write("openapi: [")

    with pytest.raises(BadConfiguration, match=r"v1\.yaml"):
        await single.start()


async def test_without_the_history_the_copy_on_disk_is_used(single: Estate) -> None:
    process = await single.start()
    digest = process.control.live.edition.digest
    await single.stack.aclose()
    async with single.database.transaction() as connection:
        await connection.exec_driver_sql("delete from gateway_configurations")
    single.write("openapi: [")
    again = await single.start()

    assert again.control.live.edition.digest == digest
    assert (await again.ask("GET", HELLO)).status == 200


async def test_a_damaged_copy_is_not_believed(single: Estate) -> None:
    await single.start()
    place = single.folder / PLACE
    place.write_text(place.read_text().replace("say_hello", "say_hullo"))

    with pytest.raises(BadConfiguration, match="sum"):
        last_good(single.folder)


async def test_what_a_configuration_opened_is_closed_after_its_last_call(single: Estate) -> None:
    process = await single.start()
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        inside.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    process.echo.instead = slow
    first = process.control.live.edition.digest
    call = asyncio.create_task(process.ask("GET", f"{ORDERS}/o1"))
    await inside.wait()
    single.change(_without_hello)
    await process.control.apply("ann")
    open_meanwhile = list(process.closed)
    go_on.set()
    answer = await call
    await process.until(lambda: process.closed == [first])

    assert open_meanwhile == []
    assert answer.status == 200


async def test_what_was_opened_for_a_configuration_that_is_not_taken_is_closed(single: Estate) -> None:
    process = await single.start()
    single.change(_without_hello)
    add = process.control.history.add

    async def too_late(*_: Any, **__: Any) -> int:
        raise Conflict("configuration 2 was put in force meanwhile")

    process.control.history.add = too_late  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        await process.control.apply("ann")
    process.control.history.add = add  # type: ignore[method-assign]

    assert process.closed == process.opened[1:]
    assert (await process.ask("GET", HELLO)).status == 200


async def test_of_two_that_apply_at_once_one_is_told_so(estate: Estate) -> None:
    first, second = await estate.start(), await estate.start()
    estate.change(_without_hello)
    results = await asyncio.gather(first.control.apply("ann"), second.control.apply("bob"), return_exceptions=True)
    await first.until(lambda: first.control.live.edition.digest == second.control.live.edition.digest)

    assert [type(result).__name__ for result in results].count("Conflict") <= 1
    assert any(not isinstance(result, Exception) for result in results)


async def test_a_process_that_cannot_use_it_keeps_the_old_one_and_says_why(single: Estate) -> None:
    process = await single.start()
    history = process.control.history
    entry, bundle = await history.entry(1)
    strange = type(bundle)({**bundle.sections, "tomorrow": {}}, bundle.contracts, bundle.files)
    with structlog.testing.capture_logs() as logs:
        number = await history.add(strange, "", "newer program", "applied", after=entry.number, keep=10)
        await process.until(lambda: process.control.standing.wanted == number)

    assert (await process.ask("GET", HELLO)).status == 200
    assert "tomorrow: not known" in process.control.standing.faults[0]
    assert [log["number"] for log in logs if log["log_level"] == "error"] == [number]


async def test_only_so_many_configurations_are_kept(single: Estate) -> None:
    process = await single.start()
    history = process.control.history
    _, bundle = await history.entry(1)
    for number in range(1, 8):
        await history.add(bundle, bundle.digest, "ann", "applied", after=number, keep=3)

    assert [entry.number for entry in await history.entries()] == [8, 7, 6]
