"""SOQL names and literals bound to an object's fields: getters, predicates and, where an index answers, candidate ids.

Texts compare whatever their case, ids exactly, nulls are less than nothing: `!= 'x'` and `NOT IN` hold for them, `<` never.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.salesforce import ids, soql
from sandbox.salesforce.errors import COLUMN_HINT, ApiError
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.schema import IDS, NUMERIC, TEXT, Field, SObject
from sandbox.salesforce.store import Record, Store
from sandbox.salesforce.wire import stamp

Test = Callable[[Record], bool]
Getter = Callable[[Record], Any]
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
STAMPS = frozenset({"SystemModstamp", "LastModifiedDate"})


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open stretch of dates or stamps that a literal stands for; a plain literal's is one point."""

    start: str
    end: str | None = None

    def relation(self, value: str) -> int:
        """-1, 0 or 1: before, within or after."""
        if value < self.start:
            return -1
        return 1 if value > (self.end or self.start) or value == self.end else 0


class Binder:
    """Binds one query's names; `text` is shown in errors."""

    def __init__(self, store: Store, text: str) -> None:
        self.store, self.text = store, text

    def resolve(self, sobject: SObject, path: tuple[str, ...], at: int) -> tuple[list[Field], Field]:
        """The reference fields to walk and the field at the end."""
        if len(path) > 1 and path[0].lower() == sobject.name.lower() and path[0].lower() not in sobject.parents:
            path = path[1:]
        steps: list[Field] = []
        for relationship in path[:-1]:
            step = sobject.parents.get(relationship.lower())
            if step is None:
                raise self.invalid(f"Didn't understand relationship '{relationship}' in field path. {COLUMN_HINT}", at)
            steps.append(step)
            sobject = OBJECTS[step.parent or ""]
        field = sobject.field(path[-1])
        if field is None:
            raise self.invalid(f"No such column '{path[-1]}' on entity '{sobject.name}'. {COLUMN_HINT}", at)
        return steps, field

    def invalid(self, message: str, at: int) -> ApiError:
        return ApiError(400, "INVALID_FIELD", soql.located(self.text, at) + message)

    def getter(self, steps: list[Field], field: Field) -> Getter:
        if not steps:
            return lambda record: record[field.name]
        tables = [self.store.tables[step.parent or ""].live for step in steps]

        def walk(record: Record) -> Any:
            row: Record | None = record
            for step, table in zip(steps, tables, strict=True):
                row = table.get(row[step.name]) if row is not None else None
            return row[field.name] if row is not None else None

        return walk

    def test(self, sobject: SObject, condition: soql.Condition) -> Test:
        match condition:
            case soql.Junction(every, terms):
                tests = [self.test(sobject, term) for term in terms]
                if every:
                    return lambda record: all(test(record) for test in tests)
                return lambda record: any(test(record) for test in tests)
            case soql.Negation(term):
                inner = self.test(sobject, term)
                return lambda record: not inner(record)
        return self.comparison(sobject, condition)

    def comparison(self, sobject: SObject, one: soql.Comparison) -> Test:
        steps, field = self.resolve(sobject, one.path, one.at)
        if not field.filterable or field.type == "address":
            raise self.invalid(f"field '{field.name}' can not be filtered in a query call", one.at)
        get = self.getter(steps, field)
        if one.operator == "like":
            return self.like(get, field, one)
        wanted = [self.value(field, literal, one.at) for literal in one.literals]
        if field.type in ("date", "datetime"):
            return _temporal(get, one.operator, wanted)
        if field.type in TEXT:
            return _plain(lambda record: _folded(get(record)), one.operator, [_folded(value) for value in wanted])
        return _plain(get, one.operator, wanted)

    def like(self, get: Getter, field: Field, one: soql.Comparison) -> Test:
        literal = one.literals[0]
        if field.type not in TEXT or literal.kind != "string":
            raise self.invalid(f"invalid operator on {field.type} field", one.at)
        parts = re.findall(r"\\.|[^\\]", literal.text, re.DOTALL)
        wildcards = {"%": ".*", "_": "."}
        pattern = re.compile(
            "".join(wildcards.get(p) or re.escape(ESCAPES.get(p[1], p[1]) if len(p) == 2 else p) for p in parts),
            re.IGNORECASE | re.DOTALL,
        )
        return lambda record: (value := get(record)) is not None and pattern.fullmatch(value) is not None

    def value(self, field: Field, literal: soql.Literal, at: int) -> Any:
        """A literal as the field stores it; INVALID_FIELD when it is of another type."""
        if literal.kind == "null" or (literal.kind == "string" and not literal.text):
            return None
        if field.type in ("date", "datetime"):
            return self.span(field, literal, at)
        if field.type in IDS and literal.kind == "string":
            found = ids.full(literal.text)
            if found is None:
                message = soql.located(self.text, at) + f"invalid ID field: {literal.text}"
                raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", message)
            return found
        if field.type in TEXT and literal.kind == "string":
            return self.unescaped(literal.text, at)
        if field.type in NUMERIC and literal.kind == "number":
            return Decimal(literal.text)
        if field.type == "boolean" and literal.kind == "boolean":
            return literal.text == "TRUE"
        raise self.mistyped(field, at)

    def mistyped(self, field: Field, at: int) -> ApiError:
        quotes = "should be enclosed in quotes" if field.type in TEXT | IDS else "should not be enclosed in quotes"
        return self.invalid(
            f"value of filter criterion for field '{field.name}' must be of type {_soql_type(field)} and {quotes}", at
        )

    def unescaped(self, text: str, at: int) -> str:
        def plain(match: re.Match[str]) -> str:
            if match[1] not in ESCAPES:
                raise soql.malformed(f"Illegal escape sequence '\\{match[1]}' in string literal", self.text, at)
            return ESCAPES[match[1]]

        return re.sub(r"\\(.)", plain, text, flags=re.DOTALL)

    def span(self, field: Field, literal: soql.Literal, at: int) -> Span:
        try:
            if literal.kind == "relative":
                return _relative(literal.text, self.store.clock(), field.type)
            if literal.kind == field.type == "date":
                return Span(datetime.strptime(literal.text, "%Y-%m-%d").date().isoformat())
            if literal.kind == field.type == "datetime":
                return Span(stamp(datetime.fromisoformat(literal.text.upper())))
        except ValueError as error:
            raise soql.malformed(f"line 1:{at} {error}", self.text, at) from error
        raise self.mistyped(field, at)

    def candidates(self, sobject: SObject, condition: soql.Condition | None) -> Iterable[str] | None:
        """The ids among which all matches are, when an index knows; None when every row must be looked at."""
        match condition:
            case soql.Comparison():
                return self.indexed(sobject, condition)
            case soql.Junction(True, terms):
                return next((found for term in terms if (found := self.candidates(sobject, term)) is not None), None)
            case soql.Junction(False, terms):
                every = [self.candidates(sobject, term) for term in terms]
                return {id_ for found in every for id_ in found or ()} if all(found is not None for found in every) else None
        return None

    def indexed(self, sobject: SObject, one: soql.Comparison) -> Iterable[str] | None:
        steps, field = self.resolve(sobject, one.path, one.at)
        if field.name in STAMPS and not steps and one.operator in (">", ">=") and one.literals[0].kind == "datetime":
            return self.store.tables[sobject.name].changed_since(self.span(field, one.literals[0], one.at).start)
        if not field.indexed or one.operator not in ("=", "in"):
            return None
        wanted = [self.value(field, literal, one.at) for literal in one.literals]
        if None in wanted:
            return None
        owners = [sobject, *(OBJECTS[step.parent or ""] for step in steps)]
        found = [id_ for value in wanted for id_ in self.store.tables[owners[-1].name].find(field.name, value)]
        for step, owner in reversed([*zip(steps, owners, strict=False)]):  # back from the far object to the query's own
            found = [child for id_ in found for child in self.store.tables[owner.name].find(step.name, id_)]
        return dict.fromkeys(found)


