"""Parameters: what an old call says must still be understood, and what it leaves out must still mean the same."""

from collections.abc import Iterator

from governance.changes.comparison import Comparison
from governance.changes.finding import Finding, Severity
from governance.changes.pair import Pair
from governance.changes.words import Subject
from governance.node import Node

ERR, WARN, INFO = Severity.ERR, Severity.WARN, Severity.INFO
_STYLES = {"query": "form", "cookie": "form"}


def parameters(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    old = {_key(one, pair.renamed(str(one.get("name"))) if one.get("in") == "path" else ""): one for one in pair.old.parameters}
    new = {_key(one): one for one in pair.new.parameters}
    for key, one in old.items():
        yield from _both(comparison, pair, one, new[key]) if key in new else _gone(comparison, pair, one)
    for key, one in new.items():
        if key not in old:
            yield from _appeared(pair, one)


def _key(one: Node, called: str = "") -> tuple[str, str]:
    place, name = str(one.get("in")), called or str(one.get("name"))
    return place, name.lower() if place == "header" else name


def _gone(comparison: Comparison, pair: Pair, one: Node) -> Iterator[Finding]:
    what = f"the {one.get('in')} parameter {one.get('name')}"
    sunset = str(one.get("x-sunset") or one.get("x-trivium-sunset") or "")
    if one.get("deprecated") is True and sunset > comparison.today.isoformat():
        sentence = f"callers were told that {what} stays until {sunset}"
        yield Finding("request-parameter-removed-before-sunset", ERR, pair.name, sentence, one, pair.new.node)
    else:
        sentence = f"callers who send {what} are refused or not heard"
        yield Finding("request-parameter-removed", WARN, pair.name, sentence, one, pair.new.node)


def _appeared(pair: Pair, one: Node) -> Iterator[Finding]:
    what, required = f"the {one.get('in')} parameter {one.get('name')}", one.get("required") is True
    if one.get("in") == "path":
        yield Finding("new-request-path-parameter", ERR, pair.name, f"callers do not fill {what}", pair.old.node, one)
    elif required:
        sentence = f"callers who do not send {what} are refused"
        yield Finding("new-required-request-parameter", ERR, pair.name, sentence, pair.old.node, one)
    else:
        yield Finding("new-optional-request-parameter", INFO, pair.name, f"{what} is new", pair.old.node, one)


def _both(comparison: Comparison, pair: Pair, old: Node, new: Node) -> Iterator[Finding]:
    what = f"the {new.get('in')} parameter {new.get('name')}"
    if new.get("required") is True and old.get("required") is not True:
        sentence = f"callers who leave out {what} are refused"
        yield Finding("request-parameter-became-required", ERR, pair.name, sentence, old, new)
    if _written(old) != _written(new):
        sentence = f"callers write {what} in a way that is not understood any more"
        yield Finding("request-parameter-style-changed", ERR, pair.name, sentence, old, new)
        return
    yield from _defaults(pair, what, old, new)
    for before, after in _schemas(old, new):
        part = "request-header-property" if new.get("in") == "header" else "request-parameter"
        yield from comparison.schemas(before, after, Subject(pair.name, part, "request-parameter", asked=True, called=what))


def _schemas(old: Node, new: Node) -> Iterator[tuple[Node, Node]]:
    if "schema" in old and "schema" in new:
        yield old.raw("schema"), new.raw("schema")
    contents = old.raw("content")
    for media, said in contents.items():
        after = new.raw("content").raw(media)
        if "schema" in said and "schema" in after:
            yield said.raw("schema"), after.raw("schema")


def _written(one: Node) -> tuple[object, ...]:
    style = one.get("style") or _STYLES.get(str(one.get("in")), "simple")
    explode = one.get("explode")
    media = tuple(sorted(one.get("content") or {}))
    return style, (style == "form") if explode is None else explode, bool(one.get("allowReserved")), media, "schema" in one


def _defaults(pair: Pair, what: str, old: Node, new: Node) -> Iterator[Finding]:
    before, after = (_default(one) for one in (old, new))
    if before == after:
        return
    change = "added" if before is None else "removed" if after is None else "changed"
    sentence = f"callers who leave out {what} get something else"
    yield Finding(f"request-parameter-default-value-{change}", ERR, pair.name, sentence, old, new)


def _default(one: Node) -> tuple[object] | None:
    schema = one.at("schema")
    return (schema.value["default"],) if "default" in schema else None
