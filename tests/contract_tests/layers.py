"""The process and experience layers' own applications, over platforms in memory and the real engine; no gateway before them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from experience_apis.sales_desk.v1 import sales_desk_api
from kernel.api import Api
from kernel.db import Database
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
from tests.process_apis.conftest import ROOT, over
from tests.process_apis.engine import running
from tests.process_apis.platforms.crm import account_id, quote_id
from tests.process_apis.platforms.world import World

ANSWER_WITHIN = 2.0  # seconds
CHECK_DEADLINE = 2.0  # seconds
KNOWN = {
    "account_id": [account_id("ACC-1001"), account_id("ACC-1003"), account_id("ACC-1007")],
    "quote_id": [quote_id("Q-1001"), quote_id("Q-1003"), quote_id("Q-1009")],
    "order_id": [f"salesforce-{quote_id('Q-1003')}"],
    "operation_id": [f"salesforce-{quote_id('Q-1003')}", "ACC-1001"],
    "onboarding_id": ["ACC-1001"],
    "customer_key": ["ACC-1003"],
    "connection": ["salesforce"],
}


@asynccontextmanager
async def layers(folder: Path) -> AsyncIterator[dict[str, Api]]:
    """The APIs by their ids."""
    async with AsyncExitStack() as closing:
        database = Database(f"sqlite:///{folder / 'trivium.sqlite'}")
        closing.push_async_callback(database.close)
        await database.create_all()
        world = World(over(database))
        await seed_mappings(world.book.mappings, read_mappings(ROOT / "mappings.example.toml"))
        await world.onboard("ACC-1003", "ACC-1004", "ACC-1007")
        systems, book, clock = world.systems, world.book, world.clock
        quotes = QuoteDecisions(systems, book, clock, CHECK_DEADLINE)
        steps = OrderSteps(systems, book, quotes, clock)
        onboard = OnboardingWorkflow(OnboardingSteps(systems, book), timedelta(days=5))
        stories = {
            ONBOARDING: (onboard, OnboardingPlan, Onboarded),
            ORDER: (OrderWorkflow(steps), OrderRequest, Placed),
            CANCELLATION: (CancellationWorkflow(steps), CancellationRequest, Cancelled),
        }
        durable = await closing.enter_async_context(running(database, folder, clock, stories))
        orders = OrderDesk(durable, quotes, clock, ANSWER_WITHIN)
        customers = CustomerViews(systems, book, orders, CHECK_DEADLINE)
        onboardings = Onboardings(systems, book, durable, ANSWER_WITHIN)
        apis = [
            onboarding_api(onboardings), quotes_api(quotes), orders_api(orders), customers_api(customers), master_data_api(book),
            sales_desk_api(customers, quotes, orders),
        ]  # fmt: skip
        yield {api.id: api for api in apis}


class Living:
    """One application for all of them, open from its lifespan's startup to its shutdown, in the event loop that serves it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._apps: dict[str, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            found = next(app for prefix, app in self._apps.items() if scope["path"].startswith(f"{prefix}/"))
            await found(scope, receive, send)
            return
        await receive()
        async with layers(self._folder) as apis:
            self._apps = {api.prefix: api.app for api in apis.values()}
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
