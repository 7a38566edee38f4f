"""The tree of a SuiteQL query: what SELECT, FROM, JOIN, WHERE and ORDER BY said, as immutable values."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    table: str | None
    name: str


@dataclass(frozen=True)
class Literal:
    """A constant; a parameter is one by the time the text is parsed."""

    value: Any


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True)
class Count:
    """COUNT(*)"""


@dataclass(frozen=True)
class Star:
    """SELECT * or table.*"""

    table: str | None = None


Expression = Column | Literal | Call | Count | Star


@dataclass(frozen=True)
class Compare:
    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class In:
    value: Expression
    among: tuple[Expression, ...]


@dataclass(frozen=True)
class IsNull:
    value: Expression


@dataclass(frozen=True)
class Not:
    inner: "Where"


@dataclass(frozen=True)
class All:
    parts: tuple["Where", ...]


@dataclass(frozen=True)
class Either:
    parts: tuple["Where", ...]


Where = Compare | In | IsNull | Not | All | Either


@dataclass(frozen=True)
class Join:
    outer: bool
    table: str
    alias: str
    left: Column
    right: Column


@dataclass(frozen=True)
class Select:
    items: tuple[tuple[Expression, str | None], ...]
    table: str
    alias: str
    joins: tuple[Join, ...]
    where: Where | None
    order: tuple[tuple[Expression, bool], ...]  # expression, descending
    first: int | None
