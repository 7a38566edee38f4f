"""A house is opened: its database, its authorization server, and all that outlives a change of the configuration."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from prometheus_client import REGISTRY, CollectorRegistry

from gateway import contracts
from gateway.broken_promises import BrokenPromises
from gateway.configuration.source import contracts_of
from gateway.house import House
from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import redis_store
from gateway.limits.tally import LimitMetrics
from gateway.oauth.sealing import load_seal
from gateway.oauth.server import open_server
from gateway.observe import AccessLog, Metrics
from gateway.pipeline import Operation
from gateway.replays.store import Replays
from gateway.services.foreign import services_beside
from gateway.shedding import Load, LoadMetrics, Probe
from kernel.clock import Clock, SystemClock
from kernel.db import Database
from kernel.settings import Settings
from kernel.telemetry import configure_logs, configure_traces


@asynccontextmanager
async def open_house(
    settings: Settings, service: str, clock: Clock | None = None, *, promised: tuple[Operation, ...] | None = None
) -> AsyncIterator[House]:
    """Opens what every process needs. The tables of everything imported by now are made if they are missing.

    `promised`: the operations, where they are not to be read from the contracts. Raises BadContract for contracts that cannot be
    enforced.
    """
    clock = clock or SystemClock()
    configure_logs(settings.telemetry)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as closing:
        traces = configure_traces(settings.telemetry, service)
        if traces is not None:
            closing.callback(traces.shutdown)
        database = Database(settings.database)
        closing.push_async_callback(database.close)
        await database.create_all()
        oauth = await open_server(
            database,
            public_url=settings.server.url,
            data=settings.data,
            clock=clock,
            audiences=settings.oauth.audiences,
            key_encryption=settings.oauth.key_encryption,
            terms=settings.oauth,
            process=service,
            issuers=settings.issuers,
            terminator=settings.terminator,
            redis_url=settings.redis_url,
        )
        closing.push_async_callback(oauth.close)
        metrics = Metrics(REGISTRY)
        log, limiter = AccessLog(on_drop=metrics.dropped), _limiter(settings, clock, metrics.registry, closing)
        promises = (*contracts.load(contracts_of(settings)), *services_beside(settings)) if promised is None else promised
        house = House(settings, database, oauth, clock, metrics, closing, promises, log, limiter)
        house.checks["database"] = database.answers
        metrics.registry.register(house.foreign)
        closing.callback(metrics.registry.unregister, house.foreign)
        house.promises = BrokenPromises(metrics.registry, clock)
        closing.callback(metrics.registry.unregister, house.promises)
        house.load = _load(settings, metrics.registry, closing)
        seal = load_seal(settings.data, settings.oauth.key_encryption)
        house.replays = Replays(database, seal, clock, settings.replays)
        closing.push_async_callback(house.replays.close)
        yield house


def _load(settings: Settings, registry: CollectorRegistry, closing: AsyncExitStack) -> Load | None:
    if not settings.shedding.enabled:
        return None
    load = Load(settings.shedding)
    probe = Probe(load, settings.shedding)
    probe.start()
    closing.callback(probe.stop)
    closing.callback(registry.unregister, LoadMetrics(registry, load))
    return load


def _limiter(settings: Settings, clock: Clock, registry: CollectorRegistry, closing: AsyncExitStack) -> Limiter:
    said, store = settings.limits, None
    if settings.redis_url:
        store = redis_store(settings.redis_url, patience=said.patience, lease=said.lease)
        closing.push_async_callback(store.close)
    limiter = Limiter(store, clock=clock, patience=said.patience, waiting=said.waiting, rest=said.rest, cap=said.counters)
    closing.callback(registry.unregister, LimitMetrics(registry, limiter.tally))
    return limiter
