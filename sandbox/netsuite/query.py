"""Runs a SuiteQL tree: joins by index where there is one, filters, sorts, and answers every value as a string."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from sandbox.netsuite.errors import query_error
from sandbox.netsuite.syntax import (
    All,
    Call,
    Column,
    Compare,
    Count,
    Either,
    Expression,
    In,
    IsNull,
    Join,
    Literal,
    Not,
    Select,
    Star,
    Where,
)
from sandbox.netsuite.tables import Row, Table
from sandbox.netsuite.values import cased, compare, sortable, text, to_date

Rows = dict[str, Row | None]  # alias -> row, None where a left join found nothing
Read = Callable[[Rows], Any]
Test = Callable[[Rows], bool]


def run(select: Select, tables: dict[str, Table]) -> list[dict[str, str]]:
    """The result rows, empty values left out as NetSuite does."""
    return _Run(select, tables).results()


class _Run:
    def __init__(self, select: Select, tables: dict[str, Table]) -> None:
        self.select = select
        self.used = {alias: _table(tables, name) for alias, name in _aliases(select)}

    def results(self) -> list[dict[str, str]]:
        select = self.select
        test = self._test(select.where) if select.where else None
        found = [rows for rows in self._joined() if test is None or test(rows)]
        if any(isinstance(item, Count) for item, _ in select.items):
            if not all(isinstance(item, Count) for item, _ in select.items):
                raise query_error("Invalid or unsupported search: not a GROUP BY expression.")
            return [{alias or f"expr{n}": str(len(found)) for n, (_, alias) in enumerate(select.items, 1)}]
        columns = self._output()
        for key, descending in reversed(select.order):
            read = self._sort_key(key, columns)
            # Oracle puts nulls last when ascending, first when descending.
            found.sort(key=lambda rows, read=read: sortable(read(rows)), reverse=descending)  # type: ignore[misc]
        shown = found if select.first is None else found[: select.first]
        return [_texts((name, read(rows)) for name, read in columns) for rows in shown]

    def _joined(self) -> Iterable[Rows]:
        """Nested loops, each inner table through its index or a hash of the join column."""
        start = self.select.alias
        pool: list[Rows] = [{start: row} for row in self._start(start)]
        for join in self.select.joins:
            pool = self._extended(pool, join)
        return pool

    def _start(self, alias: str) -> Iterable[Row]:
        """The first table's rows: those an index allows, directly or through an inner join, else all."""
        table = self.used[alias]
        among = self._among(self.select.where, alias)
        if among is not None:
            return among
        for join in self.select.joins:
            if join.outer or join.left.table not in (alias, None) or join.left.name not in table.columns:
                continue
            other = self._among(self.select.where, join.alias)
            if other is not None:
                read = self.used[join.alias].columns.get(join.right.name)
                parts = [table.find(join.left.name, read(row)) for row in other] if read else [None]
                if all(part is not None for part in parts):
                    return [row for part in parts for row in part or ()]
        return table.rows()

    def _extended(self, pool: list[Rows], join: Join) -> list[Rows]:
        table = self.used[join.alias]
        left, right = self._read(join.left), _column(table, join.right.name)
        hashed: dict[Any, list[Row]] | None = None
        extended: list[Rows] = []
        for rows in pool:
            wanted = left(rows)
            matches = table.find(join.right.name, wanted) if wanted is not None else []
            if matches is None:
                if hashed is None:
                    hashed = {}
                    for row in table.rows():
                        hashed.setdefault(right(row), []).append(row)
                matches = hashed.get(wanted, [])
            extended += [{**rows, join.alias: row} for row in matches if right(row) == wanted] or (
                [{**rows, join.alias: None}] if join.outer else []
            )
        return extended

    def _among(self, where: Where | None, alias: str) -> list[Row] | None:
        """The only rows of a table that can pass, where indexes know them."""
        match where:
            case Compare("=", left, Literal(value)):
                return self._indexed(left, [value], alias)
            case In(left, among) if all(isinstance(one, Literal) for one in among):
                return self._indexed(left, [one.value for one in among if isinstance(one, Literal)], alias)
            case All(parts):
                known = [found for found in (self._among(part, alias) for part in parts) if found is not None]
                return min(known, key=len) if known else None
            case Either(parts):
                each = [self._among(part, alias) for part in parts]
                union = [row for found in each for row in found or ()]
                return None if any(found is None for found in each) else list({_identity(row): row for row in union}.values())
        return None

    def _indexed(self, expression: Expression, values: list[Any], alias: str) -> list[Row] | None:
        if isinstance(expression, Call) and expression.function in ("LOWER", "UPPER"):
            expression = expression.arguments[0]
        if not isinstance(expression, Column) or self._owner(expression) != alias:
            return None
        parts = [self.used[alias].find(expression.name, value) for value in values]
        if any(part is None for part in parts):
            return None
        return list({_identity(row): row for part in parts for row in part or ()}.values())

    def _owner(self, column: Column) -> str:
        """The alias whose table has this column; raises the vendor's error for an unknown one."""
        if column.table is not None:
            if column.table not in self.used:
                raise query_error(f"Search error occurred: Record '{column.table}' was not found.")
            _column(self.used[column.table], column.name)
            return column.table
        for alias, table in self.used.items():
            if column.name in table.columns:
                return alias
        raise _no_field(column.name, self.used[self.select.alias].name)

    def _read(self, expression: Expression) -> Read:
        match expression:
            case Literal(value):
                return lambda rows: value
            case Column():
                alias = self._owner(expression)
                read = self.used[alias].columns[expression.name]
                return lambda rows: read(row) if (row := rows[alias]) is not None else None
            case Call("TO_DATE", arguments):
                text, form = ([self._read(one) for one in arguments] + [lambda rows: "MM/DD/YYYY"])[:2]
                return lambda rows: to_date(text(rows), form(rows))
            case Call(function, (argument,)):
                inner = self._read(argument)
                return lambda rows: cased(function, inner(rows))
        raise query_error("Invalid or unsupported search.")

    def _test(self, where: Where) -> Test:
        match where:
            case All(parts):
                tests = [self._test(part) for part in parts]
                return lambda rows: all(test(rows) for test in tests)
            case Either(parts):
                tests = [self._test(part) for part in parts]
                return lambda rows: any(test(rows) for test in tests)
            case Not(Compare(_, left, right) as inner):
                return self._negated(inner, [left, right])
            case Not(In(value, _) as inner):
                return self._negated(inner, [value])
            case Not(inner):
                test = self._test(inner)
                return lambda rows: not test(rows)
            case IsNull(value):
                read = self._read(value)
                return lambda rows: read(rows) in (None, "")
            case In(value, among):
                read, each = self._read(value), [self._read(one) for one in among]
                return lambda rows: any(compare("=", read(rows), one(rows)) for one in each)
            case Compare(operator, left, right):
                first, second = self._read(left), self._read(right)
                return lambda rows: compare(operator, first(rows), second(rows))

    def _negated(self, inner: Where, operands: list[Expression]) -> Test:
        """NOT over a comparison: with a null operand neither it nor its negation holds."""
        test, reads = self._test(inner), [self._read(one) for one in operands]
        return lambda rows: all(read(rows) is not None for read in reads) and not test(rows)

    def _output(self) -> list[tuple[str, Read]]:
        columns: list[tuple[str, Read]] = []
        for number, (item, alias) in enumerate(self.select.items, 1):
            if isinstance(item, Star):
                owners = [item.table] if item.table else list(self.used)
                for owner in owners:
                    columns += [(name, self._read(Column(owner, name))) for name in _known(self.used, owner).columns]
            else:
                name = alias or (item.name if isinstance(item, Column) else f"expr{number}")
                columns.append((name, self._read(item)))
        return columns

    def _sort_key(self, key: Expression, columns: list[tuple[str, Read]]) -> Read:
        """ORDER BY names an alias, a position, or any column."""
        if isinstance(key, Column) and key.table is None:
            for name, read in columns:
                if name == key.name:
                    return read
        if isinstance(key, Literal) and isinstance(key.value, Decimal):
            if key.value % 1 or not 1 <= key.value <= len(columns):
                raise query_error("Invalid or unsupported search: ORDER BY item must be the number of a SELECT-list expression.")
            return columns[int(key.value) - 1][1]
        return self._read(key)


