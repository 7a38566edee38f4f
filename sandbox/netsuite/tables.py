"""The tables of SuiteQL: the records with lower-case columns, and the views that exist only there.

A value is text, Decimal, date, datetime or None; booleans are 'T' and 'F', references are the ids as numbers.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.netsuite.books import Books
from sandbox.netsuite.catalog import FAMILIES, TYPES
from sandbox.netsuite.computed import value
from sandbox.netsuite.schema import Field, RecordType
from sandbox.netsuite.store import INDEXED, Record
from sandbox.netsuite.wire import ZERO

Row = Any  # a Record, or a record with one of its lines: whatever the table's columns read
Read = Callable[[Row], Any]
# On a transaction these live on its lines, for SuiteQL.
ON_LINES = frozenset({"location", "department", "class", "subsidiary", "createdfrom"})
POSTING = frozenset({"invoice", "creditMemo", "customerPayment", "customerRefund", "journalEntry"})
# Sales reduce stock and credit income: their lines count negative.
LINE_SIGN = {"salesOrder": -1, "invoice": -1, "creditMemo": 1}


@dataclass(frozen=True)
class Table:
    """`find` answers the rows with a value in a column from an index; None where there is none."""

    name: str
    columns: dict[str, Read]
    rows: Callable[[], Iterable[Row]]
    find: Callable[[str, Any], Iterable[Row] | None]


def tables(books: Books) -> dict[str, Table]:
    """Every table by its lower-case name."""
    found = [_records(books, name.lower(), (one,)) for name, one in TYPES.items()]
    found += [_records(books, "item", FAMILIES["item"]), _transactions(books), _lines(books), _pricing(books)]
    found += [_stock(books, "inventorybalance"), _stock(books, "aggregateitemlocation")]
    return {table.name: table for table in found}


def converted(known: Field, found: Any) -> Any:
    match known.kind:
        case "boolean":
            return "T" if found else "F"
        case _ if found is None:
            return None
        case "ref":
            return Decimal(found)
        case "refs":
            return ", ".join(found)
        case "integer":
            return Decimal(found)
    return found


def _column(books: Books, known: Field) -> Read:
    return lambda record: converted(known, value(books, record, known.name) if known.name in record.type.fields else None)


def _columns(books: Books, kinds: tuple[RecordType, ...]) -> dict[str, Read]:
    fields = {name: known for kind in kinds for name, known in kind.fields.items() if known.kind != "subrecord"}
    return {"id": lambda record: Decimal(record.id), **{name.lower(): _column(books, known) for name, known in fields.items()}}


def _records(books: Books, name: str, kinds: tuple[RecordType, ...]) -> Table:
    names = {field.lower(): field for kind in kinds for field in kind.fields if field in INDEXED}

    def rows() -> Iterator[Record]:
        for kind in kinds:
            yield from books.store.all(kind.name)

    def find(column: str, wanted: Any) -> list[Record] | None:
        if column == "id":
            hits = (books.store.by_id(kind.name, str(wanted)) for kind in kinds)
            return [hit for hit in hits if hit]
        if column not in names:
            return None
        return [hit for kind in kinds for hit in books.store.where(kind.name, names[column], wanted).values()]

    return Table(name, _columns(books, kinds), rows, find)


def _transactions(books: Books) -> Table:
    base = _records(books, "transaction", FAMILIES["transaction"])
    columns = {name: read for name, read in base.columns.items() if name not in ON_LINES | {"customer"}}
    columns |= {
        "type": lambda record: record.type.code,
        "recordtype": lambda record: record.type.name.lower(),
        "entity": lambda record: Decimal(record.party) if record.party else None,
        "foreigntotal": lambda record: record.money("total"),
        "foreignamountunpaid": lambda record: books.store.remaining(record) if record.type.name == "invoice" else None,
        "posting": lambda record: "T" if record.type.name in POSTING else "F",
    }

    def find(column: str, wanted: Any) -> Iterable[Record] | None:
        found = base.find(column, wanted)
        if column == "entity":
            return [*(found or ()), *(base.find("customer", wanted) or ())]
        return found

    return Table("transaction", columns, base.rows, find)


def _lines(books: Books) -> Table:
    """Line 0 is the main line, with the document's total; the others are the sold items."""

    def rows() -> Iterator[Row]:
        for record in books.store.families["transaction"].values():
            yield from _of(record)

    def find(column: str, wanted: Any) -> Iterable[Row] | None:
        if column != "transaction":
            return None
        record = books.store.by_id("transaction", str(wanted))
        return list(_of(record)) if record else []

    def billed(row: Row) -> Any:
        return books.store.billed[row[0].id, row[1]["line"]] if row[1]["line"] else ZERO

    return Table("transactionline", {**LINE_COLUMNS, "quantitybilled": billed}, rows, find)


