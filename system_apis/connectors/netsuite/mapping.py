"""NetSuite's words as our models. Pure functions: no I/O; every wire field is checked before it is used."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from contracts.models.base import Key
from contracts.models.catalog import Item, Items
from contracts.models.ledger import AccountingPeriod, LegalEntity, TaxCode
from contracts.models.money import Money
from contracts.models.order import SalesOrder, SalesOrderStatus
from contracts.models.party import Credit, Customer
from contracts.models.reference import Reference
from kernel.problem import Refused
from system_apis.connectors.netsuite.fields import Fields

# The `fields` asked for with each record.
CUSTOMER = "externalId,entityId,companyName,isPerson,firstName,lastName,currency,isInactive"
CREDIT = "creditLimit,creditHoldOverride,balance,unbilledOrders,daysOverdue,currency"
SALES_ORDER = "externalId,tranId,orderStatus,total,currency,entity"

LONGEST_OVERDUE = 3650  # days, the most that our model tells
_STOCKED = frozenset({"InvtPart", "Assembly"})
_KEY: TypeAdapter[str] = TypeAdapter(Key)
_ORDER_STATUS: Mapping[str, SalesOrderStatus] = {
    "A": "pending",  # Pending Approval
    "B": "pending",  # Pending Fulfillment
    "C": "cancelled",  # Cancelled
    "D": "in_progress",  # Partially Fulfilled
    "E": "in_progress",  # Pending Billing/Partially Fulfilled
    "F": "in_progress",  # Pending Billing
    "G": "completed",  # Billed
    "H": "cancelled",  # Closed
}
M = TypeVar("M")


def _understood(make: Callable[..., M]) -> Callable[..., M]:
    """What NetSuite says within its types but beyond our bounds is an unintelligible answer too."""

    @wraps(make)
    def made(wire: Fields, *more: Any) -> M:
        try:
            return make(wire, *more)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise wire.odd(f"({where})") from None

    return made


def key(wire: Fields) -> str | None:
    """The business key in the external id; None where there is none, or one that cannot be a key."""
    found = wire.optional_text("externalId")
    try:
        return None if found is None else _KEY.validate_python(found)
    except ValidationError:
        return None


@_understood
def customer(wire: Fields, currency: str) -> Customer:
    return Customer(
        reference=Reference(connection=wire.system, kind="customer", id=wire.text("id")),
        key=key(wire),
        legal_name=_name(wire),
        currency=currency,
        active=not wire.flag("isInactive"),
    )


def _name(wire: Fields) -> str:
    """A company's name, a person's names, or what NetSuite numbers a nameless one by."""
    person = " ".join(part for part in (wire.optional_text("firstName"), wire.optional_text("lastName")) if part)
    company = wire.optional_text("companyName")
    return (person or company if wire.optional_flag("isPerson") else company) or wire.text("entityId")


@_understood
def credit(wire: Fields, currency: str) -> Credit:
    """On hold is what a person has put on hold; AUTO leaves it to limit and overdue days, which are answered too."""
    limit = wire.optional_number("creditLimit")
    exposure = wire.number("balance") + wire.number("unbilledOrders")
    return Credit(
        limit=None if limit is None else Money.of(limit, currency),
        exposure=Money.of(exposure, currency),
        overdue_days=min(max(int(wire.number("daysOverdue")), 0), LONGEST_OVERDUE),
        on_hold=wire.reference("creditHoldOverride") == "ON",
    )


def items(rows: list[Fields], currency: str) -> Items:
    """An item comes in several rows: one for each base price and location."""
    by_id: dict[str, list[Fields]] = {}
    for row in rows:
        by_id.setdefault(row.text("id"), []).append(row)
    return Items(items=[_item(of_item[0], of_item, currency) for of_item in by_id.values()])


@_understood
def _item(row: Fields, rows: list[Fields], currency: str) -> Item:
    code = row.text("itemid")
    return Item(
        code=code,
        id=row.text("id"),
        name=row.optional_text("displayname") or code,
        active=not row.truth("isinactive"),
        available=_available(rows) if row.text("itemtype") in _STOCKED else None,
        unit_price=_base_price(rows, currency),
    )


def _available(rows: list[Fields]) -> Decimal:
    """The stock of all locations, each counted once however many prices the item has."""
    places = {row.optional_text("location"): row.optional_decimal("quantityavailable") for row in rows}
    return sum((stock for stock in places.values() if stock is not None), Decimal(0))


def _base_price(rows: list[Fields], currency: str) -> Decimal | None:
    """The price of the smallest quantity."""
    prices = [
        (row.optional_decimal("quantity") or Decimal(0), price)
        for row in rows
        if row.optional_text("symbol") == currency and (price := row.optional_decimal("unitprice")) is not None
    ]
    return min(prices)[1] if prices else None


@_understood
def tax_code(row: Fields) -> TaxCode:
    return TaxCode(id=row.text("id"), code=row.text("itemid"), active=not row.truth("isinactive"))


@_understood
def legal_entity(row: Fields) -> LegalEntity:
    return LegalEntity(
        id=row.text("id"),
        name=row.text("name"),
        country=row.text("country"),
        currency=row.text("symbol"),
        active=not row.truth("isinactive"),
    )


@_understood
def period(row: Fields, asked: date) -> AccountingPeriod:
    """NetSuite's end is the last day within; ours is the day after. A period without the asked day is a misread date."""
    start, last = row.day("startdate"), row.day("enddate")
    if not start <= asked <= last:
        raise row.odd("startdate")
    locked = row.truth("closed") or row.truth("alllocked") or row.truth("arlocked")
    return AccountingPeriod(
        id=row.text("id"),
        name=row.text("periodname"),
        start=start,
        end=last + timedelta(days=1),
        open=row.truth("isposting") and not locked,
    )


@_understood
def sales_order(wire: Fields, currency: str) -> SalesOrder:
    """Raises Refused for an order that was not made under a key, which is none of ours."""
    id, found = wire.text("id"), key(wire)
    if found is None:
        fix = "give the order our key as its external id in NetSuite"
        raise Refused(f"NetSuite: the sales order {id} carries no key", system=wire.system, field="order_id", fix=fix)
    status = _ORDER_STATUS.get(wire.reference("orderStatus"))
    if status is None:
        raise wire.odd("orderStatus")
    return SalesOrder(
        reference=Reference(connection=wire.system, kind="sales_order", id=id),
        key=found,
        number=wire.text("tranId"),
        status=status,
        total=Money.of(wire.number("total"), currency),
        customer=wire.reference("entity"),
    )


def closable(order: Fields) -> list[int]:
    """The numbers of the lines still to be closed; raises Refused when anything was delivered or invoiced already."""
    lines = order.lines("item")
    for line in lines:
        for done in ("quantityFulfilled", "quantityBilled"):
            if line.optional_number(done):
                fix = "credit the invoice or take the goods back in NetSuite, then close what is left there"
                detail = f"NetSuite: the sales order {order.text('id')} is delivered or invoiced in part"
                raise Refused(detail, system=order.system, field="order_id", fix=fix)
    return [int(line.number("line")) for line in lines if not line.optional_flag("isClosed")]
