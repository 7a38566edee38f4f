"""An ERP in memory: customers and their credit, items, books and sales orders; a new idempotency key makes a new sales order."""

from datetime import date
from decimal import Decimal

from contracts.models.catalog import Item, Items
from contracts.models.ledger import AccountingPeriod, LegalEntity, TaxCode
from contracts.models.money import Money
from contracts.models.order import NewSalesOrder, SalesOrder
from contracts.models.party import Credit, CreditTerms, Customer, CustomerStatusChange, NewCustomer
from contracts.models.reference import Reference
from kernel.problem import NotFound
from sandbox import world
from tests.process_apis.platforms.traffic import Traffic

CONNECTION = "netsuite"


class MemoryErp:
    """Implements the port `Erp`. Tables are dicts by id; `keyed` holds what was made under which idempotency key."""

    def __init__(self, traffic: Traffic, today: date) -> None:
        self._traffic = traffic
        self.customers: dict[str, Customer] = {}
        self.credit: dict[str, Credit] = {}
        self.terms: dict[str, CreditTerms] = {}
        self.items = {code: (product, True) for product in world.PRODUCTS if (code := product.netsuite_item)}
        self.entities = {entity.netsuite_id: _entity(entity) for entity in world.ENTITIES}
        self.tax_codes = {
            entity.tax_code: TaxCode(id=entity.tax_code, code=entity.tax_code, active=True) for entity in world.ENTITIES
        }
        self.periods = [_period(period) for period in world.periods(today)]
        self.sales_orders: dict[str, SalesOrder] = {}
        self.asked: list[NewSalesOrder] = []
        self.keyed: dict[str, SalesOrder] = {}

    def know(self, key: str, name: str, currency: str, *, active: bool = True, limit: str = "50000", owed: str = "0") -> Customer:
        id = str(100 + len(self.customers))
        reference = Reference(connection=CONNECTION, kind="customer", id=id)
        made = Customer(reference=reference, key=key, legal_name=name, currency=currency, active=active)
        self.customers[id] = made
        standing = Credit(limit=Money.of(limit, currency), exposure=Money.of(owed, currency), overdue_days=0, on_hold=False)
        self.credit[id] = standing
        return made

    def of(self, key: str) -> Customer | None:
        return next((customer for customer in self.customers.values() if customer.key == key), None)

    async def find_customer(self, key: str) -> Customer | None:
        async with self._traffic.call("erp", "find_customer"):
            return self.of(key)

    async def get_customer(self, customer_id: str) -> Customer:
        async with self._traffic.call("erp", "get_customer"):
            if customer_id not in self.customers:
                raise NotFound(f"Memory ERP: there is no customer {customer_id}", system=CONNECTION)
            return self.customers[customer_id]

    async def create_customer(self, new: NewCustomer, idempotency_key: str) -> Customer:
        async with self._traffic.call("erp", "create_customer"):
            return self.of(new.key) or self.know(new.key, new.legal_name, new.currency)

    async def set_customer_status(self, customer_id: str, change: CustomerStatusChange) -> Customer:
        async with self._traffic.call("erp", "set_customer_status"):
            changed = self.customers[customer_id].model_copy(update={"active": change.status == "active"})
            self.customers[customer_id] = changed
            return changed

    async def get_credit(self, customer_id: str) -> Credit:
        async with self._traffic.call("erp", "get_credit"):
            return self.credit[customer_id]

    async def set_credit_terms(self, customer_id: str, terms: CreditTerms) -> Customer:
        async with self._traffic.call("erp", "set_credit_terms"):
            self.terms[customer_id] = terms
            self.credit[customer_id] = self.credit[customer_id].model_copy(update={"limit": terms.credit_limit})
            return self.customers[customer_id]

    async def list_items(self, codes: list[str], currency: str) -> Items:
        async with self._traffic.call("erp", "list_items"):
            return Items(items=[_item(*self.items[code], currency) for code in codes if code in self.items])

    async def find_tax_code(self, code: str) -> TaxCode | None:
        async with self._traffic.call("erp", "find_tax_code"):
            return self.tax_codes.get(code)

    async def get_legal_entity(self, entity_id: str) -> LegalEntity:
        async with self._traffic.call("erp", "get_legal_entity"):
            return self.entities[entity_id]

    async def find_period(self, day: date) -> AccountingPeriod | None:
        async with self._traffic.call("erp", "find_period"):
            return next((period for period in self.periods if period.start <= day < period.end), None)

    async def find_sales_order(self, key: str) -> SalesOrder | None:
        async with self._traffic.call("erp", "find_sales_order"):
            return next((order for order in self.sales_orders.values() if order.key == key), None)

    async def get_sales_order(self, order_id: str) -> SalesOrder:
        async with self._traffic.call("erp", "get_sales_order"):
            return self.sales_orders[order_id]

    async def create_sales_order(self, new: NewSalesOrder, idempotency_key: str) -> SalesOrder:
        async with self._traffic.call("erp", "create_sales_order"):
            if idempotency_key not in self.keyed:
                id = str(9000 + len(self.sales_orders))
                total = sum((Money.of(line.amount, new.currency) for line in new.lines), Money.zero(new.currency))
                made = SalesOrder(
                    reference=Reference(connection=CONNECTION, kind="sales_order", id=id), key=new.key, number=f"SO{id}",
                    status="pending", total=total, customer=new.customer.id,
                )  # fmt: skip
                self.sales_orders[id] = self.keyed[idempotency_key] = made
                self.asked.append(new)
            return self.keyed[idempotency_key]

    async def cancel_sales_order(self, order_id: str) -> SalesOrder:
        async with self._traffic.call("erp", "cancel_sales_order"):
            closed = self.sales_orders[order_id].model_copy(update={"status": "cancelled"})
            self.sales_orders[order_id] = closed
            return closed


def _item(product: world.Product, active: bool, currency: str) -> Item:
    available = None if product.in_stock is None else Decimal(product.in_stock)
    code, price = product.netsuite_item or product.sku, product.prices.get(currency)
    return Item(
        code=code, id=f"item-{code}", name=product.name, active=active, available=available,
        unit_price=None if price is None else Decimal(price),
    )  # fmt: skip


def _entity(entity: world.Entity) -> LegalEntity:
    return LegalEntity(id=entity.netsuite_id, name=entity.name, country=entity.country, currency=entity.currency, active=True)


def _period(period: world.Period) -> AccountingPeriod:
    name = f"{period.start:%b %Y}"
    return AccountingPeriod(id=f"{period.start:%Y-%m}", name=name, start=period.start, end=period.end, open=not period.closed)
