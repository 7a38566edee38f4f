"""Running SOQL: rows found, ordered, shaped as Salesforce nests them, and handed out in batches behind a query locator."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce import ids, soql
from sandbox.salesforce.binding import Binder
from sandbox.salesforce.errors import TYPE_HINT, ApiError
from sandbox.salesforce.objects import CHILDREN, OBJECTS, SPELLED
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.store import Record, Store

LARGEST_BATCH, SMALLEST_BATCH = 2000, 200
LARGEST_OFFSET = 2000
FIELDS_LIMIT = 200  # FIELDS(ALL) and FIELDS(CUSTOM) need a LIMIT of at most this
LOCATOR_LIFE = timedelta(minutes=15)
LOCATORS_KEPT = 1000

Shape = Callable[[Record], Any]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The rest of a query: what matched when it was asked, shaped when it is fetched."""

    found: tuple[Record, ...]
    shape: Shape
    batch: int
    expires: datetime


class Queries:
    """The queries of one org, and the locators of those not yet read to the end."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cursors: OrderedDict[str, Cursor] = OrderedDict()

    def run(self, text: str, base: str, batch: int = LARGEST_BATCH, *, with_deleted: bool = False) -> dict[str, Any]:
        """The first batch of a query; `base` is the API version's path, `batch` the wished size, kept within 200 to 2000."""
        tree = soql.parse(text)
        run = _Run(self.store, text, base)
        sobject = run.source(tree)
        found = run.rows(sobject, tree, with_deleted=with_deleted)
        if tree.count:
            return {"totalSize": len(found), "done": True, "records": []}
        shape = run.shape(sobject, tree)
        batch = min(max(batch, SMALLEST_BATCH), LARGEST_BATCH)
        cursor = Cursor(tuple(found), shape, batch, self.store.clock() + LOCATOR_LIFE)
        if len(found) <= batch:
            return {"totalSize": len(found), "done": True, "records": [shape(record) for record in found]}
        locator = ids.record_id("01g", self.store.next_number("QueryLocator"))
        self.cursors[locator] = cursor
        if len(self.cursors) > LOCATORS_KEPT:
            self.cursors.popitem(last=False)
        return _batch(cursor, locator, 0, base)

    def more(self, tail: str, base: str) -> dict[str, Any]:
        """The batch a `nextRecordsUrl` names: `<locator>-<offset>`."""
        locator, _, offset = tail.partition("-")
        cursor = self.cursors.get(locator)
        known = cursor is not None and offset.isascii() and offset.isdigit() and int(offset) < len(cursor.found)
        if cursor is None or not known or cursor.expires < self.store.clock():
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return _batch(cursor, locator, int(offset), base)


def _batch(cursor: Cursor, locator: str, offset: int, base: str) -> dict[str, Any]:
    end = offset + cursor.batch
    page: dict[str, Any] = {"totalSize": len(cursor.found), "done": end >= len(cursor.found)}
    if not page["done"]:
        page["nextRecordsUrl"] = f"{base}/query/{locator}-{end}"
    return page | {"records": [cursor.shape(record) for record in cursor.found[offset:end]]}


