"""The account's records in memory: by id, by external id and by indexed field, with running totals kept at each write."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.netsuite.catalog import FAMILIES, TYPES
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.wire import ZERO, cents

Line = dict[str, Any]
NAMES = frozenset({"externalId", "email", "companyName", "entityId", "tranId", "otherRefNum", "itemId"})
INDEXED = NAMES | {"parent", "entity", "customer", "createdFrom"}
FIRST_ID = {"entity": 1000, "item": 2000, "transaction": 5000, "accountingPeriod": 100}


@dataclass
class Record:
    """One stored record: references and enumerations as ids, dates as dates, sublists as lists of lines."""

    type: RecordType
    id: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, list[Line]] = field(default_factory=dict)

    def copy(self) -> "Record":
        """A draft that can be edited without touching this one."""
        lines = {name: [dict(line) for line in every] for name, every in self.lines.items()}
        return Record(self.type, self.id, dict(self.values), lines)

    def get(self, name: str, otherwise: Any = None) -> Any:
        return self.values.get(name, otherwise)

    def money(self, name: str) -> Decimal:
        value: Decimal = self.values.get(name, ZERO)
        return value

    @property
    def party(self) -> str | None:
        """The customer of a transaction."""
        found: str | None = self.values.get("entity") or self.values.get("customer")
        return found


def key(value: Any) -> str:
    """Index keys ignore case, as external ids and text filters do."""
    return str(value).lower()


class Store:
    """All records, their indexes, and the totals that customers and orders show."""

    def __init__(self) -> None:
        self.families: dict[str, dict[str, Record]] = {family: {} for family in FAMILIES}
        self.types: dict[str, dict[str, Record]] = {name: {} for name in TYPES}
        self.index: dict[tuple[str, str], dict[str, dict[str, Record]]] = {}
        self.external: dict[str, dict[str, Record]] = {family: {} for family in FAMILIES}
        self.last_id = {family: FIRST_ID.get(family, 0) for family in FAMILIES}
        self.numbers: dict[str, int] = defaultdict(lambda: 1000)
        self.balance: dict[str, Decimal] = defaultdict(lambda: ZERO)  # customer -> receivable
        self.unbilled: dict[str, Decimal] = defaultdict(lambda: ZERO)  # customer -> orders not billed yet
        self.open_invoices: dict[str, dict[str, Record]] = defaultdict(dict)  # customer -> invoice id -> invoice
        self.applied: dict[str, dict[str, Decimal]] = defaultdict(dict)  # document -> what was applied to it, by source
        self.billed: dict[tuple[str, int], Decimal] = defaultdict(lambda: ZERO)  # order line -> quantity invoiced
        self.used: dict[tuple[str, str], int] = defaultdict(int)  # (family, id) -> transactions that refer to it
        self.owed: dict[str, Decimal] = {}  # order -> its share in `unbilled`
        self.months: dict[tuple[int, int], str] = {}  # (year, month) -> accounting period
        self.domestic_tax: dict[str, str] = {}  # subsidiary -> tax item of its country

    def next_id(self, family: str) -> str:
        self.last_id[family] += 1
        return str(self.last_id[family])

    def next_number(self, prefix: str) -> str:
        self.numbers[prefix] += 1
        return f"{prefix}{self.numbers[prefix]}"

    def by_id(self, target: str, internal: str) -> Record | None:
        """A record by internal id; `target` is a type or a family."""
        if target in self.families:
            return self.families[target].get(internal)
        return self.types[target].get(internal)

    def by_external(self, target: str, external: str) -> Record | None:
        family = target if target in self.families else TYPES[target].family
        found = self.external[family].get(key(external))
        return found if found and target in (family, found.type.name) else None

    def where(self, kind: str, name: str, value: Any) -> dict[str, Record]:
        """The records of a type whose indexed field has this value, whatever its case."""
        return self.index.get((kind, name), {}).get(key(value), {})

    def all(self, kind: str) -> Iterable[Record]:
        return self.types[kind].values()

    def put(self, record: Record) -> None:
        """Stores a finished draft in place of what it was copied from."""
        old = self.families[record.type.family].get(record.id)
        if old:
            self._forget(old)
        self.families[record.type.family][record.id] = record
        self.types[record.type.name][record.id] = record
        for name, value in indexed(record):
            self.index.setdefault((record.type.name, name), {}).setdefault(key(value), {})[record.id] = record
        if record.get("externalId"):
            self.external[record.type.family][key(record.values["externalId"])] = record
        if record.type.family == "transaction":
            self._count(record, 1)

    def remove(self, record: Record) -> None:
        self._forget(record)
        del self.families[record.type.family][record.id]
        del self.types[record.type.name][record.id]

    def _forget(self, record: Record) -> None:
        for name, value in indexed(record):
            self.index[record.type.name, name][key(value)].pop(record.id, None)
        if record.get("externalId"):
            self.external[record.type.family].pop(key(record.values["externalId"]), None)
        if record.type.family == "transaction":
            self._count(record, -1)

    def remaining(self, record: Record) -> Decimal:
        """What is still open on an invoice, a credit memo or a payment."""
        spent = sum((line["amount"] for line in record.lines.get("apply", ())), ZERO)
        return record.money("total") - sum(self.applied[record.id].values(), ZERO) - spent

    def _count(self, record: Record, sign: int) -> None:
        party = record.party
        if party:
            self.balance[party] += sign * RECEIVABLE.get(record.type.name, 0) * record.money("total")
            self.used["entity", party] += sign
        for line in record.lines.get("item", ()):
            self.used["item", line["item"]] += sign
            if record.type.name == "invoice" and line.get("orderDoc"):
                self.billed[line["orderDoc"], line["orderLine"]] += sign * line["quantity"]
        for order in {line["orderDoc"] for line in record.lines.get("item", ()) if line.get("orderDoc")}:
            self._owe(self.types["salesOrder"].get(order), 1)
        for line in record.lines.get("apply", ()):
            self._apply(record, line, sign)
        if record.type.name == "salesOrder":
            self._owe(record, sign)
        if record.type.name == "invoice":
            self._list_open(record, sign)

    def _apply(self, source: Record, line: Line, sign: int) -> None:
        if sign > 0:
            self.applied[line["doc"]][source.id] = line["amount"]
        else:
            self.applied[line["doc"]].pop(source.id, None)
        target = self.types["invoice"].get(line["doc"])
        if target:
            self._list_open(target, 1)

    def _list_open(self, invoice: Record, sign: int) -> None:
        still_open = self.open_invoices[invoice.values["entity"]]
        still_open.pop(invoice.id, None)
        if sign > 0 and self.remaining(invoice) > 0:
            still_open[invoice.id] = invoice

    def _owe(self, order: Record | None, sign: int) -> None:
        """Brings an order's share in its customer's unbilled orders up to date."""
        if order is None:
            return
        self.unbilled[order.values["entity"]] -= self.owed.pop(order.id, ZERO)
        if sign > 0:
            self.owed[order.id] = sum(self._open_amounts(order), ZERO)
            self.unbilled[order.values["entity"]] += self.owed[order.id]

    def _open_amounts(self, order: Record) -> Iterator[Decimal]:
        if order.get("orderStatus") == "C":
            return
        for line in order.lines.get("item", ()):
            if not line.get("isClosed") and line["quantity"]:
                still_open = line["quantity"] - self.billed[order.id, line["line"]]
                yield cents(line["grossAmt"] * still_open / line["quantity"])


RECEIVABLE = {"invoice": 1, "customerRefund": 1, "creditMemo": -1, "customerPayment": -1}


def indexed(record: Record) -> Iterator[tuple[str, Any]]:
    for name in INDEXED:
        value = record.values.get(name)
        if value is not None:
            yield name, value
