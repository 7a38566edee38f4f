"""The `q` language of record collections: field operator value, AND binding tighter than OR, parentheses.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1545222128.html
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.netsuite.books import Books
from sandbox.netsuite.computed import value
from sandbox.netsuite.errors import invalid_parameter
from sandbox.netsuite.schema import Field, RecordType
from sandbox.netsuite.store import INDEXED, Record

TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([()\[\],])|([^\s()\[\],"]+))')
TEXT = ("CONTAIN", "IS", "START_WITH", "END_WITH", "ENDWITH")
NUMBER = ("ANY_OF", "BETWEEN", "EQUAL", "GREATER", "GREATER_OR_EQUAL", "LESS", "LESS_OR_EQUAL", "WITHIN")
DATE = ("AFTER", "BEFORE", "ON", "ON_OR_AFTER", "ON_OR_BEFORE")
OPERATORS: dict[str, frozenset[str]] = {
    "string": frozenset(TEXT),
    "boolean": frozenset({"IS"}),
    "number": frozenset(NUMBER),
    "integer": frozenset(NUMBER),
    "date": frozenset(DATE),
    "datetime": frozenset(DATE),
    "enum": frozenset({"ANY_OF", "IS"}),
    "ref": frozenset({"ANY_OF", "EQUAL", "IS"}),
}
MANY = frozenset({"ANY_OF", "BETWEEN", "WITHIN"})
ID = Field("id", "integer")
DEEPEST = 50

Test = Callable[[Record], bool]


@dataclass(frozen=True)
class Condition:
    """A test of a record, and the only records that can pass it where an index knows them."""

    test: Test
    among: dict[str, Record] | None = None


def bad(detail: str) -> Exception:
    return invalid_parameter("q", f"Invalid query filter: {detail}")


def matching(books: Books, kind: RecordType, q: str | None) -> list[Record]:
    """The records of a type that pass a filter, by id."""
    if q is None:
        found: Iterable[Record] = books.store.all(kind.name)
    else:
        condition = _Parser(books, kind, q).parsed()
        among = books.store.types[kind.name] if condition.among is None else condition.among
        found = [record for record in among.values() if condition.test(record)]
    return sorted(found, key=lambda record: int(record.id))


def _tokens(q: str) -> list[tuple[str, str]]:
    """(kind, text) with kind one of quoted, mark, word."""
    found, at, end = [], 0, len(q.rstrip())
    while at < end:
        hit = TOKEN.match(q, at)
        if hit is None:
            raise bad(f"unreadable at {q[at:].strip()[:20]}")
        quoted, mark, word = hit.groups()
        if quoted is not None:
            found.append(("quoted", re.sub(r"\\(.)", r"\1", quoted)))
        else:
            found.append(("mark", mark) if mark else ("word", word))
        at = hit.end()
    return found


class _Parser:
    def __init__(self, books: Books, kind: RecordType, q: str) -> None:
        self.books, self.kind = books, kind
        self.tokens, self.at, self.depth = _tokens(q), 0, 0

    def parsed(self) -> Condition:
        condition = self._either()
        if self.at < len(self.tokens):
            raise bad(f"unexpected {self.tokens[self.at][1]}")
        return condition

    def _next(self) -> tuple[str, str]:
        if self.at == len(self.tokens):
            raise bad("unexpected end of the expression")
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at][0] != "quoted" and self.tokens[self.at][1].upper() == word:
            self.at += 1
            return True
        return False

    def _either(self) -> Condition:
        sides = [self._both()]
        while self._take("OR"):
            sides.append(self._both())
        if len(sides) == 1:
            return sides[0]
        union: dict[str, Record] | None = {}
        for side in sides:
            union = None if union is None or side.among is None else union | side.among
        tests = [side.test for side in sides]
        return Condition(lambda record: any(test(record) for test in tests), union)

    def _both(self) -> Condition:
        sides = [self._single()]
        while self._take("AND"):
            sides.append(self._single())
        if len(sides) == 1:
            return sides[0]
        known = [side.among for side in sides if side.among is not None]
        tests = [side.test for side in sides]
        return Condition(lambda record: all(test(record) for test in tests), min(known, key=len) if known else None)

    def _single(self) -> Condition:
        if self._take("("):
            self.depth += 1
            if self.depth > DEEPEST:
                raise bad("too many parentheses")
            inside = self._either()
            if not self._take(")"):
                raise bad("a closing parenthesis is missing")
            self.depth -= 1
            return inside
        return self._condition()

    def _condition(self) -> Condition:
        kind, name = self._next()
        known = ID if name == "id" else self.kind.fields.get(name)
        if kind != "word" or known is None:
            raise bad(f"field {name} does not exist or cannot be filtered by")
        operator = self._next()[1].upper()
        negated = operator.endswith("_NOT")
        positive = operator.removesuffix("_NOT")
        if positive == "EMPTY":
            return Condition(lambda record: (self._value(record, known) in (None, "")) != negated)
        if positive not in OPERATORS.get(known.kind, ()):
            raise bad(f"operator {operator} is not allowed for field {name}")
        operands = [operand(known, one) for one in self._operands(positive)]
        test = compare(known, positive, operands)
        among = None if negated else self._among(known, positive, operands)
        return Condition(lambda record: test(self._value(record, known)) != negated, among)

    def _operands(self, operator: str) -> list[str]:
        if not self._take("["):
            if operator in MANY:
                raise bad(f"operator {operator} takes a list of values")
            kind, text = self._next()
            if kind == "mark":
                raise bad(f"a value is expected, not {text}")
            return [text]
        values = [self._next()[1]]
        while self._take(","):
            values.append(self._next()[1])
        if not self._take("]"):
            raise bad("a closing bracket is missing")
        if operator not in MANY or (operator != "ANY_OF" and len(values) != 2):
            raise bad(f"operator {operator} does not take {len(values)} values")
        return values

    def _value(self, record: Record, known: Field) -> Any:
        return Decimal(record.id) if known is ID else value(self.books, record, known.name)

    def _among(self, known: Field, operator: str, operands: list[Any]) -> dict[str, Record] | None:
        if known is ID and operator == "EQUAL":
            found = self.books.store.by_id(self.kind.name, str(operands[0]))
            return {found.id: found} if found else {}
        if known.name in INDEXED and operator in ("IS", "EQUAL"):
            return self.books.store.where(self.kind.name, known.name, operands[0])
        return None


def operand(known: Field, text: str) -> Any:
    """A written value in the field's kind; dates are month/day/year, as N/query reads them."""
    match known.kind:
        case "number" | "integer":
            try:
                exact = Decimal(text)
            except InvalidOperation:
                raise bad(f"{text} is not a number") from None
            if not exact.is_finite():
                raise bad(f"{text} is not a number")
            return exact
        case "boolean":
            if text.lower() not in ("true", "false"):
                raise bad(f"{text} is not a boolean")
            return text.lower() == "true"
        case "date" | "datetime":
            try:
                return datetime.strptime(text, "%m/%d/%Y").date()
            except ValueError:
                raise bad(f'Parse of date/time "{text}" failed with date format "M/d/yyyy"') from None
    return text


