"""A share of the calls goes somewhere else: the same client always to the same side, unless each call is asked for."""

import random
from collections.abc import Callable, Mapping
from hashlib import blake2b

from gateway import paths
from gateway.pipeline import Call, Forward, Operation
from kernel.sections.services import Canary

HEADER = b"x-trivium-canary"
_ALL = 2**64
Chosen = Callable[[Call], bool]


def around(rule: Canary, usual: Forward, other: Forward) -> Forward:
    """Whichever it is, the answer to a call that went elsewhere says so, and so does its receipt."""
    chosen, name, told = chosen_by(rule), rule.name, (HEADER, rule.name.encode())

    async def dispatch(call: Call) -> None:
        if not chosen(call):
            await usual(call)
            return
        call.note("canary", name)
        call.response_headers.append(told)
        await other(call)

    return dispatch


def chosen_by(rule: Canary) -> Chosen:
    """Sticky by a hash of canary, client and (if it is named) the value of one header: raising the share moves nobody back."""
    clients, bound, key = frozenset(rule.clients), int(rule.share * _ALL), rule.key.lower().encode()
    by_request = rule.by == "request"

    def chosen(call: Call) -> bool:
        client = call.caller.client
        if client in clients:
            return True
        if by_request:
            return random.random() < rule.share
        if not bound:
            return False
        text = f"{rule.name}\0{client}\0".encode() + (call.headers.get(key, b"") if key else b"")
        return int.from_bytes(blake2b(text, digest_size=8).digest()) < bound

    return chosen


def at_version(other: Operation, forward: Forward) -> Forward:
    """The call as one of another version of the same operation: its path becomes the other one's."""
    parts = other.path[1:].split("/")

    async def dispatch(call: Call) -> None:
        filled = [_filled(part, call.path_params) for part in parts]
        scope = call.scope
        call.scope = {**scope, "path": "/" + "/".join(filled), "raw_path": paths.canonical(filled)}
        try:
            await forward(call)
        finally:
            call.scope = scope

    return dispatch


def _filled(part: str, values: Mapping[str, str]) -> str:
    return values[part[1:-1]] if part.startswith("{") else part
