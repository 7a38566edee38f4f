"""What is bound is guarded: deadline, budget, breaker, retries, trace and count, and no create without a capability."""

import asyncio
from collections import deque
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from contracts.ports.effects import Capability, Safety
from contracts.ports.system import Billing, Crm, Erp
from kernel.context import correlation_id
from kernel.db import Database
from kernel.problem import PlatformBusy, PlatformDown, PlatformTimeout, Refused
from kernel.settings import Connection, Patience
from system_apis.guard import Guard, Journal, NoCapability
from tests.system_apis.guard.shop import BROKEN, BUSY, DOWN, NO, FreeBudget, NewOrder, Order, OwnedClock, Platform, Shop

UPSERT = Capability(Safety.UPSERT)
BOTH = {"create_order": UPSERT, "create_customer": UPSERT}


@pytest.fixture
def platform(clock: OwnedClock) -> Platform:
    return Platform(UPSERT, clock=clock)


@pytest.fixture
def budget() -> FreeBudget:
    return FreeBudget()


def a_guard(budget: FreeBudget, clock: OwnedClock, **patience: Any) -> Guard:
    connection = Connection(id="shop-eu", vendor="shopify", base_url="http://shop", patience=Patience(**patience))
    journal = Journal(Database("sqlite://"), clock)
    return Guard(connection, budget=budget, journal=journal, clock=clock, sleep=clock.sleep, dice=lambda: 1.0)


@pytest.fixture
def shop(platform: Platform, budget: FreeBudget, clock: OwnedClock) -> Shop:
    return a_guard(budget, clock, breaker_failures=3).bind(Shop, platform, BOTH)


def test_a_create_whose_repetition_is_not_described_does_not_start(budget: FreeBudget, clock: OwnedClock) -> None:
    with pytest.raises(NoCapability, match="create_customer"):
        a_guard(budget, clock).bind(Shop, Platform(UPSERT), {"create_order": UPSERT})


def test_a_connector_that_lacks_a_method_does_not_start(budget: FreeBudget, clock: OwnedClock) -> None:
    with pytest.raises(TypeError, match="lacks find_order"):
        a_guard(budget, clock).bind(Shop, object(), BOTH)  # type: ignore[arg-type]


@pytest.mark.parametrize("port", [Crm, Billing, Erp])
def test_the_real_ports_can_be_bound(port: type, budget: FreeBudget, clock: OwnedClock) -> None:
    class Anything:
        def __getattr__(self, name: str) -> object:
            return lambda *_: None

    capabilities = dict.fromkeys(["create_customer", "create_subscription", "create_sales_order"], UPSERT)

    bound = a_guard(budget, clock).bind(port, Anything(), capabilities)

    assert {name for name in vars(port) if not name.startswith("_")} == set(vars(bound))


async def test_a_read_is_repeated_until_the_platform_answers(shop: Shop, platform: Platform, budget: FreeBudget) -> None:
    platform.read_faults = deque([BUSY, BROKEN])

    assert await shop.find_order("order-1") is None
    assert platform.reads == 3
    assert (budget.entered, budget.under_way) == (3, 0)


async def test_a_set_is_repeated_too(shop: Shop, platform: Platform) -> None:
    order = platform.make(NewOrder(key="order-1"))
    platform.read_faults = deque([DOWN])

    assert await shop.close_order(order.id) == order


async def test_a_refused_read_is_not_repeated(shop: Shop, platform: Platform) -> None:
    platform.read_faults = deque([NO])

    with pytest.raises(Refused):
        await shop.find_order("order-1")
    assert platform.reads == 1


async def test_the_platforms_wish_is_obeyed_unless_the_deadline_forbids_it(
    shop: Shop, platform: Platform, clock: OwnedClock
) -> None:
    platform.read_faults = deque([PlatformBusy("limit", retry_after=3), PlatformBusy("limit", retry_after=60)])

    with pytest.raises(PlatformBusy):
        await shop.find_order("order-1")
    assert platform.reads == 2
    assert clock.slept == [3.2]


async def test_an_open_breaker_sends_nothing_and_takes_no_place(shop: Shop, platform: Platform, budget: FreeBudget) -> None:
    platform.read_faults = deque([DOWN] * 3)

    with pytest.raises(PlatformDown, match="unreachable"):
        await shop.find_order("order-1")
    with pytest.raises(PlatformDown, match="given a pause") as refused:
        await shop.find_order("order-1")

    assert refused.value.retry_after == 5
    assert (platform.reads, budget.entered) == (3, 3)


async def test_a_call_without_an_answer_ends_at_the_deadline(budget: FreeBudget, clock: OwnedClock) -> None:
    class Silent(Platform):
        async def find_order(self, key: str) -> Order | None:
            await asyncio.Event().wait()
            return None

    shop = a_guard(budget, clock, deadline=0.02).bind(Shop, Silent(UPSERT), BOTH)

    with pytest.raises(PlatformTimeout, match="shop-eu did not answer find_order in time"):
        await shop.find_order("order-1")
    assert budget.under_way == 0


async def test_every_attempt_is_counted_by_its_outcome(shop: Shop, platform: Platform) -> None:
    def count(outcome: str) -> float:
        labels = {"connection": "shop-eu", "operation": "find_order", "outcome": outcome}
        return REGISTRY.get_sample_value("trivium_platform_calls_total", labels) or 0

    before = count("ok"), count("platform-busy")
    platform.read_faults = deque([BUSY])

    await shop.find_order("order-1")

    assert (count("ok"), count("platform-busy")) == (before[0] + 1, before[1] + 1)


async def test_a_failure_is_logged_with_its_correlation_id(shop: Shop, platform: Platform) -> None:
    correlation_id.set("trace-9")
    platform.read_faults = deque([BUSY])

    with structlog.testing.capture_logs() as logs:
        await shop.find_order("order-1")

    assert [(log["log_level"], log["connection"], log["problem"], log["correlation_id"]) for log in logs] == [
        ("warning", "shop-eu", "platform-busy", "trace-9")
    ]


async def test_every_attempt_is_a_span_of_the_callers_trace(shop: Shop, platform: Platform) -> None:
    exporter, provider = InMemorySpanExporter(), trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):  # it can be set once in a process
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    platform.read_faults = deque([BUSY])

    with provider.get_tracer("test").start_as_current_span("step") as step:
        await shop.find_order("order-1")

    spans = [span for span in exporter.get_finished_spans() if span.name == "shopify.find_order"]
    assert [span.attributes["trivium.attempt"] for span in spans if span.attributes] == [1, 2]
    assert [span.status.is_ok for span in spans] == [False, True]
    assert {span.parent.span_id for span in spans if span.parent} == {step.get_span_context().span_id}
