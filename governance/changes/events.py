"""Events are kept and read again: a new one must be read by yesterday's reader, and one of yesterday by the new reader."""

from collections.abc import Iterator

from governance.changes.comparison import Comparison
from governance.changes.finding import Finding, Severity
from governance.changes.words import Subject
from governance.contract import Operation
from governance.node import Node

ERR, INFO = Severity.ERR, Severity.INFO


def events(comparison: Comparison) -> Iterator[Finding]:
    old, new = ({operation.id: operation for operation in side.operations} for side in (comparison.old, comparison.new))
    for id, operation in old.items():
        if id not in new:
            yield Finding("event-removed", ERR, id, "those who wait for it wait for ever", operation.node)
        else:
            yield from _both(comparison, operation, new[id])
    for id in new.keys() - old.keys():
        yield Finding("event-added", INFO, id, "it is new", None, new[id].node)


def _both(comparison: Comparison, old: Operation, new: Operation) -> Iterator[Finding]:
    if old.method != new.method:
        sentence = f"it was {old.method} and is {new.method}: the roles are swapped"
        yield Finding("event-action-changed", ERR, new.id, sentence, old.node, new.node)
    if old.path != new.path:
        sentence = f"those who listen at {old.path} hear nothing: it is {new.path} now"
        yield Finding("event-channel-changed", ERR, new.id, sentence, old.item, new.item)
    before, after = messages(old), messages(new)
    for name, said in before.items():
        if name not in after:
            yield Finding("event-message-removed", ERR, new.id, f"those who wait for {name} wait for ever", said, new.node)
            continue
        for part in ("payload", "headers"):
            if part in said and part in after[name]:
                yield from _schemas(comparison, new.id, said.raw(part), after[name].raw(part))


def _schemas(comparison: Comparison, id: str, old: Node, new: Node) -> Iterator[Finding]:
    readers = Subject(id, "event-property", "event-body", asked=False, who="subscribers")
    yield from comparison.schemas(old, new, readers)
    replayed = Subject(id, "past-event-property", "past-event-body", asked=True, who="new subscribers to past events")
    yield from comparison.schemas(old, new, replayed)


def messages(operation: Operation) -> dict[str, Node]:
    """By the name a message has in its channel."""
    listed = {_name(said): said.followed() for said in operation.node.raw("messages").elements()}
    return listed or {name: said.followed() for name, said in operation.item.raw("messages").items()}


def _name(said: Node) -> str:
    return (said.reference or said.key).rpartition("/")[2]
