"""One operation as its caller needs it: what to send, what comes back, what may go wrong, and a request that can be sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from governance.catalog.examples import example_of
from governance.contract import Operation
from governance.node import Node, Unresolved

JSON = "application/json"


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str  # path, query, header or cookie
    required: bool
    about: str
    rules: str
    example: str


@dataclass(frozen=True)
class Payload:
    """`schema`: its name among the components, "" for one written in place."""

    media: str
    schema: str
    example: Any
    required: bool = True

    @property
    def text(self) -> str:
        return self.example if isinstance(self.example, str) else json.dumps(self.example, indent=2, ensure_ascii=False)


@dataclass(frozen=True)
class Answer:
    status: str
    about: str
    payloads: tuple[Payload, ...]
    headers: tuple[tuple[str, str], ...]

    @property
    def error(self) -> bool:
        return self.status[:1] in ("4", "5")


@dataclass(frozen=True)
class Request:
    """A request that fits the contract. `token`: whether it needs one."""

    method: str
    path: str  # with example values and the query
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    token: bool = True


def parameters(operation: Operation) -> list[Parameter]:
    return [_parameter(node) for node in operation.parameters]


def bodies(operation: Operation) -> list[Payload]:
    if operation.body is None:
        return []
    said = operation.body.followed()
    return [_payload(media, node, required=said.get("required") is True) for media, node in said.raw("content").items()]


def answers(operation: Operation) -> list[Answer]:
    """By status, successes first."""
    found = [
        Answer(
            status, str(said.get("description", "")), tuple(_payload(media, node) for media, node in said.raw("content").items()),
            tuple((name, str(_followed(header).get("description", ""))) for name, header in said.raw("headers").items()),
        )
        for status, said in operation.responses.items()
    ]  # fmt: skip
    return sorted(found, key=lambda answer: (answer.error, answer.status))


def request(operation: Operation) -> Request:
    """With the example of each required parameter and of the body."""
    path, query, headers = operation.path, dict[str, str](), dict[str, str]()
    for said in parameters(operation):
        if said.place == "path":
            path = path.replace(f"{{{said.name}}}", quote(said.example, safe=""))
        elif said.required and said.place == "query":
            query[said.name] = said.example
        elif said.required and said.place == "header":
            headers[said.name] = said.example
    payload = next(iter(sorted(bodies(operation), key=lambda one: one.media != JSON)), None)
    if payload is not None:
        headers["Content-Type"] = payload.media
    target = f"{path}?{urlencode(query)}" if query else path
    body = payload.text if payload is not None else ""
    return Request(operation.method.upper(), target, headers, body, token=bool(operation.security))


def limits(operation: Operation) -> dict[str, list[str]]:
    """By plan, in words."""
    said = operation.extension("limits") or {}
    return {plan: [limit_in_words(one) for one in listed] for plan, listed in said.items() if isinstance(listed, list)}


def limit_in_words(said: Mapping[str, Any]) -> str:
    name = str(said.get("policy", "limit"))
    if said.get("concurrent"):
        return f"{name}: {said['concurrent']} at once"
    over = f"a {said['period']}" if said.get("period") else f"in {said.get('window', 0)} s"
    return f"{name}: {said.get('quota', 0)} calls {over}"


def rules(schema: Node) -> str:
    """Type and bounds of a schema, in a line."""
    said = _followed(schema)
    if not isinstance(said.value, dict):
        return "anything" if said.value else ""
    return ", ".join(_rules(schema, said))


def _rules(schema: Node, said: Node) -> Iterator[str]:
    kind, name = said.get("type"), (schema.reference or "").rpartition("/")[2]
    choices = [rules(choice) for keyword in ("anyOf", "oneOf") for choice in said.raw(keyword).elements()]
    if name:
        yield name
    elif kind == "array":
        yield f"list of {rules(said.raw('items')) or 'anything'}"
    elif kind:
        yield " or ".join(kind) if isinstance(kind, list) else str(kind)
    elif choices:
        yield " or ".join(choices)
    if said.get("format"):
        yield str(said.get("format"))
    if isinstance(said.get("enum"), list) and not name:
        yield "one of " + " | ".join(map(str, said.get("enum")[:20]))
    for keyword, word in _BOUNDS.items():
        if keyword in said and not name:
            yield f"{word} {said.get(keyword)}"


_BOUNDS = {
    "minimum": "from", "maximum": "to", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than", "minLength": "at least",
    "maxLength": "at most", "minItems": "at least", "maxItems": "at most", "pattern": "matches", "default": "default",
}  # fmt: skip


def _parameter(node: Node) -> Parameter:
    schema = node.raw("schema")
    said = _example(node)
    return Parameter(
        str(node.get("name")), str(node.get("in")), node.get("required") is True or node.get("in") == "path",
        str(node.get("description") or _followed(schema).get("description") or ""), rules(schema),
        said if isinstance(said, str) else json.dumps(said),
    )  # fmt: skip


def _payload(media: str, node: Node, *, required: bool = True) -> Payload:
    name = (node.raw("schema").reference or "").rpartition("/")[2]
    return Payload(media, name, _example(node), required)


def _example(node: Node) -> Any:
    try:
        return example_of(node)
    except Unresolved:
        return None


def _followed(node: Node) -> Node:
    try:
        return node.followed()
    except Unresolved:
        return node