def _identity(row: Row) -> Any:
    """Rows that are a record with a line are made anew each time: the same when record and line number are."""
    return (id(row[0]), row[1]["line"]) if isinstance(row, tuple) else id(row)


def _aliases(select: Select) -> list[tuple[str, str]]:
    return [(select.alias, select.table), *((join.alias, join.table) for join in select.joins)]


def _table(tables: dict[str, Table], name: str) -> Table:
    if name not in tables:
        raise query_error(f"Search error occurred: Record '{name}' was not found.")
    return tables[name]


def _known(used: dict[str, Table], alias: str) -> Table:
    if alias not in used:
        raise query_error(f"Search error occurred: Record '{alias}' was not found.")
    return used[alias]


def _column(table: Table, name: str) -> Callable[[Row], Any]:
    if name not in table.columns:
        raise _no_field(name, table.name)
    return table.columns[name]


def _no_field(name: str, table: str) -> Exception:
    return query_error(
        f"Search error occurred: Field '{name}' for record '{table}' was not found. Reason: REMOVED - Field is removed"
    )


def _texts(columns: Iterable[tuple[str, Any]]) -> dict[str, str]:
    shown: dict[str, str] = {}
    for name, found in columns:
        if found is not None:
            shown[f"{name}_1" if name in shown else name] = text(found)
    return shown
