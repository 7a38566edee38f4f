"""Sales orders, invoices and credit memos: lines priced and taxed, totals tied out, status derived from the lines."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.netsuite.books import NOT_TAXABLE, RECEIVABLES, Books, unit_price
from sandbox.netsuite.cash import complete_applications
from sandbox.netsuite.draft import TOUCHED
from sandbox.netsuite.errors import invalid_value, user_error
from sandbox.netsuite.store import Line, Record
from sandbox.netsuite.wire import ZERO, cents

# What a body may do to orderStatus: approve, take the approval back, cancel what is not approved.
STATUS_MOVES = frozenset({("A", "B"), ("B", "A"), ("A", "C")})


def complete_order(books: Books, draft: Record, old: Record | None) -> None:
    customer = books.customer(draft, old)
    books.belong(draft, customer)
    books.dated(draft, "SO")
    _default_terms(draft, customer)
    complete_lines(books, draft, old)
    if old:
        _keep_billed(books, draft, old)
    status = draft.values.setdefault("orderStatus", "A")
    if old is None:
        allowed = status in ("A", "B")
    else:
        shown = order_status(books, old)
        allowed = status in (shown, old.values["orderStatus"]) or (shown, status) in STATUS_MOVES
    if not allowed:
        raise invalid_value("orderStatus", status, "orderStatus")
    draft.values["orderStatus"] = order_status(books, draft)


def _keep_billed(books: Books, draft: Record, old: Record) -> None:
    """What is invoiced already stays ordered: the line, its item, and at least the invoiced quantity."""
    now = {line["line"]: (position, line) for position, line in enumerate(draft.lines["item"])}
    for before in old.lines["item"]:
        billed = books.store.billed[old.id, before["line"]]
        if billed:
            position, line = now.get(before["line"], (0, {}))
            if line.get("item") != before["item"] or line["quantity"] < billed:
                raise invalid_value("quantity", line.get("quantity"), f"item.items[{position}].quantity")


def order_status(books: Books, order: Record) -> str:
    """Closed once every line is, billed once every open line is; otherwise as it was approved."""
    status: str = order.values["orderStatus"]
    if status == "C":
        return status
    lines = order.lines["item"]
    if all(line.get("isClosed") for line in lines):
        return "H"
    if all(line.get("isClosed") or books.store.billed[order.id, line["line"]] >= line["quantity"] for line in lines):
        return "G"
    return "B" if status in ("G", "H") else status


def complete_invoice(books: Books, draft: Record, old: Record | None) -> None:
    customer = books.customer(draft, old)
    books.belong(draft, customer)
    day = books.dated(draft, "INV")
    books.post(draft, old)
    _default_terms(draft, customer)
    term = books.store.types["term"].get(draft.get("terms", ""))
    if "dueDate" not in draft.values or (old and old.get("dueDate") == draft.get("dueDate") and old.get("tranDate") != day):
        draft.values["dueDate"] = day + timedelta(days=term.values["daysUntilNetDue"] if term else 0)
    draft.values.setdefault("account", RECEIVABLES)
    draft.values.setdefault("approvalStatus", "2")
    complete_lines(books, draft, old)
    _not_below(draft, sum(books.store.applied[draft.id].values(), ZERO))
    _check_billing(books, draft, old)


def complete_credit(books: Books, draft: Record, old: Record | None) -> None:
    customer = books.customer(draft, old)
    books.belong(draft, customer)
    books.dated(draft, "CM")
    books.post(draft, old)
    draft.values.setdefault("account", RECEIVABLES)
    complete_lines(books, draft, old)
    complete_applications(books, draft, old, frozenset({"invoice"}))


def complete_lines(books: Books, draft: Record, old: Record | None) -> None:
    """Every line's price, amount and tax, and the document's totals; refuses a document without lines."""
    lines = draft.lines.get("item", [])
    if not lines:
        raise user_error("You must enter at least one line item for this transaction.", "item")
    before = {line["line"]: line for line in old.lines["item"]} if old else {}
    for position, line in enumerate(lines):
        path = f"item.items[{position}]"
        item = _item(books, draft, line, before.get(line["line"]), path)
        _price(books, draft, line, item, path)
    _tax(books, draft, lines)
    draft.values["subtotal"] = sum((line["amount"] for line in lines), ZERO)
    draft.values["taxTotal"] = sum((line["tax1Amt"] for line in lines), ZERO)
    draft.values["total"] = draft.values["subtotal"] + draft.values["taxTotal"]


def _default_terms(draft: Record, customer: Record) -> None:
    if customer.get("terms"):
        draft.values.setdefault("terms", customer.values["terms"])


def _item(books: Books, draft: Record, line: Line, before: Line | None, path: str) -> Record:
    if "item" not in line:
        raise user_error("Please enter value(s) for: Item.", f"{path}.item")
    item = books.store.families["item"][line["item"]]
    known = before is not None and before["item"] == item.id
    home = item.get("subsidiary", [])
    if not known and (item.get("isInactive") or (home and draft.values["subsidiary"] not in home)):
        raise invalid_value("item", item.id, f"{path}.item")
    books.located(line.get("location"), draft.values["subsidiary"], f"{path}.location")
    line["itemType"] = item.type.code
    line.setdefault("description", item.get("salesDescription", item.get("displayName", "")))
    line.setdefault("isClosed", False)
    return item


def _price(books: Books, draft: Record, line: Line, item: Record, path: str) -> None:
    """Quantity times rate, unless the request named the amount; then the rate follows."""
    touched: set[str] = line.pop(TOUCHED, set())
    quantity: Decimal = line.setdefault("quantity", Decimal(1))
    if quantity <= 0:
        raise invalid_value("quantity", quantity, f"{path}.quantity")
    if "grossAmt" in touched and "amount" not in touched and "rate" not in touched:
        line["amount"] = cents(line["grossAmt"] * 100 / (100 + _rate(books, draft, line)))
        touched = {"amount"}
    if "amount" in touched and "amount" in line:
        line["amount"] = cents(line["amount"])
        if "rate" not in touched:
            line["rate"] = (line["amount"] / quantity).quantize(Decimal("0.00000001")).normalize()
    elif touched & {"rate", "quantity", "item"} or "amount" not in line:
        if "rate" not in line or ("item" in touched and "rate" not in touched):
            found = unit_price(item, draft.values["currency"])
            if found is None:
                raise user_error("Please enter a value for amount.", f"{path}.amount")
            line["rate"] = found
        line["amount"] = cents(line["rate"] * quantity)


def _rate(books: Books, draft: Record, line: Line) -> Decimal:
    """Percent: of the line's own tax code, of the customer's, else of the subsidiary's country."""
    if "taxCode" not in line:
        customer = books.store.types["customer"][draft.values["entity"]]
        own = NOT_TAXABLE if customer.get("taxable") is False else customer.get("taxItem")
        line["taxCode"] = own or books.domestic_tax(draft.values["subsidiary"]).id
    rate: Decimal = books.store.types["salesTaxItem"][line["taxCode"]].values["rate"]
    return rate


