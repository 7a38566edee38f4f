"""JSON as Stripe writes it, with decimal numbers written digit for digit."""

import json
import re
from decimal import Decimal
from typing import Any, TypeAlias

Wire: TypeAlias = dict[str, Any]

# `json` cannot write a Decimal as a number, so it goes through text that no stored value can contain: NUL is refused in requests.
_MARKED = re.compile(r'"\\u0000(-?[0-9.]+)\\u0000"')


def encode(body: Any) -> bytes:
    text = json.dumps(body, default=_mark, ensure_ascii=True, separators=(",", ":"))
    return (_MARKED.sub(r"\1", text) if "\\u0000" in text else text).encode("ascii")


def _mark(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"\0{value.normalize():f}\0"
    raise TypeError(f"not for the wire: {type(value).__name__}")


def snapshot(value: Any) -> Any:
    """A deep copy of plain JSON data, several times faster than copy.deepcopy."""
    if isinstance(value, dict):
        return {k: snapshot(v) if isinstance(v, (dict, list)) else v for k, v in value.items()}
    if isinstance(value, list):
        return [snapshot(v) if isinstance(v, (dict, list)) else v for v in value]
    return value


def listing(url: str, data: list[Wire], has_more: bool = False) -> Wire:
    """The envelope of a list, at the top or inside an object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
