"""The customer view: what each system says, and a system that does not answer costs its own part only."""

import asyncio
from datetime import UTC, datetime

import pytest

from contracts.models.intake import Order, Orders, OrderState, OrderTrace
from contracts.models.money import Money
from contracts.models.subscription import Invoice, Subscription
from kernel.problem import NotFound, PlatformDown, Refused, UnknownConnection
from process_apis.customers.process import CustomerViews
from tests.process_apis.partners import calling, harbor
from tests.process_apis.platforms.erp import CONNECTION as ERP
from tests.process_apis.platforms.world import quote

HARBOR = "0011003"
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
ORDER = Order(
    id="O-1", state=OrderState.COMPLETED, quote=quote("Q-1003"), trace=OrderTrace(), correlation_id="corr-1",
    operation="/process/orders/v1/operations/O-1", created_at=NOON, updated_at=NOON,
)  # fmt: skip
EVERYTHING = {
    "opportunities", "quotes", "orders", "erp_customer", "credit", "billing_customer", "subscriptions", "invoices",
}  # fmt: skip


class Orders1003:
    """The part of the port `OrderProcess` that the view asks: Harbor has one order."""

    def __init__(self) -> None:
        self.problem: Exception | None = None

    async def list_orders(
        self, state: OrderState | None = None, customer_key: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Orders:
        if self.problem is not None:
            raise self.problem
        return Orders(items=[ORDER] if customer_key == "ACC-1003" else [])


@pytest.fixture
def orders():
    return Orders1003()


@pytest.fixture
def views(world, orders):
    customer = world.billing.of("ACC-1003").reference.model_copy
    subscription = Subscription(
        reference=customer(update={"kind": "subscription", "id": "sub_9"}), key="O-1", status="active", currency="USD",
        customer="cus_1",
    )  # fmt: skip
    world.billing.subscriptions["sub_9"] = subscription
    owed = Money.of("99.00", "USD")
    reference = customer(update={"kind": "invoice", "id": "in_9"})
    world.billing.invoices["in_9"] = Invoice(reference=reference, number="I-9", status="open", total=owed, open_amount=owed)
    return CustomerViews(world.systems, world.book, orders, deadline=10)


def parts(view):
    return {name for name in EVERYTHING if getattr(view, name)}


async def test_a_customer_is_shown_as_every_system_knows_it(views, world):
    view = await views.get_customer_view("salesforce", HARBOR)

    assert (view.customer_key, view.account, view.unavailable) == ("ACC-1003", world.crm.accounts[HARBOR], [])
    assert (view.erp_customer, view.billing_customer) == (world.erp.of("ACC-1003"), world.billing.of("ACC-1003"))
    assert view.credit == world.erp.credit[view.erp_customer.reference.id]
    assert {one.number for one in view.quotes} == {"Q-1003", "Q-1006", "Q-1007", "Q-1008", "Q-1009", "Q-1011"}
    assert len(view.opportunities) == 6
    assert ([s.reference.id for s in view.subscriptions], [i.number for i in view.invoices]) == (["sub_9"], ["I-9"])
    assert view.orders == [ORDER]


@pytest.mark.parametrize(
    ("lost", "missing"),
    [
        ("erp", {"erp_customer", "credit"}),
        ("erp.get_credit", {"credit"}),
        ("billing", {"billing_customer", "subscriptions", "invoices"}),
        ("crm.list_quotes", {"quotes"}),
    ],
)
@pytest.mark.parametrize("how", ["fails", "hangs", "refuses"])
async def test_a_system_that_does_not_answer_costs_its_own_part(world, orders, views, lost, missing, how):
    if how == "hangs":
        world.traffic.hang(lost)
        views = CustomerViews(world.systems, world.book, orders, deadline=0.5)
    else:
        world.traffic.fail(lost, PlatformDown("down") if how == "fails" else Refused("no"))
    async with asyncio.timeout(10):
        view = await views.get_customer_view("salesforce", HARBOR)

    assert {one.part for one in view.unavailable} == missing
    assert parts(view) == EVERYTHING - missing
    kind = {"fails": "platform-down", "hangs": "platform-timeout", "refuses": "refused"}[how]
    assert {one.problem["type"] for one in view.unavailable} == {f"urn:trivium:problem:{kind}"}


async def test_orders_that_cannot_be_read_cost_the_orders(views, orders):
    orders.problem = PlatformDown("the process layer is down")
    view = await views.get_customer_view("salesforce", HARBOR)

    assert parts(view) == EVERYTHING - {"orders"}


async def test_a_platform_that_is_no_longer_connected_costs_its_own_part(views, world):
    for connection, port in list(world.systems.ports):
        if connection == ERP:
            del world.systems.ports[connection, port]
    view = await views.get_customer_view("salesforce", HARBOR)

    assert parts(view) == EVERYTHING - {"erp_customer", "credit"}


async def test_all_parts_are_asked_at_once(views, world):
    world.traffic.only_together(7, but={"crm.get_account"})
    async with asyncio.timeout(10):
        view = await views.get_customer_view("salesforce", HARBOR)

    assert (parts(view), world.traffic.most_in_flight) == (EVERYTHING, 7)


async def test_who_is_not_onboarded_has_no_part_in_the_books(views):
    view = await views.get_customer_view("salesforce", "0011001")

    assert (view.customer_key, view.unavailable) == ("ACC-1001", [])
    assert parts(view) == {"opportunities", "quotes"}


@pytest.mark.parametrize("country", [None, "JP"])
async def test_an_account_where_nobody_sells_is_shown_as_the_crm_has_it(views, world, country):
    address = world.crm.accounts[HARBOR].address
    world.change_account("ACC-1003", address=address.model_copy(update={"country": country}) if country else None)
    view = await views.get_customer_view("salesforce", HARBOR)

    assert parts(view) == {"opportunities", "quotes", "orders"}


async def test_without_the_account_there_is_nothing_to_show(views, world):
    with pytest.raises(NotFound):
        await views.get_customer_view("salesforce", "0019999")
    with pytest.raises(UnknownConnection):
        await views.get_customer_view("hubspot", HARBOR)
    world.traffic.fail("crm", PlatformDown("down"))
    with pytest.raises(PlatformDown):
        await views.get_customer_view("salesforce", HARBOR)


@pytest.mark.parametrize("account", ["0011007", "0019999"], ids=["another's", "nobody's"])
async def test_an_account_that_is_not_the_caller_s_does_not_exist_and_is_not_asked_for(views, world, account):
    with harbor(), pytest.raises(NotFound, match=f"there is no account {account} in salesforce"):
        await views.get_customer_view("salesforce", account)

    assert not world.traffic.calls


async def test_the_caller_s_own_account_is_shown_whole(views):
    with harbor():
        view = await views.get_customer_view("salesforce", HARBOR)

    assert parts(view) == EVERYTHING


async def test_an_account_that_merely_has_another_s_number_is_shown_nothing_of_its_customer(views, world):
    world.change_account("ACC-1001", number="ACC-1003")
    with calling("salesforce/0011001"):
        view = await views.get_customer_view("salesforce", "0011001")
    sales = await views.get_customer_view("salesforce", "0011001")

    assert (view.erp_customer, view.credit, view.billing_customer, view.invoices) == (None, None, None, [])
    assert sales.erp_customer is not None
