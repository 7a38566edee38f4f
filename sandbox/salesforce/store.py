"""The org's rows: indexed tables whose every change can be undone back to a mark, so a failed batch leaves no trace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.schema import IDS, SObject
from sandbox.salesforce.wire import stamp

Record = dict[str, Any]


def index_key(value: Any) -> Any:
    """Texts are found whatever their case, as SOQL and external ids compare them."""
    return value.casefold() if value.__class__ is str else value


@dataclass
class Table:
    """The rows of one object. A stored record is never changed in place: a change stores another record."""

    sobject: SObject
    live: dict[str, Record] = field(default_factory=dict)
    deleted: dict[str, Record] = field(default_factory=dict)
    indexes: dict[str, dict[Any, dict[str, None]]] = field(default_factory=dict)
    touched: dict[str, None] = field(default_factory=dict)  # live ids, least recently changed first
    versions: dict[str, int] = field(default_factory=dict)
    issued: int = 0
    newest: str = ""
    disordered: bool = False  # `touched` is out of order since an older version of a row came back

    def __post_init__(self) -> None:
        self.indexes = {f.name: {} for f in self.sobject.fields.values() if f.indexed and f.name != "Id"}
        self._exact = {f.name for f in self.sobject.fields.values() if f.type in IDS}

    def find(self, name: str, value: Any) -> list[str]:
        """The ids of the live rows whose indexed field has this value."""
        if name == "Id":
            return [value] if value in self.live else []
        return list(self.indexes[name].get(value if name in self._exact else index_key(value), ()))

    def put(self, id_: str, record: Record | None) -> Record | None:
        """Stores, or with None forgets, the live row; the row before."""
        before = self.live.pop(id_, None) if record is None else self.live.get(id_)
        for name, index in self.indexes.items():
            exact = name in self._exact
            old = before[name] if before is not None else None
            new = record[name] if record is not None else None
            if old != new:
                _reindex(index, id_, old if exact else index_key(old), new if exact else index_key(new))
        self.touched.pop(id_, None)
        if record is not None:
            self.live[id_] = record
            self.touched[id_] = None
            self.versions[id_] = self.versions.get(id_, 0) + 1
            self.disordered = self.disordered or record["SystemModstamp"] < self.newest
            self.newest = max(self.newest, record["SystemModstamp"])
        return before

    def changed_since(self, stamped: str) -> Iterator[str]:
        """The ids of live rows changed at or after a moment, latest first, looking at no others."""
        if self.disordered:
            order = sorted(self.touched, key=lambda id_: str(self.live[id_]["SystemModstamp"]))
            self.touched, self.disordered = dict.fromkeys(order), False
        for id_ in reversed(self.touched):
            if self.live[id_]["SystemModstamp"] < stamped:
                return
            yield id_


def _reindex(index: dict[Any, dict[str, None]], id_: str, old: Any, new: Any) -> None:
    if old is not None and id_ in index.get(old, ()):
        del index[old][id_]
        if not index[old]:
            del index[old]
    if new is not None:
        index.setdefault(new, {})[id_] = None


@dataclass(frozen=True)
class Undo:
    table: Table
    id: str
    live: Record | None  # the row before, None where there was none


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """All tables, the transaction over them, and the numbers the org assigns by itself."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self.clock = clock
        self.tables = {name: Table(sobject) for name, sobject in OBJECTS.items()}
        self.numbers: dict[str, int] = {}
        self.on_commit: Callable[[str, str], None] | None = None  # told (object, id) of every committed create or update
        self._journal: list[Undo] = []
        self._depth = 0

    def now(self) -> str:
        """Salesforce keeps whole seconds."""
        return stamp(self.clock().replace(microsecond=0))

    def row(self, sobject: str, id_: str | None) -> Record | None:
        return self.tables[sobject].live.get(id_) if id_ else None

    def new_id(self, sobject: str) -> str:
        table = self.tables[sobject]
        table.issued += 1
        return ids.record_id(table.sobject.prefix, table.issued)

    def next_number(self, series: str) -> int:
        """The next of a series; a number spent by a transaction that failed stays spent."""
        self.numbers[series] = self.numbers.get(series, 0) + 1
        return self.numbers[series]

    def put(self, sobject: str, id_: str, record: Record) -> None:
        table = self.tables[sobject]
        self._journal.append(Undo(table, id_, table.put(id_, record)))

    def remove(self, sobject: str, id_: str) -> None:
        table = self.tables[sobject]
        before = table.live[id_]
        table.put(id_, None)
        self._journal.append(Undo(table, id_, before))
        now = self.now()
        table.deleted[id_] = before | {"IsDeleted": True, "SystemModstamp": now, "LastModifiedDate": now}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; nested ones undo their own part only. Nothing else may run meanwhile: do not await inside."""
        mark, self._depth = len(self._journal), self._depth + 1
        try:
            yield
        except BaseException:
            self.undo(mark)
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._commit()

    def undo(self, mark: int) -> None:
        while len(self._journal) > mark:
            step = self._journal.pop()
            step.table.put(step.id, step.live)
            if step.live is not None:
                step.table.deleted.pop(step.id, None)

    def _commit(self) -> None:
        changed = dict.fromkeys((step.table.sobject.name, step.id) for step in self._journal)
        self._journal.clear()
        if self.on_commit is not None:
            for sobject, id_ in changed:
                if id_ in self.tables[sobject].live:
                    self.on_commit(sobject, id_)
