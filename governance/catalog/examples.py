"""An example for every schema: the contract's own where it has one, else one that is made from what the schema says."""

import re
from typing import Any

from governance.node import Node, Unresolved

DEEPEST = 6  # levels of objects
_MANY = 1  # elements of an array, where it may be any number
_FORMATS = {
    "date": "2026-01-31", "date-time": "2026-01-31T09:30:00Z", "time": "09:30:00Z", "duration": "PT1H",
    "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "email": "ann@example.com", "uri": "https://example.com/",
    "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
}  # fmt: skip
_TEXTS = (
    "A-1001", "example", "acme", "USD", "US", "12.30", "orders:read", "2026-01-31", "2026-01-31T09:30:00Z", "ann@example.com",
    "https://example.com/", "192.0.2.0/24", "sales/A-1001", "1.0.0", "a", "A", "1", "0",
)  # fmt: skip


def example(schema: Node) -> Any:
    """None where nothing can be made up. Raises Unresolved."""
    return _made(schema, 0)


def example_of(holder: Node) -> Any:
    """Of a parameter, a header or a media type: its own example, else one of its schema."""
    if "example" in holder:
        return holder.get("example")
    for _, said in holder.raw("examples").items():
        return said.followed().get("value")
    return example(holder.raw("schema")) if "schema" in holder else None


def _made(node: Node, depth: int) -> Any:
    said = node.followed()
    if not isinstance(said.value, dict):
        return "example" if said.value is True else None
    own = _said(node) if node.reference is not None else None
    known = own if own is not None else _said(said)
    if known is not None:
        return known[0]
    for keyword in ("oneOf", "anyOf"):
        for choice in said.raw(keyword).elements():
            if choice.followed().get("type") != "null":
                return _made(choice, depth)
    if "allOf" in said:
        return _together(said, depth)
    return _of_type(said, depth)


def _said(node: Node) -> tuple[Any] | None:
    """What the contract itself gives, in a tuple: null is an example too."""
    if "example" in node:
        return (node.get("example"),)
    listed = node.get("examples")
    if isinstance(listed, list) and listed:
        return (listed[0],)
    for keyword in ("const", "default"):
        if keyword in node and node.get(keyword) is not None:
            return (node.get(keyword),)
    values = node.get("enum")
    return (values[0],) if isinstance(values, list) and values else None


def _together(said: Node, depth: int) -> Any:
    parts = [_made(part, depth) for part in said.raw("allOf").elements()]
    objects = [part for part in (*parts, _object(said, depth)) if isinstance(part, dict)]
    if objects:
        return {name: value for part in objects for name, value in part.items()}
    return next((part for part in parts if part is not None), None)


def _of_type(said: Node, depth: int) -> Any:
    kind = said.get("type")
    kind = next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else kind
    match kind:
        case "string":
            return _text(said)
        case "integer" | "number":
            return _number(said, whole=kind == "integer")
        case "boolean":
            return True
        case "array":
            return _array(said, depth)
        case "null":
            return None
        case _:
            return _object(said, depth)


def _object(said: Node, depth: int) -> dict[str, Any]:
    if depth >= DEEPEST:
        return {}
    required = said.get("required") or []
    wanted = [(name, inner) for name, inner in said.raw("properties").items() if name in required or depth < 2]
    return {name: _made(inner, depth + 1) for name, inner in wanted if name in required or _useful(inner)}


def _useful(inner: Node) -> bool:
    """Whether an optional member is worth showing: what may be null is left out."""
    try:
        said = inner.followed()
    except Unresolved:
        return False
    kinds = [choice.get("type") for choice in said.raw("anyOf").elements()]
    return "null" not in kinds and said.get("readOnly") is not True


def _array(said: Node, depth: int) -> list[Any]:
    if depth >= DEEPEST or said.get("maxItems") == 0 or "items" not in said:
        return []
    made = _made(said.raw("items"), depth + 1)
    return [made] * max(_MANY, min(int(said.get("minItems") or 0), 3))


def _number(said: Node, *, whole: bool) -> Any:
    low = said.get("minimum", said.get("exclusiveMinimum", 1))
    found = max(1, low) if isinstance(low, int | float) and not isinstance(low, bool) else 1
    high = said.get("maximum")
    if isinstance(high, int | float) and not isinstance(high, bool):
        found = min(found, high)
    return int(found) if whole else found


def _text(said: Node) -> str:
    if said.get("format") in _FORMATS:
        return _FORMATS[str(said.get("format"))]
    least, most = int(said.get("minLength") or 0), said.get("maxLength")
    for text in _TEXTS:
        if _fits(text, said.get("pattern")) and len(text) >= least and (not isinstance(most, int) or len(text) <= most):
            return text
    return "x" * max(1, least) if said.get("pattern") is None else "…"


def _fits(text: str, pattern: Any) -> bool:
    if not isinstance(pattern, str):
        return True
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True
