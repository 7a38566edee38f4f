"""Whatever goes wrong at the platform, each method says so in the one right way, and works again afterwards."""

import asyncio

import pytest

from contracts.ports.effects import Creates
from kernel.problem import OutcomeUnknown, PlatformBusy, PlatformTimeout, Problem, Refused, Unavailable
from system_apis.connector import Connector
from tests.conformance.calls import Calls, calls
from tests.conformance.conftest import Connecting
from tests.conformance.operations import CREATES, OPERATIONS, WRITES, Operation
from tests.conformance.platform import Facts
from tests.conformance.sandboxed import Sandbox

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
each_create = pytest.mark.parametrize("operation", CREATES, ids=str)


def writes_where(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", [one for one in WRITES if kind in one.platform.words_for], ids=str)


def vendor_said_it(problem: Problem, operation: Operation, connector: Connector) -> bool:
    return problem.detail.lower().startswith(operation.platform.vendor) and problem.system == connector.connection


@each_operation
async def test_a_slow_answer_is_waited_for(operation: Operation, prepared: Calls, sandbox: Sandbox) -> None:
    sandbox.fault("latency", seconds=0.05, **operation.aim())

    await prepared.run[operation.name]()

    assert sandbox.faults() == []


@each_operation
async def test_no_answer_within_the_deadline_is_a_timeout(
    operation: Operation, port: object, facts: Facts, connecting: Connecting, sandbox: Sandbox
) -> None:
    async with connecting(deadline=0.4) as hasty:
        made = await calls(port, facts, through=hasty.ports[operation.port])
        await hasty.probe()
        sandbox.fault("timeout", **operation.aim())

        with pytest.raises(PlatformTimeout) as problem:
            await made.run[operation.name]()

    assert problem.value.system == hasty.connection


@each_operation
async def test_a_limit_is_busy_and_nothing_was_done(
    operation: Operation, prepared: Calls, connector: Connector, sandbox: Sandbox
) -> None:
    sandbox.fault("rate_limited", **operation.aim())

    with pytest.raises(PlatformBusy) as problem:
        await prepared.run[operation.name]()

    assert vendor_said_it(problem.value, operation, connector)
    assert not problem.value.ambiguous
    await prepared.run[operation.name]()


@each_operation
async def test_a_failure_of_the_platform_may_be_tried_again(
    operation: Operation, prepared: Calls, connector: Connector, sandbox: Sandbox
) -> None:
    sandbox.fault("server_error", **operation.aim())

    with pytest.raises(Unavailable) as problem:
        await prepared.run[operation.name]()

    assert vendor_said_it(problem.value, operation, connector)
    assert problem.value.retryable
    assert problem.value.ambiguous or not operation.creates


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if not one.creates], ids=str)
async def test_a_lost_reply_may_be_tried_again(operation: Operation, prepared: Calls, sandbox: Sandbox) -> None:
    """The transport itself repeats GET, PUT and DELETE when a kept-alive connection breaks, so this may go unnoticed."""
    sandbox.fault("reply_lost", **operation.aim())

    (answer,) = await asyncio.gather(prepared.run[operation.name](), return_exceptions=True)

    assert sandbox.faults() == []
    assert not isinstance(answer, BaseException) or (isinstance(answer, Problem) and answer.retryable)
    await prepared.run[operation.name]()


@each_create
async def test_a_create_whose_reply_is_lost_is_in_doubt_and_a_look_up_settles_it(
    operation: Operation, prepared: Calls, connector: Connector, port: object, sandbox: Sandbox
) -> None:
    effect, before = operation.effect, operation.made(sandbox)
    assert isinstance(effect, Creates)
    sandbox.fault("reply_lost", count=operation.sent, **operation.aim())

    with pytest.raises(OutcomeUnknown) as problem:
        await prepared.run[operation.name]()
    found = await effect.found_by(port, prepared.new[operation.name])

    assert problem.value.ambiguous
    assert operation.made(sandbox) == before + 1
    assert connector.capabilities[operation.name].look_up_lag == 0, "wait for the lag before looking up"
    assert found is not None
    assert found.key == prepared.new[operation.name].key


@each_create
async def test_a_create_that_fails_or_is_refused_a_turn_makes_nothing(
    operation: Operation, prepared: Calls, port: object, sandbox: Sandbox
) -> None:
    effect, before = operation.effect, operation.made(sandbox)
    assert isinstance(effect, Creates)
    for kind in ("rate_limited", "server_error"):
        sandbox.fault(kind, **operation.aim())
        with pytest.raises(Unavailable):
            await prepared.run[operation.name]()

    assert operation.made(sandbox) == before
    assert await effect.found_by(port, prepared.new[operation.name]) is None


@writes_where("locked_record")
async def test_a_lock_is_busy_until_it_is_gone(
    operation: Operation, prepared: Calls, connector: Connector, sandbox: Sandbox
) -> None:
    sandbox.fault("locked_record", **operation.aim())

    with pytest.raises(PlatformBusy) as problem:
        await prepared.run[operation.name]()

    assert vendor_said_it(problem.value, operation, connector)
    await prepared.run[operation.name]()


@writes_where("closed_period")
async def test_a_closed_period_is_a_refusal(
    operation: Operation, prepared: Calls, connector: Connector, sandbox: Sandbox
) -> None:
    sandbox.fault("closed_period", **operation.aim())

    with pytest.raises(Refused) as problem:
        await prepared.run[operation.name]()

    assert vendor_said_it(problem.value, operation, connector)
    assert not problem.value.retryable
