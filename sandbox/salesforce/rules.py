"""What the org computes by itself: totals, numbers, stages, and the price-book rules a line must keep.

`complete` finishes a record before it is stored and may refuse it; `ripple` brings its parent's totals up to date after.
Amounts are rounded half up to the currency's two digits.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.salesforce.errors import ApiError, bad_reference, duplicate, integrity, missing
from sandbox.salesforce.store import Record, Store

CENT = Decimal("0.01")
HUNDRED = Decimal(100)
# stage -> (probability, closed, won), as a fresh org has them
STAGES: dict[str, tuple[int, bool, bool]] = {
    "Prospecting": (10, False, False),
    "Qualification": (10, False, False),
    "Needs Analysis": (20, False, False),
    "Value Proposition": (50, False, False),
    "Id. Decision Makers": (60, False, False),
    "Perception Analysis": (70, False, False),
    "Proposal/Price Quote": (75, False, False),
    "Negotiation/Review": (90, False, False),
    "Closed Won": (100, True, True),
    "Closed Lost": (0, True, False),
}


def money(value: Decimal | int) -> Decimal:
    try:
        return Decimal(value).quantize(CENT, ROUND_HALF_UP)
    except InvalidOperation:
        raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", "value outside of valid range", []) from None


def complete(store: Store, sobject: str, record: Record, before: Record | None) -> None:
    """Fills the computed fields of a record about to be stored; ApiError when the org's rules refuse it."""
    _addresses(record)
    if (rule := COMPLETE.get(sobject)) is not None:
        rule(store, record, before)


def ripple(store: Store, sobject: str, record: Record) -> None:
    """Recomputes the parent of a line that was stored or removed."""
    if sobject in LINES:
        parent, reference = LINES[sobject]
        if (row := store.row(parent, record[reference])) is not None:
            changed = dict(row)
            complete(store, parent, changed, row)
            if changed != row:
                now = store.now()
                store.put(parent, row["Id"], changed | {"LastModifiedDate": now, "SystemModstamp": now})


def _addresses(record: Record) -> None:
    for prefix in ("Billing", "Shipping", "Mailing"):
        if f"{prefix}Address" in record:
            parts = {
                part: record[prefix + part[0].upper() + part[1:]] for part in ("city", "country", "postalCode", "state", "street")
            }
            extra = {"geocodeAccuracy": None, "latitude": None, "longitude": None}
            record[f"{prefix}Address"] = dict(sorted((parts | extra).items())) if any(parts.values()) else None


def _contact(store: Store, record: Record, before: Record | None) -> None:
    record["Name"] = " ".join(part for part in (record["FirstName"], record["LastName"]) if part)


def _price(store: Store, record: Record, before: Record | None) -> None:
    """One price per book, product and currency, and the standard book's first."""
    product, book = store.row("Product2", record["Product2Id"]), store.row("Pricebook2", record["Pricebook2Id"])
    if product is None or book is None:
        raise bad_reference()
    record["Name"], record["ProductCode"] = product["Name"], product["ProductCode"]
    table = store.tables["PricebookEntry"]
    siblings = [table.live[id_] for id_ in table.find("Product2Id", product["Id"]) if id_ != record["Id"]]
    siblings = [one for one in siblings if one["CurrencyIsoCode"] == record["CurrencyIsoCode"]]
    for sibling in siblings:
        if sibling["Pricebook2Id"] == book["Id"]:
            raise duplicate("Pricebook2Id", sibling["Id"])
    books = store.tables["Pricebook2"].live
    if not book["IsStandard"] and not any(books[one["Pricebook2Id"]]["IsStandard"] for one in siblings):
        raise ApiError(400, "STANDARD_PRICE_NOT_DEFINED", "Before creating a custom price, create a standard price.", [])


def _opportunity(store: Store, record: Record, before: Record | None) -> None:
    likely, closed, won = STAGES.get(record["StageName"], (0, False, False))
    if before is None or before["StageName"] != record["StageName"]:
        stated = record["Probability"] if before is None else None
        record["Probability"] = stated if stated is not None else likely
    record["IsClosed"], record["IsWon"] = closed, won
    lines = _lines(store, "OpportunityLineItem", "OpportunityId", record["Id"])
    record["HasOpportunityLineItem"] = bool(lines)
    if lines:
        record["Amount"] = sum((line["TotalPrice"] for line in lines), Decimal(0))
    amount = record["Amount"]
    record["ExpectedRevenue"] = None if amount is None else money(amount * (record["Probability"] or 0) / HUNDRED)


def _quote(store: Store, record: Record, before: Record | None) -> None:
    if before is None:
        opportunity = store.row("Opportunity", record["OpportunityId"])
        if opportunity is None:
            raise bad_reference()
        record["AccountId"], record["CurrencyIsoCode"] = opportunity["AccountId"], opportunity["CurrencyIsoCode"]
        record["QuoteNumber"] = record["QuoteNumber"] or f"Q-{1000 + store.next_number('Quote')}"
        record["IsSyncing"] = False
    lines = _lines(store, "QuoteLineItem", "QuoteId", record["Id"])
    record["LineItemCount"] = len(lines)
    gross = record["Subtotal"] = sum((line["Subtotal"] for line in lines), Decimal("0.00"))
    net = record["TotalPrice"] = sum((line["TotalPrice"] for line in lines), Decimal("0.00"))
    record["Discount"] = money((gross - net) / gross * HUNDRED) if gross else Decimal("0.00")
    record["GrandTotal"] = net + (record["Tax"] or 0) + (record["ShippingHandling"] or 0)


