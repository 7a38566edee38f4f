"""The order desk over the seeded world and the real engine."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from contracts.models.intake import NewOrder, Order
from contracts.models.operation import CrmRecord
from contracts.models.validation import QuoteValidation, Verdict
from kernel.db import Database
from kernel.durable.engine import DbosDurable
from process_apis.orders.process import OrderDesk
from process_apis.orders.records import CANCELLATION, PROCESS, CancellationRequest, Cancelled, OrderRequest, Placed
from process_apis.orders.steps import OrderSteps
from process_apis.orders.workflow import CancellationWorkflow, OrderWorkflow
from process_apis.quotes.process import QuoteDecisions
from tests.process_apis.engine import Story, running
from tests.process_apis.platforms.world import World, quote


class Quotes:
    """The quote process; with `unexamined` it lets every quote pass, as if what is wrong had come up a moment later."""

    def __init__(self, world: World) -> None:
        self._decisions = QuoteDecisions(world.systems, world.book, world.clock, deadline=10)
        self.unexamined = False
        self.asked = 0

    async def validate_quote(self, request: CrmRecord) -> QuoteValidation:
        self.asked += 1
        found = await self._decisions.validate_quote(request)
        return found.model_copy(update={"verdict": Verdict.OK, "checks": []}) if self.unexamined else found


@pytest.fixture
def quotes(world: World) -> Quotes:
    return Quotes(world)


@pytest.fixture
async def durable(world: World, quotes: Quotes, database: Database, tmp_path: Path) -> AsyncIterator[DbosDurable]:
    steps = OrderSteps(world.systems, world.book, quotes, world.clock)
    stories: dict[str, Story] = {
        PROCESS: (OrderWorkflow(steps), OrderRequest, Placed),
        CANCELLATION: (CancellationWorkflow(steps), CancellationRequest, Cancelled),
    }
    async with running(database, tmp_path, world.clock, stories) as durable:
        yield durable


@pytest.fixture
def desk(durable: DbosDurable, quotes: Quotes, world: World) -> OrderDesk:
    return OrderDesk(durable, quotes, world.clock, answer_within=20)


@pytest.fixture
def submit(desk: OrderDesk) -> Callable[..., object]:
    """Submits a quote by its number, under a key of its own unless one is given."""

    async def submit(number: str = "Q-1003", key: str | None = None, reference: str | None = None) -> Order:
        wanted = NewOrder(quote=quote(number), customer_reference=reference)
        return await desk.submit_order(wanted, key or f"key-{number}")

    return submit