def _folded(value: Any) -> Any:
    return value.casefold() if value is not None else None


def _soql_type(field: Field) -> str:
    if field.type in IDS:
        return "ID"
    if field.type in TEXT:
        return "string"
    return {"datetime": "dateTime", "currency": "double", "percent": "double"}.get(field.type, field.type)


def _plain(get: Getter, operator: str, wanted: list[Any]) -> Test:
    first, several = wanted[0], frozenset(wanted)
    match operator:
        case "=":
            return lambda record: get(record) == first
        case "!=":
            return lambda record: get(record) != first
        case "in":
            return lambda record: get(record) in several
        case "not in":
            return lambda record: get(record) not in several
    holds = _ORDER[operator]
    return lambda record: (value := get(record)) is not None and first is not None and holds((value > first) - (value < first))


def _temporal(get: Getter, operator: str, wanted: list[Span | None]) -> Test:
    first = wanted[0]

    def within(record: Record) -> bool:
        value = get(record)
        return any(value is None if span is None else value is not None and span.relation(value) == 0 for span in wanted)

    if operator in ("=", "in"):
        return within
    if operator in ("!=", "not in"):
        return lambda record: not within(record)
    holds = _ORDER[operator]
    return lambda record: (value := get(record)) is not None and first is not None and holds(first.relation(value))


_ORDER: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def _relative(name: str, now: datetime, kind: str) -> Span:
    """TODAY, YESTERDAY, TOMORROW, LAST_N_DAYS:n (until today included) and NEXT_N_DAYS:n (from tomorrow), in UTC."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    word, _, count = name.partition(":")
    first, length = {
        "TODAY": (0, 1),
        "YESTERDAY": (-1, 1),
        "TOMORROW": (1, 1),
        "LAST_N_DAYS": (-int(count or 0), int(count or 0) + 1),
        "NEXT_N_DAYS": (1, int(count or 0)),
    }[word]
    start, end = midnight + timedelta(days=first), midnight + timedelta(days=first + length)
    return Span(start.date().isoformat(), end.date().isoformat()) if kind == "date" else Span(stamp(start), stamp(end))