def _tax(books: Books, draft: Record, lines: list[Line]) -> None:
    override = draft.get("taxDetailsOverride", False)
    told: dict[Any, Decimal] = {}
    for detail in draft.lines.get("taxDetails", ()) if override else ():
        reference = detail.get("taxDetailsReference")
        told[reference] = told.get(reference, ZERO) + cents(detail.get("taxAmount", ZERO))
    for line in lines:
        rate = _rate(books, draft, line)
        tax = told.get(line.get("taxDetailsReference"), ZERO) if override else cents(line["amount"] * rate / 100)
        line.update(taxRate1=rate, tax1Amt=tax, taxAmount=tax, grossAmt=line["amount"] + tax)


def _not_below(draft: Record, applied: Decimal) -> None:
    if draft.values["total"] < applied:
        raise user_error("The total cannot be less than the amount that is already applied.", "total")


def _check_billing(books: Books, draft: Record, old: Record | None) -> None:
    """An order's line is invoiced at most once in full."""
    mine = (
        {(line["orderDoc"], line["orderLine"]): line["quantity"] for line in old.lines["item"] if line.get("orderDoc")}
        if old
        else {}
    )
    for position, line in enumerate(draft.lines["item"]):
        if not line.get("orderDoc"):
            continue
        path = f"item.items[{position}].orderLine"
        order = books.store.types["salesOrder"].get(line["orderDoc"])
        ordered = next((one for one in order.lines["item"] if one["line"] == line.get("orderLine")), None) if order else None
        if order is None or ordered is None or order.values["entity"] != draft.values["entity"]:
            raise invalid_value("orderLine", line.get("orderLine"), path)
        billed = books.store.billed[order.id, ordered["line"]] - mine.get((order.id, ordered["line"]), ZERO)
        if billed + line["quantity"] > ordered["quantity"]:
            raise invalid_value("quantity", line["quantity"], f"item.items[{position}].quantity")
