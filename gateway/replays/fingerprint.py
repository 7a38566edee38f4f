"""Two calls are the same when they ask for the same thing, however their JSON is written down."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any, NoReturn

from gateway.inputs import is_json
from gateway.pipeline import Call, Caller

_NUMBER = "\ud800"  # half a surrogate pair: in no body that is Unicode


def identity(caller: Caller, operation: str, key: bytes) -> str:
    """Of what may be asked once: nobody finds anything under the key of somebody else. In quotes or bare it is the same key."""
    whose = (caller.issuer, caller.partner, caller.client, caller.subject)
    return sha256(json.dumps([*whose, operation, key.strip(b'"').decode("latin-1")]).encode()).hexdigest()


def fingerprint(call: Call, body: bytes) -> str:
    """Method, target, media type and body. Of JSON neither white space nor the order of members counts."""
    essence = call.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    scope = call.scope
    parts = (scope["method"].encode(), scope["raw_path"], scope["query_string"], essence.encode("latin-1"))
    whole = sha256(b"\0".join(parts) + b"\0")
    whole.update(_canonical(body) if body and is_json(essence) else body)
    return whole.hexdigest()


def _canonical(body: bytes) -> bytes:
    """Members in order, nothing between them; whatever is not unambiguous JSON stays as it is."""
    try:
        value = _DECODER.decode(body.decode("utf-8"))
        return b"json:" + json.dumps(value, sort_keys=True, separators=(",", ":"), default=_number).encode("ascii")
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return b"raw:" + body


def _number(value: Decimal) -> dict[str, str]:
    return {_NUMBER: str(value)}


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs) or _NUMBER in members:
        raise ValueError
    return members


def _constant(_: str) -> NoReturn:
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant, parse_float=Decimal)