def _of_document(name: str) -> Read:
    """A field that a line has, or else its document."""

    def read(row: Row) -> Any:
        record, line = row
        known = record.type.fields.get(name)
        return converted(known, line.get(name, record.get(name))) if known else None

    return read


def _signed(name: str) -> Read:
    return lambda row: LINE_SIGN.get(row[0].type.name, 1) * row[1][name] if name in row[1] else None


def _amount(row: Row) -> Any:
    return _signed("amount")(row) if row[1]["line"] else row[0].money("total")


LINE_COLUMNS: dict[str, Read] = {
    "id": lambda row: Decimal(row[1]["line"]),
    "uniquekey": lambda row: Decimal(f"{row[0].id}{row[1]['line']:03d}"),
    "transaction": lambda row: Decimal(row[0].id),
    "linesequencenumber": lambda row: Decimal(row[1]["line"]),
    "mainline": lambda row: "F" if row[1]["line"] else "T",
    "taxline": lambda row: "F",
    "item": lambda row: Decimal(row[1]["item"]) if "item" in row[1] else None,
    "itemtype": lambda row: row[1].get("itemType"),
    "quantity": _signed("quantity"),
    "rate": lambda row: row[1].get("rate"),
    "netamount": _amount,
    "foreignamount": _amount,
    "memo": lambda row: row[1].get("description"),
    "isclosed": lambda row: "T" if row[1].get("isClosed") else "F",
    "entity": lambda row: Decimal(row[0].party) if row[0].party else None,
    **{name.lower(): _of_document(name) for name in ("department", "class", "location", "subsidiary", "createdFrom")},
}


def _of(record: Record) -> Iterator[Row]:
    yield record, {"line": 0}
    for line in record.lines.get("item", ()):
        yield record, line


def _pricing(books: Books) -> Table:
    columns: dict[str, Read] = {
        "item": lambda row: Decimal(row[0].id),
        "currency": lambda row: Decimal(row[1]["currencyPage"]),
        "pricelevel": lambda row: Decimal(row[1]["priceLevel"]),
        "quantity": lambda row: Decimal(row[1].get("quantity", {}).get("value", 0)),
        "unitprice": lambda row: row[1]["price"],
    }

    def rows() -> Iterator[Row]:
        for record in books.store.families["item"].values():
            yield from ((record, line) for line in record.lines.get("price", ()))

    def find(column: str, wanted: Any) -> Iterable[Row] | None:
        if column != "item":
            return None
        record = books.store.by_id("item", str(wanted))
        return [(record, line) for line in record.lines.get("price", ())] if record else []

    return Table("pricing", columns, rows, find)


def _stock(books: Books, name: str) -> Table:
    """Stock of inventory items; all of it at the first location."""

    def quantity(field: str) -> Read:
        return lambda record: record.get(field, ZERO)

    columns: dict[str, Read] = {"item": lambda record: Decimal(record.id), "location": lambda record: Decimal(1)}
    columns |= {field.lower(): quantity(field) for field in ("quantityAvailable", "quantityOnHand", "quantityCommitted")}

    def find(column: str, wanted: Any) -> Iterable[Row] | None:
        record = books.store.by_id("inventoryItem", str(wanted)) if column == "item" else None
        return None if column != "item" else [record] if record else []

    return Table(name, columns, lambda: books.store.all("inventoryItem"), find)
