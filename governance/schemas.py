"""Every schema of a contract, each once, and whether it describes what callers send, what they get, or both."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.node import Node, Unresolved

if TYPE_CHECKING:
    from governance.contract import Contract, Operation

REQUEST, RESPONSE = "request", "response"
OF_ONE = (
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems",
    "unevaluatedProperties", "contentSchema", "additionalItems",
)  # fmt: skip
OF_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
OF_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


@dataclass(frozen=True)
class Found:
    """A schema where it is written. `uses`: request, response, both, or neither where nothing leads to it."""

    node: Node
    uses: frozenset[str]

    @property
    def requested(self) -> bool:
        return REQUEST in self.uses

    @property
    def answered(self) -> bool:
        return RESPONSE in self.uses


def of(contract: "Contract") -> Iterator[Found]:
    uses: dict[Node, set[str]] = {}
    for operation in (*contract.operations, *contract.webhooks):
        for node, use in used(operation):
            _mark(node, use, uses)
    for _, node in contract.component("schemas").items():
        _mark(node, "", uses)
    for node, found in uses.items():
        yield Found(node, frozenset(found - {""}))


def used(operation: "Operation") -> Iterator[tuple[Node, str]]:
    """The schemas an operation names itself, with what they are used for; references not followed."""
    if operation.contract.kind == "asyncapi":
        yield from _messages(operation)
        return
    for parameter in operation.parameters:
        yield from ((schema, REQUEST) for schema in described(parameter))
    if operation.body is not None:
        yield from ((schema, REQUEST) for schema in contents(operation.body))
    for response in operation.responses.values():
        yield from ((schema, RESPONSE) for schema in contents(response))
        for _, header in response.raw("headers").items():
            yield from ((schema, RESPONSE) for schema in described(header.followed()))


def _messages(operation: "Operation") -> Iterator[tuple[Node, str]]:
    """What we send is what subscribers get, and the other way round."""
    use = RESPONSE if operation.method == "send" else REQUEST
    listed = operation.node.raw("messages")
    found = [message.followed() for message in listed.elements()] or [
        message.followed() for _, message in operation.item.raw("messages").items()
    ]
    for message in found:
        for part in ("payload", "headers"):
            if part in message:
                yield message.raw(part), use


def described(node: Node) -> Iterator[Node]:
    """Of a parameter or a header: its schema, or those of its content."""
    if "schema" in node:
        yield node.raw("schema")
    yield from contents(node)


def contents(node: Node) -> Iterator[Node]:
    """The schemas of each media type."""
    for _, media in node.raw("content").items():
        for name in ("schema", "itemSchema"):
            if name in media:
                yield media.raw(name)


def children(node: Node) -> Iterator[tuple[str, Node]]:
    """The schemas directly within one, by keyword; references not followed."""
    value = node.value
    if not isinstance(value, dict):
        return
    for keyword in OF_ONE:
        if isinstance(value.get(keyword), dict | bool):
            yield keyword, node.raw(keyword)
    for keyword in OF_SEVERAL:
        for child in node.raw(keyword).elements():
            yield keyword, child
    for keyword in OF_NAMED:
        for _, child in node.raw(keyword).items():
            yield keyword, child


def _mark(start: Node, use: str, uses: dict[Node, set[str]]) -> None:
    waiting = [start]
    while waiting:
        node = waiting.pop()
        known = uses.get(node)
        if known is not None and (use in known or not use):
            continue
        if isinstance(node.value, dict | bool):
            uses.setdefault(node, set()).add(use)
        if node.reference is not None:
            try:
                waiting.append(node.followed())
            except Unresolved:
                continue  # its own rule says so
        waiting += [child for _, child in children(node)]
