"""Billing v1: customers, prices, tax previews, subscriptions and invoices of any connected billing platform."""

from contracts.models.catalog import Prices
from contracts.models.party import Customer, CustomerStatusChange, NewCustomer
from contracts.models.subscription import Invoices, NewSubscription, Subscription, Subscriptions
from contracts.models.tax import TaxPreview, TaxRequest
from contracts.ports.system import Systems
from kernel.api import Api, IdempotencyKey
from kernel.problem import Conflict
from system_apis.parameters import MANY_LINES, BusinessKey, Codes, Connection, ObjectId, found


def billing_api(systems: Systems) -> Api:
    api = Api(
        "system", "billing", "1.0.0", "Billing",
        "Customers, prices, tax previews, subscriptions and invoices of any connected billing platform.", "platform-integration",
        {"billing:read": "Read billing records", "billing:write": "Create and change billing records"}, problems=(Conflict,),
    )  # fmt: skip
    _customers(api, systems)
    _subscriptions(api, systems)

    @api.get("/{connection}/prices", scope="billing:read")
    async def list_prices(connection: Connection, keys: Codes) -> Prices:
        """The prices that exist under these keys; a key without a price is missing in the answer."""
        return await systems.billing(connection).list_prices(keys)

    @api.post("/{connection}/tax-previews", scope="billing:read", max_body=MANY_LINES)
    async def preview_tax(connection: Connection, request: TaxRequest) -> TaxPreview:
        """What the tax engine would charge for these lines today. Nothing is stored."""
        return await systems.billing(connection).preview_tax(request)

    return api


def _customers(api: Api, systems: Systems) -> None:
    @api.get("/{connection}/customers-by-key/{key}", scope="billing:read")
    async def find_customer(connection: Connection, key: BusinessKey) -> Customer:
        """The customer under our key."""
        return found(await systems.billing(connection).find_customer(key), f"customer {key}")

    @api.get("/{connection}/customers/{customer_id}", scope="billing:read")
    async def get_customer(connection: Connection, customer_id: ObjectId) -> Customer:
        """The customer under the platform's id."""
        return await systems.billing(connection).get_customer(customer_id)

    @api.post("/{connection}/customers", scope="billing:write", status=201)
    async def create_customer(connection: Connection, new: NewCustomer, idempotency_key: IdempotencyKey) -> Customer:
        """Creates the customer unless one exists under its key; the existing one is then the answer."""
        return await systems.billing(connection).create_customer(new, idempotency_key)

    @api.put("/{connection}/customers/{customer_id}/status", scope="billing:write")
    async def set_customer_status(connection: Connection, customer_id: ObjectId, change: CustomerStatusChange) -> Customer:
        """Blocks the customer or makes it active again."""
        return await systems.billing(connection).set_customer_status(customer_id, change)

    @api.get("/{connection}/customers/{customer_id}/subscriptions", scope="billing:read")
    async def list_subscriptions(connection: Connection, customer_id: ObjectId) -> Subscriptions:
        """The customer's subscriptions, newest first, ended ones included."""
        return await systems.billing(connection).list_subscriptions(customer_id)

    @api.get("/{connection}/customers/{customer_id}/invoices", scope="billing:read")
    async def list_invoices(connection: Connection, customer_id: ObjectId) -> Invoices:
        """The customer's invoices, newest first."""
        return await systems.billing(connection).list_invoices(customer_id)


def _subscriptions(api: Api, systems: Systems) -> None:
    @api.get("/{connection}/customers/{customer_id}/subscriptions-by-key/{key}", scope="billing:read")
    async def find_subscription(connection: Connection, customer_id: ObjectId, key: BusinessKey) -> Subscription:
        """The customer's subscription under our key."""
        return found(await systems.billing(connection).find_subscription(customer_id, key), f"subscription {key}")

    @api.get("/{connection}/subscriptions/{subscription_id}", scope="billing:read")
    async def get_subscription(connection: Connection, subscription_id: ObjectId) -> Subscription:
        """The subscription under the platform's id."""
        return await systems.billing(connection).get_subscription(subscription_id)

    @api.post("/{connection}/subscriptions", scope="billing:write", status=201, max_body=MANY_LINES)
    async def create_subscription(connection: Connection, new: NewSubscription, idempotency_key: IdempotencyKey) -> Subscription:
        """Creates the subscription once under its key; one-time lines go on its first invoice."""
        return await systems.billing(connection).create_subscription(new, idempotency_key)

    @api.put("/{connection}/subscriptions/{subscription_id}/cancellation", scope="billing:write")
    async def cancel_subscription(connection: Connection, subscription_id: ObjectId) -> Subscription:
        """Ends the subscription now; ending what has ended changes nothing."""
        return await systems.billing(connection).cancel_subscription(subscription_id)
