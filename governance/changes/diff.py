"""The whole comparison of two contracts, read downwards: what ends, what operations ask and tell, what is new, the version."""

from collections.abc import Callable, Iterator
from datetime import date

from governance.changes import additions, lifecycle, promises
from governance.changes.comparison import Comparison
from governance.changes.events import events
from governance.changes.finding import Finding, Severity
from governance.changes.pair import Pair, pairs
from governance.changes.parameters import parameters
from governance.changes.payloads import answers, bodies
from governance.changes.version import version
from governance.contract import ASYNCAPI, Contract, Operation
from governance.node import Node

OF_EACH: tuple[Callable[[Comparison, Pair], Iterator[Finding]], ...] = (
    lifecycle.sunsets, parameters, bodies, answers, promises.promises, promises.classification, additions.properties,
    additions.all_of_removed,
)  # fmt: skip


def diff(old: Contract, new: Contract, *, today: date, notice: int = 90) -> list[Finding]:
    """What changed, the worst first. Raises Unresolved for a reference that leads nowhere.

    `notice`: the days between the announcement of an end and the end.
    """
    comparison = Comparison(old, new, today, notice)
    found = set(events(comparison) if ASYNCAPI in (old.kind, new.kind) else _surfaces(comparison))
    return sorted(found | set(version(comparison, found)), key=lambda finding: finding.place)


def _surfaces(comparison: Comparison) -> Iterator[Finding]:
    old, new = comparison.old, comparison.new
    yield from lifecycle.stability(old, new)
    yield from promises.audience(old, new)
    yield from lifecycle.removed(comparison)
    for pair in pairs(old.operations, new.operations):
        for check in OF_EACH:
            yield from check(comparison, pair)
        yield from _callbacks(comparison, pair)
    for pair in pairs(old.webhooks, new.webhooks):
        yield from bodies(comparison, pair, asked=False)
    yield from additions.operations(comparison)


def _callbacks(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    """Calls that we make back: the other way round."""
    old, new = _called_back(pair.old), _called_back(pair.new)
    for key, before in old.items():
        if key in new:
            yield from bodies(comparison, Pair(before, new[key]), asked=False)
        else:
            sentence = f"callers who wait to be called back ({before.path}) never are"
            yield Finding("callback-removed", Severity.ERR, pair.name, sentence, before.node, pair.new.node)


def _called_back(operation: Operation) -> dict[tuple[str, str, str], Operation]:
    found = {}
    for name, said in operation.node.raw("callbacks").items():
        for expression, item in said.followed().items():
            for method, node in item.followed().items():
                if isinstance(node.value, dict) and "responses" in node:
                    found[name, expression, method] = _operation(operation, method, expression, node, item)
    return found


def _operation(owner: Operation, method: str, path: str, node: Node, item: Node) -> Operation:
    return Operation(owner.contract, method, path, node, item)
