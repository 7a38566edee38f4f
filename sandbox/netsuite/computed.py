"""Fields that NetSuite computes are computed when they are read, from totals the store keeps at each write."""

from collections.abc import Callable
from typing import Any

from sandbox.netsuite.books import Books, aging, days_overdue, unit_price
from sandbox.netsuite.sales import order_status
from sandbox.netsuite.store import Line, Record
from sandbox.netsuite.wire import ZERO

Compute = Callable[[Books, Record], Any]


def _balance(books: Books, record: Record) -> Any:
    return books.store.balance[record.id]


def _unbilled(books: Books, record: Record) -> Any:
    return books.store.unbilled[record.id]


def _overdue(books: Books, record: Record) -> Any:
    return sum(aging(books, record.id)[1:], ZERO)


def _days(books: Books, record: Record) -> Any:
    return days_overdue(books, record.id)


def _bucket(number: int) -> Compute:
    return lambda books, record: aging(books, record.id)[number]


def _group(compute: Compute, combine: Callable[[list[Any]], Any]) -> Compute:
    """Over a customer and its direct subcustomers."""

    def consolidated(books: Books, record: Record) -> Any:
        members = [record, *books.store.where("customer", "parent", record.id).values()]
        return combine([compute(books, one) for one in members])

    return consolidated


def _total(values: list[Any]) -> Any:
    return sum(values, ZERO)


def _nothing(books: Books, record: Record) -> Any:
    return ZERO


def _remaining(books: Books, record: Record) -> Any:
    return books.store.remaining(record)


def _used(books: Books, record: Record) -> Any:
    return record.money("total") - books.store.remaining(record)


def _open_or_settled(books: Books, record: Record) -> Any:
    return "A" if books.store.remaining(record) > 0 else "B"


def _default_address(books: Books, record: Record) -> Any:
    for line in record.lines.get("addressBook", ()):
        if line.get("defaultBilling"):
            return _address_text(line.get("addressBookAddress", {}))
    return None


def _address_text(address: dict[str, Any]) -> str:
    place = " ".join(part for part in (address.get("city"), address.get("state"), address.get("zip")) if part)
    parts = (address.get("addressee"), address.get("addr1"), address.get("addr2"), place, address.get("country"))
    return "\n".join(part for part in parts if part)


def _item_type(books: Books, record: Record) -> Any:
    return record.type.code


def _base_price(books: Books, record: Record) -> Any:
    return unit_price(record, "1")


COMPUTED: dict[tuple[str, str], Compute] = {
    ("customer", "balance"): _balance,
    ("customer", "unbilledOrders"): _unbilled,
    ("customer", "overdueBalance"): _overdue,
    ("customer", "daysOverdue"): _days,
    ("customer", "depositBalance"): _nothing,
    ("customer", "consolBalance"): _group(_balance, _total),
    ("customer", "consolUnbilledOrders"): _group(_unbilled, _total),
    ("customer", "consolOverdueBalance"): _group(_overdue, _total),
    ("customer", "consolDaysOverdue"): _group(_days, max),
    **{("customer", f"aging{n or ''}"): _bucket(n) for n in range(5)},
    ("customer", "defaultAddress"): _default_address,
    ("customer", "dateCreated"): lambda books, record: record.get("createdDate"),
    ("subsidiary", "fullName"): lambda books, record: record.get("name"),
    ("salesOrder", "orderStatus"): order_status,
    ("salesOrder", "status"): order_status,
    ("salesOrder", "deferredRevenue"): _nothing,
    ("invoice", "status"): _open_or_settled,
    ("invoice", "amountPaid"): _used,
    ("invoice", "amountRemaining"): _remaining,
    ("invoice", "deferredRevenue"): _nothing,
    ("invoice", "recognizedRevenue"): _nothing,
    ("creditMemo", "status"): _open_or_settled,
    ("creditMemo", "applied"): _used,
    ("creditMemo", "unapplied"): _remaining,
    ("creditMemo", "amountRemaining"): _remaining,
    ("customerPayment", "status"): lambda books, record: "C",
    ("customerPayment", "applied"): _used,
    ("customerPayment", "unapplied"): _remaining,
    ("customerRefund", "status"): lambda books, record: "A",
    **{(kind, "itemType"): _item_type for kind in ("inventoryItem", "serviceSaleItem", "nonInventorySaleItem")},
    **{(kind, "basePrice"): _base_price for kind in ("inventoryItem", "serviceSaleItem", "nonInventorySaleItem")},
}


def value(books: Books, record: Record, name: str) -> Any:
    """A body field as it reads now; None if it is empty."""
    compute = COMPUTED.get((record.type.name, name))
    return compute(books, record) if compute else record.values.get(name)


def line_extras(books: Books, record: Record, sublist: str, line: Line) -> dict[str, Any]:
    """What a line shows beside what is stored on it."""
    if sublist == "apply":
        document = books.store.families["transaction"][line["doc"]]
        extras = {"refNum": document.get("tranId"), "type": document.type.code, "applyDate": document.get("tranDate")}
        return {**extras, "total": document.money("total"), "due": books.store.remaining(document)}
    if sublist == "item" and record.type.name == "salesOrder":
        item = books.store.families["item"][line["item"]]
        stock = {name: item.get(name) for name in ("quantityAvailable", "quantityOnHand") if item.get(name) is not None}
        billed = books.store.billed[record.id, line["line"]]
        return {"quantityBilled": billed, "quantityFulfilled": ZERO, "lineUniqueKey": f"{record.id}{line['line']:03d}", **stock}
    return {}
