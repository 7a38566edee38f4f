"""SuiteQL text becomes a syntax tree; only the subset that integration flows use is understood, the rest is refused.

SELECT columns, *, COUNT(*), aliases; FROM one table with [INNER|LEFT] JOIN on one equality; WHERE with = != <> < > <= >= LIKE IN
IS NULL, NOT, AND, OR, parentheses, LOWER UPPER TO_DATE, ? parameters; ORDER BY; FETCH FIRST n ROWS ONLY.
"""

import re
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

TOKEN = re.compile(
    r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<mark><=|>=|<>|!=|[-=<>(),.*?]))"
)
FUNCTIONS = frozenset({"LOWER", "UPPER", "TO_DATE"})
COMPARISONS = frozenset({"=", "!=", "<>", "<", ">", "<=", ">="})
CLAUSES = frozenset({"SELECT", "FROM", "WHERE", "ORDER", "BY", "JOIN", "INNER", "LEFT", "ON", "FETCH", "FIRST", "ROWS", "ONLY"})
OPERATORS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ASC", "DESC", "AS"})
REFUSED = frozenset({"GROUP", "HAVING", "UNION", "DISTINCT", "OUTER", "RIGHT", "FULL", "CROSS"})
RESERVED = CLAUSES | OPERATORS | REFUSED
DEEPEST = 50


def parse(q: str, params: list[Any]) -> Select:
    """The tree of a query; raises INVALID_PARAMETER for what cannot be parsed or parameters that do not fit."""
    parser = _Parser(_tokens(q), params)
    select = parser.select()
    if parser.params:
        raise query_error("The number of parameters does not match the number of placeholders in the query.")
    return select


def _tokens(q: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(q.rstrip())
    while at < end:
        hit = TOKEN.match(q, at)
        if hit is None or hit.lastgroup is None:
            raise query_error(f"Invalid or unsupported search: unexpected {q[at:].strip()[:20]!r}.")
        found.append((hit.lastgroup, hit[hit.lastgroup]))
        at = hit.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], params: list[Any]) -> None:
        self.tokens, self.at, self.params, self.depth = tokens, 0, list(params), 0

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ("end", "")

    def _take(self, *words: str) -> bool:
        """Consumes these words or marks if they come next, in this order."""
        for ahead, word in enumerate(words):
            kind, text = self._peek(ahead)
            if kind not in ("word", "mark") or text.upper() != word:
                return False
        self.at += len(words)
        return True

    def _need(self, *words: str) -> None:
        if not self._take(*words):
            raise self._unexpected()

    def _unexpected(self) -> Exception:
        kind, text = self._peek()
        return query_error(f"Invalid or unsupported search: unexpected {'end of the query' if kind == 'end' else repr(text)}.")

    def _name(self) -> str:
        kind, text = self._peek()
        if kind != "word" or text.upper() in RESERVED:
            raise self._unexpected()
        self.at += 1
        return text.lower()

    def select(self) -> Select:
        self._need("SELECT")
        items = [self._item()]
        while self._take(","):
            items.append(self._item())
        self._need("FROM")
        table, alias = self._table()
        joins = []
        while (join := self._join()) is not None:
            joins.append(join)
        where = self._either() if self._take("WHERE") else None
        order = self._order() if self._take("ORDER", "BY") else ()
        first = self._first() if self._take("FETCH", "FIRST") else None
        if self._peek()[0] != "end":
            raise self._unexpected()
        return Select(tuple(items), table, alias, tuple(joins), where, order, first)

    def _item(self) -> tuple[Expression, str | None]:
        if self._take("*"):
            return Star(), None
        if self._take("COUNT", "(", "*", ")"):
            return Count(), self._alias()
        if self._peek()[0] == "word" and self._peek(1)[1] == "." and self._peek(2)[1] == "*":
            table = self._name()
            self._need(".", "*")
            return Star(table), None
        return self._expression(), self._alias()

    def _alias(self) -> str | None:
        if self._take("AS"):
            return self._name()
        kind, text = self._peek()
        return self._name() if kind == "word" and text.upper() not in RESERVED else None

    def _table(self) -> tuple[str, str]:
        table = self._name()
        return table, self._alias() or table

    def _join(self) -> Join | None:
        outer = self._take("LEFT", "OUTER", "JOIN") or self._take("LEFT", "JOIN")
        if not outer and not self._take("INNER", "JOIN") and not self._take("JOIN"):
            return None
        table, alias = self._table()
        self._need("ON")
        bracket = self._take("(")
        left = self._expression()
        self._need("=")
        right = self._expression()
        if bracket:
            self._need(")")
        if not isinstance(left, Column) or not isinstance(right, Column):
            raise query_error("Invalid or unsupported search: a join needs two columns.")
        return Join(outer, table, alias, *((left, right) if right.table == alias else (right, left)))

    def _order(self) -> tuple[tuple[Expression, bool], ...]:
        keys: list[tuple[Expression, bool]] = []
        while not keys or self._take(","):
            expression = self._expression()
            descending = self._take("DESC")
            if not descending:
                self._take("ASC")
            keys.append((expression, descending))
        return tuple(keys)

    def _first(self) -> int:
        kind, text = self._peek()
        if kind != "number" or not text.isdigit():
            raise self._unexpected()
        self.at += 1
        self._need("ROWS", "ONLY")
        return int(text)

    def _either(self) -> Where:
        parts = [self._both()]
        while self._take("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Where:
        parts = [self._single()]
        while self._take("AND"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _single(self) -> Where:
        self.depth += 1
        if self.depth > DEEPEST:
            raise query_error("Invalid or unsupported search: nested too deeply.")
        try:
            if self._take("NOT"):
                return Not(self._single())
            if self._take("("):
                inside = self._either()
                self._need(")")
                return inside
            return self._condition()
        finally:
            self.depth -= 1

    def _condition(self) -> Where:
        left = self._expression()
        if self._take("IS", "NOT", "NULL"):
            return Not(IsNull(left))
        if self._take("IS", "NULL"):
            return IsNull(left)
        negated = self._take("NOT")
        if self._take("IN"):
            among: Where = In(left, self._arguments())
            return Not(among) if negated else among
        if self._take("LIKE"):
            like = Compare("LIKE", left, self._expression())
            return Not(like) if negated else like
        operator = self._peek()[1]
        if negated or self._peek()[0] != "mark" or operator not in COMPARISONS:
            raise self._unexpected()
        self.at += 1
        return Compare("!=" if operator == "<>" else operator, left, self._expression())

    def _arguments(self) -> tuple[Expression, ...]:
        self._need("(")
        found = [self._expression()]
        while self._take(","):
            found.append(self._expression())
        self._need(")")
        return tuple(found)

    def _expression(self) -> Expression:
        kind, text = self._peek()
        if self._take("?"):
            return self._parameter()
        if self._take("-") and self._peek()[0] == "number":
            text = "-" + self._peek()[1]
            kind = "number"
        if kind in ("text", "number"):
            self.at += 1
            return Literal(Decimal(text) if kind == "number" else text.replace("''", "'"))
        if kind == "word" and text.upper() in FUNCTIONS and self._peek(1)[1] == "(":
            self.at += 1
            return Call(text.upper(), self._arguments())
        name = self._name()
        return Column(name, self._name()) if self._take(".") else Column(None, name)

    def _parameter(self) -> Literal:
        if not self.params:
            raise query_error("The number of parameters does not match the number of placeholders in the query.")
        value = self.params.pop(0)
        return Literal(Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value)