def compare(known: Field, operator: str, operands: list[Any]) -> Callable[[Any], bool]:
    """The test of one operator; an empty field passes none."""
    one = operands[0]
    match operator:
        case "IS" if known.kind == "boolean":
            return lambda found: bool(found) == one
        case "IS":
            return lambda found: found is not None and str(found).lower() == one.lower()
        case "CONTAIN":
            return lambda found: found is not None and one.lower() in str(found).lower()
        case "START_WITH":
            return lambda found: found is not None and str(found).lower().startswith(one.lower())
        case "END_WITH" | "ENDWITH":
            return lambda found: found is not None and str(found).lower().endswith(one.lower())
        case "ANY_OF":
            return lambda found: found in operands
        case "EQUAL":
            return lambda found: found is not None and found == one
        case "BETWEEN" | "WITHIN":
            return lambda found: found is not None and one <= found <= operands[1]
    return _ordered(operator, one)


def _ordered(operator: str, one: Any) -> Callable[[Any], bool]:
    match operator:
        case "GREATER" | "AFTER":
            return lambda found: found is not None and _day(found) > one
        case "GREATER_OR_EQUAL" | "ON_OR_AFTER":
            return lambda found: found is not None and _day(found) >= one
        case "LESS" | "BEFORE":
            return lambda found: found is not None and _day(found) < one
        case "LESS_OR_EQUAL" | "ON_OR_BEFORE":
            return lambda found: found is not None and _day(found) <= one
    return lambda found: found is not None and _day(found) == one


def _day(found: Any) -> Any:
    return found.date() if isinstance(found, datetime) else found
