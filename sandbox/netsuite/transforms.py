"""What a record starts with when it is made from another: order to invoice, invoice to credit memo or payment, and so on."""

from typing import Any

from sandbox.netsuite.books import Books
from sandbox.netsuite.errors import invalid_content, user_error
from sandbox.netsuite.sales import order_status
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.store import Line, Record

DIMENSIONS = ("department", "class", "location")
HEADER = (
    *("entity", "subsidiary", "currency", "exchangeRate", "memo", "otherRefNum", "terms", "startDate", "endDate", "email"),
    *DIMENSIONS,
)
LINE = (
    *("item", "description", "quantity", "rate", "amount", "price", "taxCode", "taxDetailsReference", "deferRevRec"),
    *("revRecSchedule", "revRecStartDate", "revRecEndDate", "revRecTermInMonths"),
    *DIMENSIONS,
)
BILLABLE = frozenset({"B", "D", "E", "F"})


def transformed(books: Books, source: Record, target: RecordType) -> Record:
    """The unsaved draft; raises INVALID_CONTENT for a pair that cannot be transformed."""
    match source.type.name, target.name:
        case "salesOrder", "invoice":
            return _order_to_invoice(books, source, target)
        case "invoice", "creditMemo":
            return _invoice_to_credit(books, source, target)
        case "invoice", "customerPayment":
            return _invoice_to_payment(books, source, target)
        case "customer", "customerPayment":
            return Record(target, "", {"customer": source.id})
        case "customer", "salesOrder" | "invoice":
            return Record(target, "", {"entity": source.id})
    raise invalid_content(f"Record {source.type.name} cannot be transformed to {target.name}.")


def _header(source: Record) -> dict[str, Any]:
    return {name: source.values[name] for name in HEADER if name in source.values} | {"createdFrom": source.id}


def _line(line: Line, number: int) -> Line:
    return {name: line[name] for name in LINE if name in line} | {"line": number}


def _order_to_invoice(books: Books, order: Record, target: RecordType) -> Record:
    if order_status(books, order) not in BILLABLE:
        raise user_error("The transaction cannot be billed in its current status.")
    lines: list[Line] = []
    for line in order.lines["item"]:
        left = line["quantity"] - books.store.billed[order.id, line["line"]]
        if line.get("isClosed") or left <= 0:
            continue
        billed = _line(line, len(lines) + 1) | {"orderDoc": order.id, "orderLine": line["line"], "quantity": left}
        if left != line["quantity"]:
            del billed["amount"]  # priced anew for the part that is left
        lines.append(billed)
    return Record(target, "", _header(order), {"item": lines})


def _invoice_to_credit(books: Books, invoice: Record, target: RecordType) -> Record:
    lines = [_line(line, number) for number, line in enumerate(invoice.lines["item"], 1)]
    return Record(target, "", _header(invoice), {"item": lines, "apply": _application(books, invoice)})


def _invoice_to_payment(books: Books, invoice: Record, target: RecordType) -> Record:
    left = books.store.remaining(invoice)
    if left <= 0:
        raise user_error("The transaction is already paid in full.")
    values = {"customer": invoice.values["entity"], "payment": left}
    return Record(target, "", values, {"apply": _application(books, invoice)})


def _application(books: Books, invoice: Record) -> list[Line]:
    if books.store.remaining(invoice) <= 0:
        return []
    return [{"line": 1, "doc": invoice.id, "apply": True}]
