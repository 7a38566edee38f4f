"""What is new, or gone, without breaking anybody: it belongs in the changelog."""

from collections.abc import Iterator

from governance.changes.comparison import Comparison
from governance.changes.finding import Finding, Severity
from governance.changes.pair import Pair, only
from governance.contract import Operation
from governance.node import Node
from governance.schemas import contents

INFO, WARN = Severity.INFO, Severity.WARN
DEEPEST = 12


def operations(comparison: Comparison) -> Iterator[Finding]:
    for operation in only(comparison.new.operations, comparison.old.operations):
        yield Finding("endpoint-added", INFO, operation.name, "it is new", None, operation.node)
    for operation in only(comparison.new.webhooks, comparison.old.webhooks):
        yield Finding("webhook-added", INFO, f"webhook {operation.path}", "it is new", None, operation.node)


def properties(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    """Optional properties that came, and those a caller could send to an object that takes anything and that are gone."""
    before, after = dict(_sent(pair.old)), dict(_sent(pair.new))
    for path in after.keys() - before.keys():
        if _parent(path) in before:
            yield Finding("new-optional-request-property", INFO, pair.name, f"{path} may be sent", None, after[path])
    for path in before.keys() - after.keys():
        if _parent(path) in after and after[_parent(path)].get("additionalProperties") is not False:
            sentence = f"callers who send {path} are not heard"
            yield Finding("request-property-removed", WARN, pair.name, sentence, before[path], after[_parent(path)])
    was, now = dict(_got(pair.old)), dict(_got(pair.new))
    for path in now.keys() - was.keys():
        if _parent(path) in was:
            yield Finding("response-property-added", INFO, pair.name, f"{path.partition(' ')[2]} is new", None, now[path])


def all_of_removed(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    """A part that every body had to fit: taken away, more is accepted, which callers may not have meant."""
    before, after = dict(_sent(pair.old)), dict(_sent(pair.new))
    for path in before.keys() & after.keys():
        gone = len(before[path].get("allOf") or ()) - len(after[path].get("allOf") or ())
        if gone > 0:
            of = "request-property" if path else "request-body"
            sentence = f"{path or 'the body'} is not checked against a part it had to fit"
            yield Finding(f"{of}-all-of-removed", WARN, pair.name, sentence, before[path], after[path])


def _sent(operation: Operation) -> Iterator[tuple[str, Node]]:
    if operation.body is not None:
        for schema in contents(operation.body):
            yield from _parts("", schema)


def _got(operation: Operation) -> Iterator[tuple[str, Node]]:
    for status, response in operation.successes.items():
        for schema in contents(response):
            yield from ((f"{status} {path}", node) for path, node in _parts("", schema))


def _parts(path: str, schema: Node, depth: int = 0) -> Iterator[tuple[str, Node]]:
    """Every object and property below, by dotted path; what is recursive only so far."""
    node = schema.followed()
    yield path, node
    if depth >= DEEPEST:
        return
    for holder in (node, *(part.followed() for part in node.raw("allOf").elements())):
        for name, child in holder.raw("properties").items():
            yield from _parts(f"{path}.{name}".lstrip("."), child, depth + 1)
    if isinstance(node.get("items"), dict):
        yield from _parts(f"{path}[]", node.raw("items"), depth + 1)


def _parent(path: str) -> str:
    status, space, rest = path.partition(" ") if " " in path else ("", "", path)
    return status + space + (rest.rpartition(".")[0] if "." in rest else "")
