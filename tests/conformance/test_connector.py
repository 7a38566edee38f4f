"""What holds for a connector as a whole, whatever its ports do."""

import asyncio
import importlib.util
import re
from pathlib import Path

import pytest

from contracts.ports.effects import Creates, Safety, effects
from kernel.context import correlation_id
from kernel.problem import BadRequest, NotFound, PlatformDown, Refused
from kernel.settings import Connection
from system_apis import registry
from system_apis.connector import Connector
from tests.conformance.calls import Calls
from tests.conformance.conftest import Connecting
from tests.conformance.operations import CREATES, OPERATIONS, Operation
from tests.conformance.platform import Platform
from tests.conformance.sandboxed import Sandbox

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
each_create = pytest.mark.parametrize("operation", CREATES, ids=str)


@pytest.mark.parametrize("vendor", registry.VENDORS)
def test_every_vendor_of_the_registry_is_held_to_this_suite(vendor: str) -> None:
    assert importlib.util.find_spec(f"tests.conformance.platforms.{vendor}"), f"describe {vendor} in platforms/{vendor}.py"


async def test_a_connector_serves_its_ports_whole(platform: Platform, connector: Connector, connection: Connection) -> None:
    missing = [
        f"{port.__name__}.{name}" for port in platform.ports for name in effects(port) if not hasattr(connector.ports[port], name)
    ]

    assert (connector.vendor, connector.connection) == (platform.vendor, connection.id)
    assert set(connector.ports) == set(platform.ports)
    assert missing == []


async def test_each_create_has_a_capability_and_nothing_else_has(platform: Platform, connector: Connector) -> None:
    creates = {name for port in platform.ports for name, effect in effects(port).items() if isinstance(effect, Creates)}

    assert set(connector.capabilities) == creates


async def test_the_probe_passes_with_good_credentials_and_asks_the_platform(connector: Connector, sandbox: Sandbox) -> None:
    await connector.probe()

    assert sandbox.requests()


async def test_the_probe_says_what_to_do_about_bad_credentials(
    platform: Platform, sandbox: Sandbox, tmp_path: Path, connecting: Connecting
) -> None:
    async with connecting(settings=platform.refused(sandbox, tmp_path)) as stranger:
        with pytest.raises(PlatformDown) as refusal:
            await stranger.probe()

    assert refusal.value.fix
    assert refusal.value.system == stranger.connection


async def test_a_platform_that_is_not_there_is_down_and_nothing_was_done(connecting: Connecting, connection: Connection) -> None:
    nowhere = connection.model_copy(update={"base_url": "http://127.0.0.1:1"})

    async with connecting(settings=nowhere) as lost:
        with pytest.raises(PlatformDown) as problem:
            await lost.probe()

    assert not problem.value.ambiguous


@each_operation
async def test_every_method_can_be_called(operation: Operation, prepared: Calls, port: object) -> None:
    await prepared.run[operation.name]()

    assert set(prepared.run) == set(effects(operation.port))


@each_operation
async def test_every_request_carries_the_correlation_id(operation: Operation, prepared: Calls, sandbox: Sandbox) -> None:
    before = len(sandbox.requests())
    token = correlation_id.set("corr-conformance-1")
    try:
        await prepared.run[operation.name]()
    finally:
        correlation_id.reset(token)
    tokens = re.compile(operation.platform.token_path or "(?!)")
    asked = [one for one in sandbox.requests()[before:] if not tokens.search(one["path"])]

    assert asked
    assert {one["headers"].get("x-correlation-id") for one in asked} == {"corr-conformance-1"}


HOSTILE = ["..", ".", "", "../../x", "a/b", "a?b=c", "a#b", "a%2Fb", "a b", "x' OR '1'='1", "a\nb", "é"]


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.name.startswith(("get_", "cancel_"))], ids=str)
async def test_an_id_that_is_an_attack_reaches_no_other_resource(
    operation: Operation, hostile: str, port: object, sandbox: Sandbox
) -> None:
    with pytest.raises((BadRequest, NotFound, Refused)):
        await getattr(port, operation.name)(hostile)

    reached = [one["path"] for one in sandbox.requests() if hostile not in one["path"]]
    assert [path for path in reached if path.endswith(("/a", "/x"))] == []


@each_create
async def test_concurrent_creates_under_one_key_make_one_object(
    operation: Operation, prepared: Calls, connector: Connector, sandbox: Sandbox
) -> None:
    if connector.capabilities[operation.name].safety not in (Safety.KEYED, Safety.UPSERT):
        pytest.skip("this platform cannot keep two creates apart by itself: the guard's tests show that it does")
    before = operation.made(sandbox)

    results = await asyncio.gather(*(prepared.run[operation.name]() for _ in range(20)), return_exceptions=True)
    made = {one.reference.id for one in results if not isinstance(one, BaseException)}
    failed = [one for one in results if isinstance(one, BaseException)]

    assert operation.made(sandbox) == before + 1
    assert len(made) == 1
    assert all(getattr(one, "retryable", False) for one in failed), failed


@each_create
async def test_a_create_repeated_under_its_key_answers_the_same_object(
    operation: Operation, prepared: Calls, connector: Connector, sandbox: Sandbox
) -> None:
    if connector.capabilities[operation.name].safety not in (Safety.KEYED, Safety.UPSERT):
        pytest.skip("this platform does not take a create twice: the guard looks it up instead")

    first, second = await prepared.run[operation.name](), await prepared.run[operation.name]()

    assert first.reference == second.reference


@each_create
async def test_what_was_created_is_found_under_its_business_key(
    operation: Operation, prepared: Calls, connector: Connector, port: object
) -> None:
    effect = operation.effect
    assert isinstance(effect, Creates)
    absent = await effect.found_by(port, prepared.new[operation.name])

    made = await prepared.run[operation.name]()
    found = await effect.found_by(port, prepared.new[operation.name])

    assert absent is None
    assert found is not None
    assert found.reference == made.reference
    assert found.key == made.key == prepared.new[operation.name].key
