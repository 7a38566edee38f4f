"""What the process layer may ask of a connected platform: one port a domain, the same for every vendor.

A method's name is the operationId of its endpoint in `system/<domain>/v1`. Every method raises `kernel.problem.Problem`
subclasses only: `NotFound`, `Refused` (the platform said no), `PlatformBusy`, `PlatformDown`, `OutcomeUnknown`.
"""

from datetime import date
from typing import Protocol

from contracts.models.base import Code, ConnectionId, Id, Key
from contracts.models.catalog import Items, Prices
from contracts.models.ledger import AccountingPeriod, LegalEntity, TaxCode
from contracts.models.money import Currency
from contracts.models.order import NewSalesOrder, SalesOrder
from contracts.models.party import Account, Credit, CreditTerms, Customer, CustomerStatusChange, NewCustomer
from contracts.models.sales import Opportunities, Quote, Quotes, References
from contracts.models.subscription import Invoices, NewSubscription, Subscription, Subscriptions
from contracts.models.tax import TaxPreview, TaxRequest
from contracts.ports.effects import creates, reads, sets


class Crm(Protocol):
    """Where sales lives: accounts, opportunities, quotes. We write nothing there but references."""

    @reads
    async def get_account(self, account_id: Id) -> Account: ...

    @reads
    async def get_quote(self, quote_id: Id) -> Quote: ...

    @reads
    async def list_quotes(self, account_id: Id) -> Quotes: ...

    @reads
    async def list_opportunities(self, account_id: Id) -> Opportunities: ...

    @sets
    async def write_account_references(self, account_id: Id, references: References) -> None: ...

    @sets
    async def write_quote_references(self, quote_id: Id, references: References) -> None:
        """Writes on the quote and on its opportunity."""


class Billing(Protocol):
    """Where money is charged: customers, prices, subscriptions, invoices, tax previews."""

    @reads
    async def find_customer(self, key: Key) -> Customer | None: ...

    @reads
    async def get_customer(self, customer_id: Id) -> Customer: ...

    @creates(found_by=lambda port, new: port.find_customer(new.key), keep_existing=True)
    async def create_customer(self, new: NewCustomer, idempotency_key: str) -> Customer: ...

    @sets
    async def set_customer_status(self, customer_id: Id, change: CustomerStatusChange) -> Customer: ...

    @reads
    async def list_prices(self, keys: list[Code]) -> Prices:
        """The prices that exist under these keys; a missing key is missing in the answer."""

    @reads
    async def preview_tax(self, request: TaxRequest) -> TaxPreview: ...

    @reads
    async def find_subscription(self, customer_id: Id, key: Key) -> Subscription | None: ...

    @reads
    async def get_subscription(self, subscription_id: Id) -> Subscription: ...

    @reads
    async def list_subscriptions(self, customer_id: Id) -> Subscriptions: ...

    @reads
    async def list_invoices(self, customer_id: Id) -> Invoices: ...

    @creates(found_by=lambda port, new: port.find_subscription(new.customer.id, new.key))
    async def create_subscription(self, new: NewSubscription, idempotency_key: str) -> Subscription: ...

    @sets
    async def cancel_subscription(self, subscription_id: Id) -> Subscription:
        """Ends it now; cancelling what is cancelled changes nothing."""


class Erp(Protocol):
    """Where the books are: legal customers, credit, items, periods, tax codes, sales orders."""

    @reads
    async def find_customer(self, key: Key) -> Customer | None: ...

    @reads
    async def get_customer(self, customer_id: Id) -> Customer: ...

    @creates(found_by=lambda port, new: port.find_customer(new.key), keep_existing=True)
    async def create_customer(self, new: NewCustomer, idempotency_key: str) -> Customer: ...

    @sets
    async def set_customer_status(self, customer_id: Id, change: CustomerStatusChange) -> Customer: ...

    @reads
    async def get_credit(self, customer_id: Id) -> Credit: ...

    @sets
    async def set_credit_terms(self, customer_id: Id, terms: CreditTerms) -> Customer: ...

    @reads
    async def list_items(self, codes: list[Code], currency: Currency) -> Items:
        """The items that exist under these codes, with stock and base price; a missing code is missing in the answer."""

    @reads
    async def find_tax_code(self, code: Code) -> TaxCode | None: ...

    @reads
    async def get_legal_entity(self, entity_id: Id) -> LegalEntity: ...

    @reads
    async def find_period(self, day: date) -> AccountingPeriod | None:
        """The month that holds the day."""

    @reads
    async def find_sales_order(self, key: Key) -> SalesOrder | None: ...

    @reads
    async def get_sales_order(self, order_id: Id) -> SalesOrder: ...

    @creates(found_by=lambda port, new: port.find_sales_order(new.key))
    async def create_sales_order(self, new: NewSalesOrder, idempotency_key: str) -> SalesOrder: ...

    @sets
    async def cancel_sales_order(self, order_id: Id) -> SalesOrder:
        """Closes it unfulfilled; cancelling what is cancelled changes nothing."""


class Systems(Protocol):
    """The connected accounts, each behind its port. An unknown id, or one of another domain, raises `UnknownConnection`."""

    def crm(self, connection: ConnectionId) -> Crm: ...

    def billing(self, connection: ConnectionId) -> Billing: ...

    def erp(self, connection: ConnectionId) -> Erp: ...
