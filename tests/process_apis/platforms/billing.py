"""A billing platform in memory: customers, prices and subscriptions; a create under a new idempotency key makes a new object."""

from decimal import Decimal

from contracts.models.catalog import Price, Prices
from contracts.models.money import Money
from contracts.models.party import Customer, CustomerStatusChange, NewCustomer
from contracts.models.reference import Reference
from contracts.models.subscription import Invoice, Invoices, NewSubscription, Subscription, Subscriptions
from contracts.models.tax import TaxPreview, TaxRequest
from kernel.problem import NotFound
from sandbox import world
from tests.process_apis.platforms.traffic import Traffic

CONNECTION = "stripe"


class MemoryBilling:
    """Implements the port `Billing`. Tables are dicts by id; `keyed` holds what was made under which idempotency key."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.customers: dict[str, Customer] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.invoices: dict[str, Invoice] = {}
        self.asked: list[NewSubscription] = []
        self.keyed: dict[str, Subscription] = {}
        self.keyed_customers: dict[str, Customer] = {}
        self.prices = {price.key: price for product in world.PRODUCTS if product.priced for price in _prices(product)}

    def know(self, key: str, name: str, currency: str, *, active: bool = True) -> Customer:
        id = f"cus_{len(self.customers) + 1}"
        reference = Reference(connection=CONNECTION, kind="customer", id=id)
        made = Customer(reference=reference, key=key, legal_name=name, currency=currency, active=active)
        self.customers[id] = made
        return made

    def of(self, key: str) -> Customer | None:
        return next((customer for customer in self.customers.values() if customer.key == key), None)

    async def find_customer(self, key: str) -> Customer | None:
        async with self._traffic.call("billing", "find_customer"):
            return self.of(key)

    async def get_customer(self, customer_id: str) -> Customer:
        async with self._traffic.call("billing", "get_customer"):
            if customer_id not in self.customers:
                raise NotFound(f"Memory billing: there is no customer {customer_id}", system=CONNECTION)
            return self.customers[customer_id]

    async def create_customer(self, new: NewCustomer, idempotency_key: str) -> Customer:
        async with self._traffic.call("billing", "create_customer"):
            if idempotency_key not in self.keyed_customers:
                self.keyed_customers[idempotency_key] = self.know(new.key, new.legal_name, new.currency)
            return self.keyed_customers[idempotency_key]

    async def set_customer_status(self, customer_id: str, change: CustomerStatusChange) -> Customer:
        async with self._traffic.call("billing", "set_customer_status"):
            changed = self.customers[customer_id].model_copy(update={"active": change.status == "active"})
            self.customers[customer_id] = changed
            return changed

    async def list_prices(self, keys: list[str]) -> Prices:
        async with self._traffic.call("billing", "list_prices"):
            return Prices(items=[self.prices[key] for key in keys if key in self.prices])

    async def preview_tax(self, request: TaxRequest) -> TaxPreview:
        async with self._traffic.call("billing", "preview_tax"):
            net = sum((line.amount for line in request.lines), Money.zero(request.currency))
            tax = Money.of(round(net.amount * Decimal("0.19"), 2), request.currency)
            return TaxPreview(net=net, tax=tax, gross=net + tax)

    async def find_subscription(self, customer_id: str, key: str) -> Subscription | None:
        async with self._traffic.call("billing", "find_subscription"):
            theirs = [subscription for subscription in self.subscriptions.values() if subscription.customer == customer_id]
            return next((subscription for subscription in theirs if subscription.key == key), None)

    async def get_subscription(self, subscription_id: str) -> Subscription:
        async with self._traffic.call("billing", "get_subscription"):
            return self.subscriptions[subscription_id]

    async def list_subscriptions(self, customer_id: str) -> Subscriptions:
        async with self._traffic.call("billing", "list_subscriptions"):
            return Subscriptions(items=[s for s in self.subscriptions.values() if s.customer == customer_id])

    async def list_invoices(self, customer_id: str) -> Invoices:
        async with self._traffic.call("billing", "list_invoices"):
            return Invoices(items=list(self.invoices.values()))

    async def create_subscription(self, new: NewSubscription, idempotency_key: str) -> Subscription:
        async with self._traffic.call("billing", "create_subscription"):
            if idempotency_key not in self.keyed:
                reference = Reference(connection=CONNECTION, kind="subscription", id=f"sub_{len(self.subscriptions) + 1}")
                made = Subscription(
                    reference=reference, key=new.key, status="active", currency=new.currency, customer=new.customer.id
                )
                self.subscriptions[reference.id] = self.keyed[idempotency_key] = made
                self.asked.append(new)
            return self.keyed[idempotency_key]

    async def cancel_subscription(self, subscription_id: str) -> Subscription:
        async with self._traffic.call("billing", "cancel_subscription"):
            ended = self.subscriptions[subscription_id].model_copy(update={"status": "cancelled"})
            self.subscriptions[subscription_id] = ended
            return ended


def _prices(product: world.Product) -> list[Price]:
    return [
        Price(
            id=f"price_{product.sku}_{currency}", key=f"{product.sku}/{currency.lower()}", currency=currency,
            unit_price=Decimal(amount), recurring=product.kind in ("annual", "monthly_usage"),
            metered=product.kind == "monthly_usage",
        )
        for currency, amount in product.prices.items()
    ]  # fmt: skip
