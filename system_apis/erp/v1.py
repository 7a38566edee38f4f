"""ERP v1: customers, credit, items, periods, tax codes and sales orders of any connected ERP."""

from typing import Annotated

from fastapi import Query

from contracts.models.base import Day
from contracts.models.catalog import Items
from contracts.models.ledger import AccountingPeriod, LegalEntity, TaxCode
from contracts.models.order import NewSalesOrder, SalesOrder
from contracts.models.party import Credit, CreditTerms, Customer, CustomerStatusChange, NewCustomer
from contracts.ports.system import Systems
from kernel.api import Api, IdempotencyKey
from kernel.problem import Conflict
from system_apis.parameters import MANY_LINES, BusinessKey, Codes, Connection, CurrencyCode, ObjectId, found

SETTLED = {"ttl": 60, "stale_if_error": 600}  # what an ERP changes once a year
OF_CREDIT = {"if_match": "optional", "of": "get_credit"}  # terms are set in view of what is owed


def erp_api(systems: Systems) -> Api:
    api = Api(
        "system", "erp", "1.0.0", "ERP", "Customers, credit, items, periods, tax codes and sales orders of any connected ERP.",
        "platform-integration", {"erp:read": "Read ERP records", "erp:write": "Create and change ERP records"},
        problems=(Conflict,),
    )  # fmt: skip
    _customers(api, systems)
    _reference_data(api, systems)
    _sales_orders(api, systems)
    return api


def _customers(api: Api, systems: Systems) -> None:
    @api.get("/{connection}/customers-by-key/{key}", scope="erp:read")
    async def find_customer(connection: Connection, key: BusinessKey) -> Customer:
        """The customer under our key."""
        return found(await systems.erp(connection).find_customer(key), f"customer {key}")

    @api.get("/{connection}/customers/{customer_id}", scope="erp:read")
    async def get_customer(connection: Connection, customer_id: ObjectId) -> Customer:
        """The customer under the platform's id."""
        return await systems.erp(connection).get_customer(customer_id)

    @api.post("/{connection}/customers", scope="erp:write", status=201)
    async def create_customer(connection: Connection, new: NewCustomer, idempotency_key: IdempotencyKey) -> Customer:
        """Creates the customer unless one exists under its key; the existing one is then the answer."""
        return await systems.erp(connection).create_customer(new, idempotency_key)

    @api.put("/{connection}/customers/{customer_id}/status", scope="erp:write")
    async def set_customer_status(connection: Connection, customer_id: ObjectId, change: CustomerStatusChange) -> Customer:
        """Blocks the customer or makes it active again."""
        return await systems.erp(connection).set_customer_status(customer_id, change)

    @api.get("/{connection}/customers/{customer_id}/credit", scope="erp:read")
    async def get_credit(connection: Connection, customer_id: ObjectId) -> Credit:
        """The customer's credit limit and exposure: what is owed plus what is ordered and not yet invoiced."""
        return await systems.erp(connection).get_credit(customer_id)

    @api.put("/{connection}/customers/{customer_id}/credit-terms", scope="erp:write", conditional=OF_CREDIT)
    async def set_credit_terms(connection: Connection, customer_id: ObjectId, terms: CreditTerms) -> Customer:
        """Sets payment days and credit limit."""
        return await systems.erp(connection).set_credit_terms(customer_id, terms)


def _reference_data(api: Api, systems: Systems) -> None:
    @api.get("/{connection}/items", scope="erp:read")
    async def list_items(connection: Connection, codes: Codes, currency: CurrencyCode) -> Items:
        """The items that exist under these codes, with stock and base price; a missing code is missing in the answer."""
        return await systems.erp(connection).list_items(codes, currency)

    @api.get("/{connection}/tax-codes/{code}", scope="erp:read", cache=SETTLED)
    async def find_tax_code(connection: Connection, code: BusinessKey) -> TaxCode:
        """The tax code."""
        return found(await systems.erp(connection).find_tax_code(code), f"tax code {code}")

    @api.get("/{connection}/legal-entities/{entity_id}", scope="erp:read", cache=SETTLED)
    async def get_legal_entity(connection: Connection, entity_id: ObjectId) -> LegalEntity:
        """The legal entity."""
        return await systems.erp(connection).get_legal_entity(entity_id)

    @api.get("/{connection}/periods", scope="erp:read")
    async def find_period(connection: Connection, day: Annotated[Day, Query()]) -> AccountingPeriod:
        """The accounting month that holds the day."""
        return found(await systems.erp(connection).find_period(day), f"accounting period for {day}")


def _sales_orders(api: Api, systems: Systems) -> None:
    @api.get("/{connection}/sales-orders-by-key/{key}", scope="erp:read")
    async def find_sales_order(connection: Connection, key: BusinessKey) -> SalesOrder:
        """The sales order under our key."""
        return found(await systems.erp(connection).find_sales_order(key), f"sales order {key}")

    @api.get("/{connection}/sales-orders/{order_id}", scope="erp:read")
    async def get_sales_order(connection: Connection, order_id: ObjectId) -> SalesOrder:
        """The sales order under the platform's id."""
        return await systems.erp(connection).get_sales_order(order_id)

    @api.post("/{connection}/sales-orders", scope="erp:write", status=201, max_body=MANY_LINES)
    async def create_sales_order(connection: Connection, new: NewSalesOrder, idempotency_key: IdempotencyKey) -> SalesOrder:
        """Creates the sales order once under its key."""
        return await systems.erp(connection).create_sales_order(new, idempotency_key)

    @api.put("/{connection}/sales-orders/{order_id}/cancellation", scope="erp:write")
    async def cancel_sales_order(connection: Connection, order_id: ObjectId) -> SalesOrder:
        """Closes the order unfulfilled; closing what is closed changes nothing."""
        return await systems.erp(connection).cancel_sales_order(order_id)
