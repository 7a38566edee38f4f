"""Tables of objects in creation order, with an index for every look-up that a flow makes."""

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from sandbox.stripe.wire import Wire

Keys = Callable[[Wire], list[Hashable]]


def by(field: str) -> Keys:
    """Indexes the plain value of one field; null is not indexed."""

    def keys(row: Wire) -> list[Hashable]:
        return [] if row.get(field) is None else [row[field]]

    return keys


class Index:
    """key -> positions of the rows that have it, ascending."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.positions: dict[Hashable, list[int]] = {}
        self.current: dict[int, list[Hashable]] = {}

    def put(self, position: int, row: Wire) -> None:
        before, after = self.current.get(position, []), list(dict.fromkeys(self.keys(row)))
        if before == after:
            return
        self.remove(position)
        for key in after:
            insort(self.positions.setdefault(key, []), position)
        self.current[position] = after

    def remove(self, position: int) -> None:
        for key in self.current.pop(position, []):
            bucket = self.positions[key]
            del bucket[bisect_left(bucket, position)]


class Table:
    """Objects of one kind. `put` after every change of an indexed field; rows are the wire objects themselves."""

    def __init__(self, noun: str, indexes: Mapping[str, Keys] | None = None) -> None:
        self.noun = noun  # as in "No such customer"
        self.rows: dict[str, Wire] = {}
        self.deleted: dict[str, Wire] = {}
        self.at: dict[str, int] = {}
        self.ids: dict[int, str] = {}
        self.all: list[int] = []
        self.indexes = {name: Index(keys) for name, keys in (indexes or {}).items()}

    def put(self, row: Wire) -> Wire:
        position = self.at.get(row["id"])
        if position is None:
            position = len(self.at) + 1
            self.at[row["id"]], self.ids[position] = position, row["id"]
            self.all.append(position)
        self.rows[row["id"]] = row
        for index in self.indexes.values():
            index.put(position, row)
        return row

    def delete(self, id: str, tombstone: Wire) -> Wire:
        position = self.at[id]
        for index in self.indexes.values():
            index.remove(position)
        del self.all[bisect_left(self.all, position)]
        del self.rows[id]
        self.deleted[id] = tombstone
        return tombstone

    def having(self, index: str, key: Hashable) -> list[Wire]:
        """The rows with a key, oldest first."""
        return [self.rows[self.ids[p]] for p in self.indexes[index].positions.get(key, [])]

    def newest_first(self, equal: Mapping[str, Any], before: str | None = None) -> Iterator[Wire]:
        """Rows with all the indexed values, newest first, beginning behind the row `before`."""
        bucket = self._bucket(equal)
        end = bisect_left(bucket, self.at[before]) if before else len(bucket)
        for place in range(end - 1, -1, -1):
            row = self.rows[self.ids[bucket[place]]]
            if self._has(bucket[place], equal):
                yield row

    def oldest_first(self, equal: Mapping[str, Any], after: str) -> Iterator[Wire]:
        """Rows with all the indexed values, oldest first, beginning behind the row `after`."""
        bucket = self._bucket(equal)
        for position in bucket[bisect_left(bucket, self.at[after] + 1) :]:
            if self._has(position, equal):
                yield self.rows[self.ids[position]]

    def _bucket(self, equal: Mapping[str, Any]) -> list[int]:
        """The shortest list of positions that holds every match."""
        return min((self.indexes[n].positions.get(v, []) for n, v in equal.items()), key=len, default=self.all)

    def _has(self, position: int, equal: Mapping[str, Any]) -> bool:
        return all(value in self.indexes[name].current.get(position, ()) for name, value in equal.items())
