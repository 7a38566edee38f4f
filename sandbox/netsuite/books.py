"""The company's rules that every record type shares: who may be traded with, in what currency, in which period."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sandbox.netsuite.errors import closed_period, invalid_value, missing, user_error
from sandbox.netsuite.store import Record, Store
from sandbox.netsuite.wire import ZERO

NOT_TAXABLE = "-8"  # the tax item that NetSuite ships for untaxed lines
RECEIVABLES = "2"  # the seeded accounts receivable account
# The periods' own locks that stop a posting, beside `closed`.
LOCKS = ("closed", "allLocked", "arLocked")


@dataclass
class Books:
    """The store, the calendar and what is looked up in them."""

    store: Store
    clock: Callable[[], datetime]

    def today(self) -> date:
        return self.clock().date()

    def customer(self, draft: Record, old: Record | None, name: str = "entity") -> Record:
        """The customer of a transaction: active when it is made, the same ever after."""
        chosen = draft.get(name)
        if chosen is None:
            raise missing("Customer")
        customer = self.store.types["customer"][chosen]
        if customer.get("isInactive") if old is None else old.get(name) != chosen:
            raise invalid_value(name, chosen, name)
        return customer

    def belong(self, draft: Record, customer: Record) -> None:
        """Subsidiary and currency come from the customer and must be the customer's."""
        for name in ("subsidiary", "currency"):
            draft.values.setdefault(name, customer.get(name))
            if draft.values[name] != customer.get(name):
                raise invalid_value(name, draft.values[name], name)
        self.located(draft.get("location"), draft.values["subsidiary"], "location")
        draft.values.setdefault("exchangeRate", Decimal(1))

    def located(self, location: str | None, subsidiary: str, path: str) -> None:
        """A location belongs to one subsidiary and serves no other."""
        if location and self.store.types["location"][location].get("subsidiary") not in (None, subsidiary):
            raise invalid_value("location", location, path)

    def dated(self, draft: Record, prefix: str) -> date:
        draft.values.setdefault("tranDate", self.today())
        if not draft.get("tranId"):
            draft.values["tranId"] = self.store.next_number(prefix)
        found: date = draft.values["tranDate"]
        return found

    def period(self, day: date) -> Record | None:
        """The month that a date posts to."""
        return self.store.types["accountingPeriod"].get(self.store.months.get((day.year, day.month), ""))

    def post(self, draft: Record, old: Record | None) -> None:
        """Finds the posting period and refuses one that is closed, now or where the transaction was posted before."""
        if old is not None:
            self.postable(self.store.types["accountingPeriod"][old.values["postingPeriod"]])
            if old.values["tranDate"] != draft.values["tranDate"] and old.values["postingPeriod"] == draft.get("postingPeriod"):
                del draft.values["postingPeriod"]
        natural = self.period(draft.values["tranDate"])
        if "postingPeriod" not in draft.values:
            if natural is None:
                raise invalid_value("tranDate", draft.values["tranDate"].isoformat(), "tranDate")
            draft.values["postingPeriod"] = natural.id
        self.postable(self.store.types["accountingPeriod"][draft.values["postingPeriod"]])

    def postable(self, period: Record) -> None:
        if not period.get("isPosting"):
            raise invalid_value("postingPeriod", period.id, "postingPeriod")
        if any(period.get(lock) for lock in LOCKS):
            raise closed_period()

    def domestic_tax(self, subsidiary: str) -> Record:
        """The tax item of a subsidiary's own country."""
        return self.store.types["salesTaxItem"][self.store.domestic_tax.get(subsidiary, NOT_TAXABLE)]

    def deletable(self, record: Record) -> None:
        store = self.store
        period = record.get("postingPeriod")
        if period and any(store.types["accountingPeriod"][period].get(lock) for lock in LOCKS):
            raise closed_period()
        billed = record.type.name == "salesOrder" and bool(store.where("invoice", "createdFrom", record.id))
        if billed or store.used[record.type.family, record.id] or store.applied[record.id]:
            raise user_error("This record cannot be deleted because it has dependent records.")


def complete_customer(books: Books, draft: Record, old: Record | None) -> None:
    values = draft.values
    if not values.get("companyName") and not values.get("isPerson"):
        raise missing("Company Name")
    if values.get("isPerson") and not (values.get("firstName") and values.get("lastName")):
        raise missing("First Name, Last Name")
    if not values.get("subsidiary"):
        raise missing("Primary Subsidiary")
    home = books.store.types["subsidiary"][values["subsidiary"]]
    values.setdefault("currency", home.get("currency"))
    values.setdefault("isPerson", False)
    values.setdefault("isInactive", False)
    values.setdefault("creditHoldOverride", "AUTO")
    values.setdefault("entityStatus", "13")
    values.setdefault("receivablesAccount", RECEIVABLES)
    values.setdefault("priceLevel", "1")
    if not values.get("entityId"):
        values["entityId"] = books.store.next_number("CUST")
    for other in books.store.where("customer", "entityId", values["entityId"]).values():
        if other.id != draft.id:
            raise user_error("This entity already exists.")
    if values.get("parent") == draft.id:
        raise invalid_value("parent", draft.id, "parent")
    if old and books.store.used["entity", draft.id]:
        for fixed in ("subsidiary", "currency"):
            if old.get(fixed) != values[fixed]:
                raise invalid_value(fixed, values[fixed], fixed)


def complete_item(books: Books, draft: Record, old: Record | None) -> None:
    if not draft.get("itemId"):
        raise missing("Item Name/Number")
    for kind in ("inventoryItem", "serviceSaleItem", "nonInventorySaleItem"):
        for other in books.store.where(kind, "itemId", draft.values["itemId"]).values():
            if other.id != draft.id:
                raise user_error("Uniqueness error, the item name already exists.")
    draft.values.setdefault("isInactive", False)
    for position, line in enumerate(draft.lines.get("price", ())):
        for name in ("currencyPage", "price"):
            if name not in line:
                raise invalid_value(name, None, f"price.items[{position}].{name}")
        line.setdefault("priceLevel", "1")


def complete_named(books: Books, draft: Record, old: Record | None) -> None:
    if not draft.get(draft.type.label):
        raise missing(draft.type.label)
    draft.values.setdefault("isInactive", False)


def unit_price(item: Record, currency: str) -> Decimal | None:
    """The item's base price in a currency; None if it has none."""
    for line in item.lines.get("price", ()):
        if line["currencyPage"] == currency and line["priceLevel"] == "1":
            found: Decimal = line["price"]
            return found
    return None


def aging(books: Books, customer: str) -> list[Decimal]:
    """Open receivables of a customer by days overdue: not due, 1-30, 31-60, 61-90, more."""
    buckets = [ZERO] * 5
    for invoice in books.store.open_invoices[customer].values():
        late = max((books.today() - invoice.values["dueDate"]).days, 0)
        buckets[min((late + 29) // 30, 4)] += books.store.remaining(invoice)
    return buckets


def days_overdue(books: Books, customer: str) -> int:
    due = [invoice.values["dueDate"] for invoice in books.store.open_invoices[customer].values()]
    return max((books.today() - min(due)).days, 0) if due else 0
