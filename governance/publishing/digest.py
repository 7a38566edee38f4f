"""The digest of a promise: of what it says, not of how it is written, nor of how far it is in its life."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

LIFE = "x-trivium-lifecycle"


def canonical(document: Any) -> bytes:
    """JSON with sorted keys and no space, as RFC 8785 has it for what contracts hold."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def promised(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without its stage and sunset: a promise stays the same while it grows old."""
    info = document.get("info")
    if not isinstance(info, dict):
        return dict(document)
    return {**document, "info": {name: value for name, value in info.items() if name != LIFE}}


def digest(document: Mapping[str, Any]) -> str:
    """`sha-256=:…:`, a member of a structured field as RFC 9530 has it."""
    hashed = hashlib.sha256(canonical(promised(document))).digest()
    return f"sha-256=:{base64.b64encode(hashed).decode()}:"