class _Run:
    """One query being run."""

    def __init__(self, store: Store, text: str, base: str) -> None:
        self.store, self.text, self.base = store, text, base
        self.bind = Binder(store, text)

    def source(self, tree: soql.Select) -> SObject:
        sobject = SPELLED.get(tree.source.lower())
        if sobject is None:
            message = soql.located(self.text, tree.at) + f"sObject type '{tree.source}' is not supported. {TYPE_HINT}"
            raise ApiError(400, "INVALID_TYPE", message)
        return sobject

    def rows(
        self, sobject: SObject, tree: soql.Select, among: Iterable[Record] | None = None, *, with_deleted: bool = False
    ) -> list[Record]:
        """The matching rows in order, `among` those given or all of the object's."""
        test = self.bind.test(sobject, tree.where) if tree.where is not None else None
        rows = self.scan(sobject, tree, with_deleted) if among is None else among
        found = [record for record in rows if test is None or test(record)]
        for ordering in reversed(tree.order):
            found = self.ordered(sobject, found, ordering)
        if tree.offset > LARGEST_OFFSET:
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {LARGEST_OFFSET}")
        return found[tree.offset : None if tree.limit is None else tree.offset + tree.limit]

    def scan(self, sobject: SObject, tree: soql.Select, with_deleted: bool) -> list[Record]:
        """Live rows in id order, through an index where one answers; deleted ones after them when wanted."""
        table = self.store.tables[sobject.name]
        candidates = self.bind.candidates(sobject, tree.where)
        known = table.live if candidates is None else sorted(candidates)
        return [table.live[id_] for id_ in known] + (list(table.deleted.values()) if with_deleted else [])

    def ordered(self, sobject: SObject, rows: list[Record], by: soql.Ordering) -> list[Record]:
        steps, field = self.bind.resolve(sobject, by.path, by.at)
        if not field.filterable or field.type == "address":
            raise self.bind.invalid(f"field '{field.name}' can not be sorted in a query call", by.at)
        get = self.bind.getter(steps, field)
        keyed = [(get(record), record) for record in rows]
        nulls = [record for key, record in keyed if key is None]
        rest = [(key.casefold() if isinstance(key, str) else key, record) for key, record in keyed if key is not None]
        rest.sort(key=lambda pair: pair[0], reverse=by.descending)
        sorted_rows = [record for _, record in rest]
        return sorted_rows + nulls if by.nulls_last else nulls + sorted_rows

    def shape(self, sobject: SObject, tree: soql.Select) -> Shape:
        """How a row looks in the answer: attributes, own fields, parents nested, children as results of their own."""
        own: dict[str, Shape] = {}
        parents: dict[str, dict[str, Any]] = {}
        seen: set[str] = set()
        for column in tree.columns:
            if isinstance(column, soql.Select):
                name, shape = self.children(sobject, column)
                own[name] = shape
                continue
            for path, steps, field in self.expanded(sobject, column, tree):
                if path in seen:
                    raise self.bind.invalid(f"duplicate field selected: {'.'.join(column.path)}", column.at)
                seen.add(path)
                if steps:
                    _nest(parents, [s.relationship or "" for s in steps], steps, field)
                    own.setdefault(steps[0].relationship or "", _later)
                else:
                    own[field.name] = _field_of(field)
        for name, nested in parents.items():
            own[name] = self.parent(nested)
        return self.with_attributes(sobject, own)

    def expanded(self, sobject: SObject, column: soql.Column, tree: soql.Select) -> list[tuple[str, list[Field], Field]]:
        if not column.path[0].startswith("FIELDS("):
            steps, field = self.bind.resolve(sobject, column.path, column.at)
            return [(".".join([*(s.relationship or "" for s in steps), field.name]), steps, field)]
        group = column.path[0][7:-1]
        if group not in ("ALL", "STANDARD", "CUSTOM"):
            raise soql.malformed(f"unexpected token: '{group}'", self.text, column.at)
        if group != "STANDARD" and (tree.limit is None or tree.limit > FIELDS_LIMIT):
            raise soql.malformed(f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT}", self.text, column.at)
        chosen = [f for f in sobject.fields.values() if group == "ALL" or f.custom == (group == "CUSTOM")]
        return [(field.name, [], field) for field in chosen]

    def children(self, sobject: SObject, child: soql.Select) -> tuple[str, Shape]:
        known = CHILDREN[sobject.name].get(child.source.lower())
        if known is None:
            message = f"Didn't understand relationship '{child.source}' in FROM part of query call. {TYPE_HINT}"
            raise ApiError(400, "INVALID_TYPE", soql.located(self.text, child.at) + message)
        if child.count or any(isinstance(column, soql.Select) for column in child.columns):
            raise soql.malformed("unexpected token: '('", self.text, child.at)
        owner, reference = known
        table, shape = self.store.tables[owner.name], self.shape(owner, child)
        self.rows(owner, child, ())  # names and literals are judged even where no row has children

        def result(record: Record) -> dict[str, Any] | None:
            found = self.rows(owner, child, [table.live[id_] for id_ in table.find(reference, record["Id"])])
            return {"totalSize": len(found), "done": True, "records": [shape(one) for one in found]} if found else None

        name = owner.fields[reference].child_relationship
        return name or "", result

    def parent(self, nested: dict[str, Any]) -> Shape:
        reference: Field = nested["reference"]
        sobject = OBJECTS[reference.parent or ""]
        own: dict[str, Shape] = {field.name: _field_of(field) for field in nested["fields"]}
        own |= {name: self.parent(deeper) for name, deeper in nested["parents"].items()}
        table, shape = self.store.tables[sobject.name], self.with_attributes(sobject, own)

        def result(record: Record) -> Any:
            row = table.live.get(record[reference.name])
            return shape(row) if row is not None else None

        return result

    def with_attributes(self, sobject: SObject, own: dict[str, Shape]) -> Shape:
        columns = list(own.items())

        def result(record: Record) -> dict[str, Any]:
            row: dict[str, Any] = {"attributes": attributes(sobject, record["Id"], self.base)}
            for name, shape in columns:
                row[name] = shape(record)
            return row

        return result


def attributes(sobject: SObject, id_: str, base: str) -> dict[str, str]:
    return {"type": sobject.name, "url": f"{base}/sobjects/{sobject.name}/{id_}"}


def _field_of(field: Field) -> Shape:
    return lambda record: record[field.name]


def _later(record: Record) -> None:
    """Keeps a parent's place among the columns until all its fields are known."""


def _nest(parents: dict[str, dict[str, Any]], names: list[str], steps: list[Field], field: Field) -> None:
    level = parents.setdefault(names[0], {"reference": steps[0], "fields": [], "parents": {}})
    if len(names) == 1:
        level["fields"].append(field)
    else:
        _nest(level["parents"], names[1:], steps[1:], field)
