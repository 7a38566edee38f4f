"""Search over everything that has a name: each word of a question must fit, exactly, as a beginning, or nearly.

The words of all entries are sorted once. A question costs a look into that list for each of its words; only words that nothing
begins with are compared one by one.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from governance.catalog.naming import api_page, operation_page, schema_page
from governance.contract import ASYNCAPI, Contract, Operation
from governance.node import Node, Unresolved

LONGEST = 200  # letters of a question
MOST_WORDS = 8
_WORDS = re.compile(r"[a-z0-9]+|[A-Z]+(?![a-z])|[A-Z][a-z0-9]*")
_KINDS = ("api", "operation", "event", "schema", "field")
_EXACT, _BEGINS, _WORD, _BEGINNING, _TEXT, _NEARLY = range(6)


@dataclass(frozen=True)
class Entry:
    """`page`: where it is shown, relative to the catalog. `named`: words of its name; `said`: of what is said about it."""

    kind: str
    name: str
    key: str  # of its API
    text: str
    page: str
    named: frozenset[str]
    said: frozenset[str]


@dataclass(frozen=True)
class Index:
    entries: tuple[Entry, ...]
    words: tuple[str, ...]
    found_in: dict[str, tuple[int, ...]]

    def search(self, question: str, most: int = 50, kind: str = "") -> list[Entry]:
        """The best first. A question without words finds nothing."""
        asked = words(question)[:MOST_WORDS]
        if not asked:
            return []
        hits = [self._hits(word) for word in asked]
        common = set.intersection(*(set(found) for found in hits))
        whole = question.strip().lower()
        ranked = sorted((self._rank(number, whole, hits), number) for number in common if kind in ("", self.entries[number].kind))
        return [self.entries[number] for _, number in ranked[:most]]

    def _rank(self, number: int, whole: str, hits: list[dict[int, int]]) -> tuple[int, int, int, str]:
        entry = self.entries[number]
        name = entry.name.lower()
        worst = max(found[number] for found in hits)
        best = _EXACT if whole in (name, entry.key) else _BEGINS if name.startswith(whole) else max(worst, _BEGINNING)
        return (best, _KINDS.index(entry.kind), sum(found[number] for found in hits), name)

    def _hits(self, word: str) -> dict[int, int]:
        """The entries in which the word, its beginning or nearly it stands, with how well it fits."""
        found: dict[int, int] = {}
        known = list(self._beginning(word))
        for candidate in known or self._nearly(word):
            for number in self.found_in[candidate]:
                named = candidate in self.entries[number].named
                fit = _NEARLY if not known else _TEXT if not named else _WORD if candidate == word else _BEGINNING
                found[number] = min(fit, found.get(number, fit))
        return found

    def _beginning(self, word: str) -> Iterator[str]:
        """What begins with it; and, of a longer word, its stem: validation finds validate."""
        for beginning in dict.fromkeys((word, word[: max(5, len(word) - 4)])):
            at = bisect_left(self.words, beginning)
            while at < len(self.words) and self.words[at].startswith(beginning):
                yield self.words[at]
                at += 1

    def _nearly(self, word: str) -> list[str]:
        allowed = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
        return [known for known in self.words if allowed and _near(word, known, allowed)]


def index_of(contracts: Iterable[tuple[str, Contract]]) -> Index:
    entries = tuple(entry for key, contract in contracts for entry in _entries(key, contract))
    found: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        for word in entry.named | entry.said:
            found.setdefault(word, []).append(number)
    return Index(entries, tuple(sorted(found)), {word: tuple(numbers) for word, numbers in found.items()})


def words(text: str) -> list[str]:
    """sales_desk, salesDesk and Sales-desk are the same two words."""
    return [word.lower() for word in _WORDS.findall(text[:LONGEST])]


def _entry(kind: str, name: str, key: str, text: str, page: str, *more: str) -> Entry:
    named = frozenset(words(name))
    said = frozenset(word for said in (text, *more) for word in _all_words(said)) - named
    return Entry(kind, name, key, text, page, named, said)


def _all_words(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(text[:2000])]


def _entries(key: str, contract: Contract) -> Iterator[Entry]:
    info = contract.info
    title, said = str(info.get("title", contract.api)), str(info.get("description", ""))
    yield _entry("api", contract.api, key, f"{title}. {said}".rstrip(". "), api_page(key))
    for operation in (*contract.operations, *contract.webhooks):
        yield _operation(key, contract, operation)
    for name, node in contract.component("schemas").items():
        page = schema_page(key, name)
        yield _entry("schema", name, key, str(node.get("description", "")), page)
        for field, inner in _properties(node):
            text = str(inner.get("description", ""))
            yield _entry("field", f"{name}.{field}", key, text, f"{page}#field-{field}")


def _operation(key: str, contract: Contract, operation: Operation) -> Entry:
    kind = "event" if contract.kind == ASYNCAPI or operation in contract.webhooks else "operation"
    text = str(operation.node.get("description") or operation.node.get("summary") or "")
    summary = str(operation.node.get("summary", ""))
    return _entry(kind, operation.id, key, text, operation_page(key, operation.id), summary, operation.path, operation.method)


def _properties(node: Node) -> Iterator[tuple[str, Node]]:
    try:
        yield from node.followed().raw("properties").items()
    except Unresolved:
        return


def _near(word: str, known: str, allowed: int) -> bool:
    """Whether they differ by no more than so many letters (added, left out or changed)."""
    if abs(len(word) - len(known)) > allowed:
        return False
    row = list(range(len(known) + 1))
    for i, letter in enumerate(word, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(known, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != other))
        if min(row) > allowed:
            return False
    return row[-1] <= allowed