def _order(store: Store, record: Record, before: Record | None) -> None:
    if before is None:
        record["OrderNumber"] = f"{store.next_number('Order') + 99:08d}"
    lines = _lines(store, "OrderItem", "OrderId", record["Id"])
    record["TotalAmount"] = sum((line["TotalPrice"] for line in lines), Decimal("0.00"))
    record["StatusCode"] = record["Status"]
    if record["Status"] == "Activated" and (before is None or before["Status"] != "Activated"):
        if not lines:
            raise ApiError(400, "FAILED_ACTIVATION", "An order must have at least one product.", [])
        record["ActivatedDate"] = store.now()


def _lines(store: Store, sobject: str, reference: str, parent: str) -> list[Record]:
    table = store.tables[sobject]
    return [table.live[id_] for id_ in table.find(reference, parent)]


def _entry(store: Store, parent: Record, record: Record) -> Record:
    """The price book entry of a line: of the parent's book and currency, and in use."""
    entry = store.row("PricebookEntry", record["PricebookEntryId"])
    if entry is None:
        raise bad_reference()
    if parent["Pricebook2Id"] != entry["Pricebook2Id"]:
        raise integrity(
            "PricebookEntryId (pricebook entry is in a different pricebook than the one assigned)", ["PricebookEntryId"]
        )
    if parent["CurrencyIsoCode"] != entry["CurrencyIsoCode"]:
        raise integrity("The pricebook entry currency code does not match the currency code of the parent", ["CurrencyIsoCode"])
    if not entry["IsActive"]:
        raise integrity("PricebookEntryId (pricebook entry has been inactivated)", ["PricebookEntryId"])
    return entry


def _line(store: Store, sobject: str, record: Record, before: Record | None) -> None:
    parent_type, reference = LINES[sobject]
    parent = store.row(parent_type, record[reference])
    if parent is None:
        raise bad_reference()
    if before is None:
        if sobject == "OpportunityLineItem" and parent["Pricebook2Id"] is None:
            parent = _adopt_book(store, parent, record)
        entry = _entry(store, parent, record)
        record["ListPrice"], record["Product2Id"] = entry["UnitPrice"], entry["Product2Id"]
        record["CurrencyIsoCode"] = parent["CurrencyIsoCode"]


def _adopt_book(store: Store, opportunity: Record, line: Record) -> Record:
    """An opportunity without a price book takes that of its first line."""
    entry = store.row("PricebookEntry", line["PricebookEntryId"])
    if entry is None:
        raise bad_reference()
    adopted = opportunity | {"Pricebook2Id": entry["Pricebook2Id"], "SystemModstamp": store.now()}
    store.put("Opportunity", opportunity["Id"], adopted)
    return adopted


def _quote_line(store: Store, record: Record, before: Record | None) -> None:
    _line(store, "QuoteLineItem", record, before)
    if before is None:
        record["LineNumber"] = f"QL-{store.next_number('QuoteLineItem'):05d}"
    record["Subtotal"] = money(record["Quantity"] * record["UnitPrice"])
    record["TotalPrice"] = _discounted(record["Subtotal"], record["Discount"])


def _opportunity_line(store: Store, record: Record, before: Record | None) -> None:
    """A line is priced by unit or in total, never by both."""
    _line(store, "OpportunityLineItem", record, before)
    product = store.row("Product2", record["Product2Id"]) or {}
    opportunity = store.row("Opportunity", record["OpportunityId"]) or {}
    record["ProductCode"], record["Name"] = product.get("ProductCode"), f"{opportunity.get('Name')} {product.get('Name')}"
    total_given = record["TotalPrice"] is not None and (before is None or record["TotalPrice"] != before["TotalPrice"])
    if before is None and total_given and record["UnitPrice"] is not None:
        raise integrity("UnitPrice, TotalPrice (specify either one, not both)", ["UnitPrice", "TotalPrice"])
    if total_given and record["Quantity"]:
        record["UnitPrice"] = money(record["TotalPrice"] / record["Quantity"])
    if record["UnitPrice"] is None:
        raise missing(["UnitPrice"])
    record["Subtotal"] = money(record["Quantity"] * record["UnitPrice"])
    record["TotalPrice"] = record["TotalPrice"] if total_given else _discounted(record["Subtotal"], record["Discount"])


def _order_item(store: Store, record: Record, before: Record | None) -> None:
    _line(store, "OrderItem", record, before)
    if before is None:
        record["OrderItemNumber"] = f"{store.next_number('OrderItem'):010d}"
    record["AvailableQuantity"] = record["Quantity"]
    record["TotalPrice"] = money(record["Quantity"] * record["UnitPrice"])


def _discounted(subtotal: Decimal, percent: Decimal | int | None) -> Decimal:
    return money(subtotal * (HUNDRED - (percent or 0)) / HUNDRED)


LINES = {
    "QuoteLineItem": ("Quote", "QuoteId"),
    "OpportunityLineItem": ("Opportunity", "OpportunityId"),
    "OrderItem": ("Order", "OrderId"),
}
COMPLETE: dict[str, Callable[[Store, Any, Any], None]] = {
    "Contact": _contact,
    "PricebookEntry": _price,
    "Opportunity": _opportunity,
    "Quote": _quote,
    "Order": _order,
    "QuoteLineItem": _quote_line,
    "OpportunityLineItem": _opportunity_line,
    "OrderItem": _order_item,
}
