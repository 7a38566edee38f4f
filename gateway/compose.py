"""The composition root: the only file that knows every layer. It hands each layer the ports it depends on.

In one process a port is the thing itself; in a split deployment it is a client made from the same contract. Which one is a
setting (`[split]`), not code.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from typing import Any

from starlette.types import ASGIApp

from contracts.ports.system import Systems
from experience_apis.sales_desk.v1 import sales_desk_api
from gateway.configuration.source import Files
from gateway.consumption.tally import consuming
from gateway.direct import Direct
from gateway.dispatch import Dispatch, Target
from gateway.door import Door
from gateway.governed import governed
from gateway.house import House
from gateway.opening import open_house
from gateway.ops.catalog.v1 import catalog_api
from gateway.ops.v1 import gateway_api
from gateway.partners.usage import counting
from gateway.pipeline import Operation
from gateway.remotes import Processes, RemoteSystems, remote_processes, upstream_of
from kernel.api import Api
from kernel.durable.engine import DbosDurable
from kernel.settings import Settings
from master_data.book import MasterData, master_data
from master_data.seed import read_mappings, seed_mappings
from master_data.v1 import master_data_api
from process_apis.customers.process import CustomerViews
from process_apis.customers.v1 import customers_api
from process_apis.onboarding.process import Onboardings
from process_apis.onboarding.records import PROCESS as ONBOARDING
from process_apis.onboarding.records import Onboarded, OnboardingPlan
from process_apis.onboarding.steps import OnboardingSteps
from process_apis.onboarding.v1 import onboarding_api
from process_apis.onboarding.workflow import OnboardingWorkflow
from process_apis.orders.process import OrderDesk
from process_apis.orders.records import CANCELLATION, CancellationRequest, Cancelled, OrderRequest, Placed
from process_apis.orders.records import PROCESS as ORDER
from process_apis.orders.steps import OrderSteps
from process_apis.orders.v1 import orders_api
from process_apis.orders.workflow import CancellationWorkflow, OrderWorkflow
from process_apis.quotes.process import QuoteDecisions
from process_apis.quotes.v1 import quotes_api
from system_apis.billing.v1 import billing_api
from system_apis.connector import Secrets
from system_apis.crm.v1 import crm_api
from system_apis.erp.v1 import erp_api
from system_apis.guard.budget_local import LocalBudget
from system_apis.guard.budget_postgres import SharedBudgets
from system_apis.guard.guard import Guard
from system_apis.guard.journal import Journal
from system_apis.registry import connect
from system_apis.systems import ConnectedSystems

NOTHING_SERVED = Door((), policies=(), dispatch=Dispatch({}))


class Part(StrEnum):
    """What a process of the deployment is."""

    ALL = "all"
    GATEWAY = "gateway"
    EXPERIENCE = "experience"
    PROCESS = "process"
    SYSTEM = "system"
    WORKER = "worker"


LAYERS: Mapping[Part, frozenset[str] | None] = {
    Part.ALL: None,
    Part.GATEWAY: None,
    Part.EXPERIENCE: frozenset({"experience"}),
    Part.PROCESS: frozenset({"process", "ops"}),
    Part.SYSTEM: frozenset({"system"}),
    Part.WORKER: frozenset(),
}


@asynccontextmanager
async def application(settings: Settings, part: Part, files: Files | None = None) -> AsyncIterator[ASGIApp]:
    """The whole of one process, ready to serve. `files`: where it finds a new configuration; the settings stay if it is not said.

    Raises BadSettings, BadConfiguration or EngineRefused when it must not start.
    """
    async with open_house(settings, f"trivium-{part}", promised=()) as house:
        targets = await _targets(house, part)
        if part is Part.WORKER:
            yield NOTHING_SERVED
            return
        house.record()
        if part in (Part.ALL, Part.GATEWAY):  # calls are counted where they come in
            house.rotate_keys()
            await house.closing.enter_async_context(counting(house.metrics, house.database, house.clock))
            seen = consuming(house.database, house.clock, lambda: house.settings.consumption)
            house.consumption = await house.closing.enter_async_context(seen)
            if house.replays is not None:
                house.replays.start()
        yield await governed(house, part, lambda house: _door(house, part, targets), files)


async def _door(house: House, part: Part, targets: Mapping[str, Target]) -> Door:
    """Made at start, and again for each new configuration; the targets are those of the start."""
    layers = LAYERS[part]
    served = tuple(operation for operation in house.promised if _serves(layers, targets, operation))
    outermost = part in (Part.ALL, Part.GATEWAY)
    foreign = await house.open_foreign() if outermost else None
    # Aside, so that no call waits while chains are compiled.
    return await asyncio.to_thread(house.door, served, targets, issues_tokens=outermost, foreign=foreign)


def _serves(layers: frozenset[str] | None, targets: Mapping[str, Target], operation: Operation) -> bool:
    return layers is None or (operation.layer in layers and operation.api in targets)


def declared() -> list[Api]:
    """Every API as its code declares it; for drafting contracts, not for serving."""
    absent: Any = None
    return [
        *_system_apis(absent),
        *_process_apis(Processes(absent, absent, absent, absent), absent),
        sales_desk_api(absent, absent, absent),
        gateway_api(absent),
        catalog_api(absent),
    ]


async def _targets(house: House, part: Part) -> Mapping[str, Target]:
    """What each API of this part is served by: our own application, or the process that has it."""
    match part:
        case Part.ALL | Part.WORKER:
            systems = await connected_systems(house)
            processes, book = await _processes(house, systems)
            ours = [*_system_apis(systems), *_process_apis(processes, book), _experience_api(processes), gateway_api(house)]
            ours.append(catalog_api(house))
            return _served(house, ours)
        case Part.SYSTEM:
            return _served(house, _system_apis(await connected_systems(house)))
        case Part.PROCESS:
            processes, book = await _processes(house, RemoteSystems(house))
            return _served(house, _process_apis(processes, book))
        case Part.EXPERIENCE:
            return _served(house, [_experience_api(remote_processes(house))])
        case Part.GATEWAY:
            return {api.id: upstream_of(house, api) for api in declared()} | _served(
                house, [gateway_api(house), catalog_api(house)]
            )


def _served(house: House, apis: list[Api]) -> dict[str, Target]:
    traced = house.settings.telemetry.otlp_endpoint is not None
    if traced:
        from opentelemetry.instrumentation.fastapi import (
            FastAPIInstrumentor,
        )  # costs start-up time, and only traced calls need it

        for api in apis:
            FastAPIInstrumentor.instrument_app(api.app, exclude_spans=["receive", "send"])
    served = {f"{api.id}/v{api.major}": Direct(api.app, traced=traced) for api in apis}
    return {**{major.rpartition("/")[0]: target for major, target in served.items()}, **served}


def _system_apis(systems: Systems) -> list[Api]:
    return [crm_api(systems), billing_api(systems), erp_api(systems)]


def _process_apis(processes: Processes, book: MasterData) -> list[Api]:
    return [
        onboarding_api(processes.onboardings), quotes_api(processes.quotes), orders_api(processes.orders),
        customers_api(processes.customers), master_data_api(book),
    ]  # fmt: skip


def _experience_api(processes: Processes) -> Api:
    return sales_desk_api(processes.customers, processes.quotes, processes.orders)


async def connected_systems(house: House) -> Systems:
    """Opens every configured connection behind its guard; on PostgreSQL all processes share each connection's budget."""
    settings, ports = house.settings, {}
    journal = Journal(house.database, house.clock)
    shared = None if settings.embedded else SharedBudgets(settings.database)
    if shared is not None:
        house.closing.push_async_callback(shared.close)
    for connection in settings.connections:
        connector = connect(connection, Secrets(connection, settings.data), house.clock)
        house.closing.push_async_callback(connector.close)
        budget = (
            shared.budget(connection.id, connection.budget) if shared
            else LocalBudget(connection.id, connection.budget, house.clock)
        )  # fmt: skip
        guard = Guard(connection, budget=budget, journal=journal, clock=house.clock)
        for port, implementation in connector.ports.items():
            ports[(connection.id, port)] = guard.bind(port, implementation, connector.capabilities)
    return ConnectedSystems(ports)


async def _processes(house: House, systems: Systems) -> tuple[Processes, MasterData]:
    """The stories over these systems, and the engine that runs them in this process."""
    settings, clock = house.settings, house.clock
    book = master_data(settings, house.database, clock)
    if settings.mappings is not None:
        await seed_mappings(book.mappings, read_mappings(settings.mappings))
    durable = DbosDurable(house.database, settings.data, clock=clock)
    quotes = QuoteDecisions(systems, book, clock, settings.check_deadline)
    steps = OrderSteps(systems, book, quotes, clock)
    onboard = OnboardingWorkflow(OnboardingSteps(systems, book), timedelta(days=settings.credit_decision_days))
    durable.register(ONBOARDING, onboard, OnboardingPlan, Onboarded)
    durable.register(ORDER, OrderWorkflow(steps), OrderRequest, Placed)
    durable.register(CANCELLATION, CancellationWorkflow(steps), CancellationRequest, Cancelled)
    await durable.launch()
    house.closing.push_async_callback(durable.close)
    orders = OrderDesk(durable, quotes, clock, settings.answer_within)
    customers = CustomerViews(systems, book, orders, settings.check_deadline)
    return Processes(Onboardings(systems, book, durable, settings.answer_within), quotes, orders, customers), book
