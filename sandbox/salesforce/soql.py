"""The grammar of SOQL that integrations ask: text to an immutable tree, `MALFORMED_QUERY` for anything else.

SELECT fields, parent fields, child sub-queries, FIELDS(ALL|STANDARD|CUSTOM), COUNT() FROM object
[WHERE …] [ORDER BY … [ASC|DESC] [NULLS FIRST|LAST]] [LIMIT n] [OFFSET n]. AND and OR do not mix without parentheses.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal as Among

from sandbox.salesforce.errors import ApiError

TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))
  | (?P<date>\d{4}-\d\d-\d\d)
  | (?P<number>[+-]?\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_.]*(?::\d+)?)
  | (?P<op><=|>=|!=|<>|[=<>(),])
  )""",
    re.VERBOSE | re.ASCII,
)
OPERATORS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
Kind = Among["string", "datetime", "date", "number", "boolean", "null", "relative"]


@dataclass(frozen=True, slots=True)
class Literal:
    kind: Kind
    text: str  # of a string: what stands between the quotes, escapes and all


@dataclass(frozen=True, slots=True)
class Comparison:
    path: tuple[str, ...]
    operator: str  # one of OPERATORS (`<>` as `!=`), "in", "not in", "like"
    literals: tuple[Literal, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Junction:
    """`every`: all of the terms hold; otherwise any of them."""

    every: bool
    terms: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    term: "Condition"


Condition = Comparison | Junction | Negation


@dataclass(frozen=True, slots=True)
class Column:
    path: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Ordering:
    path: tuple[str, ...]
    descending: bool
    nulls_last: bool
    at: int


@dataclass(frozen=True, slots=True)
class Select:
    columns: "tuple[Column | Select, ...]"
    source: str
    at: int
    count: bool = False
    where: Condition | None = None
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0


def malformed(message: str, text: str = "", at: int | None = None) -> ApiError:
    return ApiError(400, "MALFORMED_QUERY", located(text, at) + message if at is not None else message)


def located(text: str, at: int) -> str:
    """The line and caret Salesforce puts before a message about a place in the query."""
    excerpt = text[max(0, at - 30) : at + 30].replace("\n", " ")
    return f"\n{excerpt}\n{' ' * min(at, 30)}^\nERROR at Row:1:Column:{at + 1}\n"


@lru_cache(maxsize=512)
def parse(text: str) -> Select:
    parser = _Parser(text)
    tree = parser.select()
    parser.end()
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.next = text, _tokens(text), 0

    @property
    def kind(self) -> str:
        return self.tokens[self.next][0]

    @property
    def token(self) -> str:
        return self.tokens[self.next][1]

    @property
    def at(self) -> int:
        return self.tokens[self.next][2]

    def unexpected(self) -> ApiError:
        return malformed(f"unexpected token: '{self.token or '<EOF>'}'", self.text, self.at)

    def take(self) -> str:
        taken = self.token
        self.next += 1
        return taken

    def has(self, *words: str) -> bool:
        """Takes the words if they are next."""
        ahead = self.tokens[self.next : self.next + len(words)]
        if [t[1].upper() if t[0] in ("word", "op") else None for t in ahead] == list(words):
            self.next += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.has(*words):
            raise self.unexpected()

    def end(self) -> None:
        if self.kind != "end":
            raise self.unexpected()

    def word(self) -> str:
        if self.kind != "word" or ":" in self.token:
            raise self.unexpected()
        return self.take()

    def whole(self) -> int:
        if self.kind != "number" or not self.token.isdigit():
            raise self.unexpected()
        return int(self.take())

    def select(self) -> Select:
        self.expect("SELECT")
        count = self.has("COUNT", "(", ")")
        columns: tuple[Column | Select, ...] = () if count else self.columns()
        self.expect("FROM")
        at, source = self.at, self.word()
        where = self.condition() if self.has("WHERE") else None
        order = self.orderings() if self.has("ORDER", "BY") else ()
        limit = self.whole() if self.has("LIMIT") else None
        offset = self.whole() if self.has("OFFSET") else 0
        return Select(columns, source, at, count, where, order, limit, offset)

    def columns(self) -> tuple[Column | Select, ...]:
        found = [self.column()]
        while self.has(","):
            found.append(self.column())
        return tuple(found)

    def column(self) -> Column | Select:
        at = self.at
        if self.has("("):
            child = self.select()
            self.expect(")")
            return child
        if self.has("FIELDS", "("):
            group = self.word()
            self.expect(")")
            return Column((f"FIELDS({group.upper()})",), at)
        return Column(self.path(), at)

    def path(self) -> tuple[str, ...]:
        if self.kind == "word" and self.token.upper() in ("FROM", "WHERE", "SELECT"):
            raise self.unexpected()
        return tuple(self.word().split("."))

    def condition(self) -> Condition:
        terms = [self.term()]
        for word, every in (("AND", True), ("OR", False)):
            if self.has(word):
                terms.append(self.term())
                while self.has(word):
                    terms.append(self.term())
                return Junction(every, tuple(terms))
        return terms[0]

    def term(self) -> Condition:
        if self.has("NOT"):
            return Negation(self.term())
        if self.has("("):
            inner = self.condition()
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> Comparison:
        at, path = self.at, self.path()
        if self.has("NOT", "IN"):
            return Comparison(path, "not in", self.literals(), at)
        if self.has("IN"):
            return Comparison(path, "in", self.literals(), at)
        if self.has("LIKE"):
            return Comparison(path, "like", (self.literal(),), at)
        if self.token not in OPERATORS:
            raise self.unexpected()
        operator = self.take().replace("<>", "!=")
        return Comparison(path, operator, (self.literal(),), at)

    def literals(self) -> tuple[Literal, ...]:
        self.expect("(")
        found = [self.literal()]
        while self.has(","):
            found.append(self.literal())
        self.expect(")")
        return tuple(found)

    def literal(self) -> Literal:
        match self.kind:
            case "string":
                return Literal("string", self.take()[1:-1])
            case "number" | "date" | "datetime" as kind:
                return Literal(kind, self.take())
            case "word" if self.token.upper() in ("TRUE", "FALSE"):
                return Literal("boolean", self.take().upper())
            case "word" if self.token.upper() == "NULL":
                return Literal("null", self.take())
            case "word" if RELATIVE.fullmatch(self.token.upper()):
                return Literal("relative", self.take().upper())
        raise self.unexpected()

    def orderings(self) -> tuple[Ordering, ...]:
        found = [self.ordering()]
        while self.has(","):
            found.append(self.ordering())
        return tuple(found)

    def ordering(self) -> Ordering:
        at, path = self.at, self.path()
        descending = self.has("DESC")
        if not descending:
            self.has("ASC")
        nulls_last = self.has("NULLS", "LAST")
        if not nulls_last:
            self.has("NULLS", "FIRST")
        return Ordering(path, descending, nulls_last, at)


RELATIVE = re.compile(r"(TODAY|YESTERDAY|TOMORROW|(LAST|NEXT)_N_DAYS:\d{1,4})")


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise malformed(f"unexpected token: '{text[start]}'", text, start)
        found.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*found, *[("end", "", end)] * 3]
