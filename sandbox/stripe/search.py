"""Stripe's search: its query language over an index that lags behind the writes, as the vendor's own does."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.stripe import errors
from sandbox.stripe.wire import Wire

# object -> field -> how it compares; what a resource does not list is an unsupported search field
FIELDS: Mapping[str, Mapping[str, str]] = {
    "customer": {"created": "number", "email": "text", "metadata": "metadata", "name": "text", "phone": "text"},
    "invoice": {
        "created": "number", "currency": "token", "customer": "token", "metadata": "metadata", "number": "token",
        "status": "token", "subscription": "token", "total": "number",
    },
    "payment_intent": {
        "amount": "number", "created": "number", "currency": "token", "customer": "token", "metadata": "metadata",
        "status": "token",
    },
    "price": {
        "active": "token", "currency": "token", "lookup_key": "token", "metadata": "metadata", "product": "token",
        "type": "token",
    },
    "product": {"active": "token", "description": "text", "metadata": "metadata", "name": "text", "url": "text"},
    "subscription": {"created": "number", "canceled_at": "number", "metadata": "metadata", "status": "token"},
}  # fmt: skip

_CLAUSE = re.compile(
    r"""\s*(?P<negative>-)?(?P<field>[a-z_]+)(\[(?P<k>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\])?"""
    r"""\s*(?P<operator>:|~|>=|<=|>|<)\s*(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?[0-9.]+|null|true|false)"""
)
_JOIN = re.compile(r"\s+(?:(?P<word>AND|OR)\s+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Clause:
    """One condition: `metadata['external_id']:'X'`, `-status:'draft'`, `created>=1700000000`."""

    field: str
    key: str | None
    operator: str
    value: str | None  # None: null
    negative: bool

    @property
    def term(self) -> tuple[str, str | None, str] | None:
        """What the index can look up directly."""
        if self.negative or self.operator != ":" or self.value is None:
            return None
        return (self.field, self.key, self.value.casefold())

    def holds(self, document: Wire) -> bool:
        return self._plainly(document) is not self.negative

    def _plainly(self, document: Wire) -> bool:
        found = document["metadata"].get(self.key) if self.field == "metadata" else document[self.field]
        if self.value is None:
            return found is None
        if found is None:
            return False
        if isinstance(found, int) and not isinstance(found, bool):
            return _compares(self.operator, Decimal(found), Decimal(self.value))
        if self.operator == "~":
            return self.value.casefold() in str(found).casefold()
        return _plain(found) == self.value.casefold()


def _plain(value: Any) -> str:
    return str(value).casefold()


def _compares(operator: str, left: Decimal, right: Decimal) -> bool:
    match operator:
        case ":":
            return left == right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "<":
            return left < right
        case _:
            return left <= right


def parse(query: str, noun: str) -> tuple[list[Clause], bool]:
    """The clauses of a query, and whether all must hold (AND) or any (OR)."""
    clauses, words, at = [], set(), 0
    while True:
        match = _CLAUSE.match(query, at)
        if match is None:
            raise _unparsable()
        clauses.append(_clause(match, noun))
        at = match.end()
        if not query[at:].strip():
            break
        join = _JOIN.match(query, at)
        if join is None:
            raise _unparsable()
        words.add((join["word"] or "AND").upper())
        at = join.end()
    if len(words) > 1:
        raise errors.invalid("Search queries may use AND or OR, but not both.", "query")
    return clauses, words != {"OR"}


def _clause(match: "re.Match[str]", noun: str) -> Clause:
    field, kind = match["field"], FIELDS[noun].get(match["field"])
    if kind is None or (kind == "metadata") is not (match["k"] is not None):
        raise errors.invalid(f"Field `{field}` is an unsupported search field for resource `{noun}s`.", "query")
    operator, value = match["operator"], _unquoted(match["value"])
    fits = {"number": ":<=>=", "text": ":~", "metadata": ":~", "token": ":"}[kind]
    if operator not in fits or (kind == "number" and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value or "")):
        raise errors.invalid(f"Field `{field}` does not support the operator `{operator}` with that value.", "query")
    return Clause(field, match["k"] and _unquoted(match["k"]), operator, value, bool(match["negative"]))


def _unquoted(text: str) -> str | None:
    if text[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return None if text == "null" else text


def _unparsable() -> errors.Refused:
    hint = 'Try using the format `metadata["key"]:"value"` to query for metadata or key:"value" to query for other fields.'
    return errors.invalid(f"We were unable to parse your search query. {hint}", "query")


class SearchIndex:
    """What search sees: documents as they were `lag` seconds ago, found by term."""

    def __init__(self, clock: Callable[[], float], lag: float) -> None:
        self.clock, self.lag = clock, lag
        self.coming: deque[tuple[float, str, str, Wire | None]] = deque()
        self.documents: dict[str, dict[str, Wire]] = {noun: {} for noun in FIELDS}
        self.terms: dict[str, dict[tuple[Any, ...], dict[str, None]]] = {noun: {} for noun in FIELDS}

    def write(self, row: Wire, deleted: bool = False) -> None:
        """A write that becomes visible after the lag."""
        noun = row["object"]
        if noun in FIELDS:
            document = None if deleted else _document(row, noun)
            self.coming.append((self.clock() + self.lag, noun, row["id"], document))

    def catch_up(self, until: float | None = None) -> None:
        """Makes visible what was written at least `lag` ago."""
        now = self.clock() if until is None else until
        while self.coming and self.coming[0][0] <= now:
            _, noun, id, document = self.coming.popleft()
            old = self.documents[noun].pop(id, None)
            for term in _terms(old) if old else ():
                self.terms[noun][term].pop(id, None)
            if document is not None:
                self.documents[noun][id] = document
                for term in _terms(document):
                    self.terms[noun].setdefault(term, {})[id] = None

    def find(self, noun: str, query: str) -> list[str]:
        """The ids that match, in the order in which they became visible."""
        self.catch_up()
        clauses, every = parse(query, noun)
        documents = self.documents[noun]
        terms = [c.term for c in clauses if c.term]
        pools = [self.terms[noun].get(t, {}) for t in terms] if every else []
        pool = min(pools, key=len) if pools else documents
        test = all if every else any
        return [id for id in pool if test(c.holds(documents[id]) for c in clauses)]


def _document(row: Wire, noun: str) -> Wire:
    document = {f: row.get(f) for f in FIELDS[noun] if f != "metadata"}
    if noun == "invoice":
        details = (row["parent"] or {}).get("subscription_details")
        document["subscription"] = details and details["subscription"]
    return document | {"metadata": dict(row["metadata"])}


def _terms(document: Wire) -> list[tuple[Any, ...]]:
    plain = [(f, None, _plain(v)) for f, v in document.items() if f != "metadata" and v is not None]
    return plain + [("metadata", k, _plain(v)) for k, v in document["metadata"].items()]


def page_of(ids: list[str], params: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """One page of results, newest first, and the token of the next."""
    newest, limit, start = ids[::-1], params.get("limit") or 10, 0
    if params.get("page"):
        try:
            start = newest.index(urlsafe_b64decode(params["page"]).decode()) + 1
        except ValueError:
            raise errors.invalid("Invalid pagination token", "page") from None
    found = newest[start : start + limit]
    more = len(newest) > start + limit
    return found, urlsafe_b64encode(found[-1].encode()).decode() if more else None
