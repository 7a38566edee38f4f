"""Where two answers differ: pointers only, never a value, and no member names that look like data."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.inputs import is_json

MOST = 10  # pointers of one comparison
_NAME = re.compile(r"[A-Za-z_][A-Za-z_-]{0,39}")
_WHOLE = object()


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer. `body` None: it was too large to be kept."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes | None

    def header(self, name: bytes) -> bytes | None:
        return next((value for known, value in self.headers if known == name), None)


def differences(real: Seen, shadow: Seen, headers: Sequence[str], ignore: Sequence[str]) -> list[str]:
    """At most MOST of: `status`, `header NAME`, `body`, or RFC 6901 pointers into the bodies if both are JSON.

    `ignore`: pointers below which they may differ; `*` is any one step.
    """
    found = ["status"] if real.status != shadow.status else []
    found += [f"header {name}" for name in headers if real.header(name.encode()) != shadow.header(name.encode())]
    if real.body is not None and shadow.body is not None:
        ignored = [tuple(path.split("/")[1:]) for path in ignore]
        for pointer in _bodies(real, shadow, ignored):
            found.append(pointer)
            if len(found) >= MOST:
                break
    return found[:MOST]


def _bodies(real: Seen, shadow: Seen, ignored: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if real.body == shadow.body:
        return
    ours, theirs = _parsed(real), _parsed(shadow)
    if ours is _WHOLE or theirs is _WHOLE:
        yield "body"
        return
    try:
        for steps in _walk(ours, theirs, (), ignored):
            yield "".join(f"/{_shown(step)}" for step in steps) or "body"
    except RecursionError:
        yield "body"


def _walk(ours: Any, theirs: Any, at: tuple[str, ...], ignored: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    if any(_within(at, path) for path in ignored):
        return
    match ours, theirs:
        case dict(), dict():
            for name in sorted(ours.keys() | theirs.keys()):
                if name in ours and name in theirs:
                    yield from _walk(ours[name], theirs[name], (*at, name), ignored)
                elif not any(_within((*at, name), path) for path in ignored):
                    yield (*at, name)
        case list(), list() if len(ours) == len(theirs):
            for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
                yield from _walk(one, other, (*at, str(number)), ignored)
        case _:
            if type(ours) is not type(theirs) or ours != theirs:
                yield at


def _within(at: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(at) >= len(path) and all(wanted in ("*", step) for step, wanted in zip(at, path, strict=False))


def _parsed(seen: Seen) -> Any:
    media = (seen.header(b"content-type") or b"").decode("latin-1").lower()
    try:
        return json.loads(seen.body or b"") if is_json(media) else _WHOLE
    except (ValueError, RecursionError):
        return _WHOLE


def _shown(step: str) -> str:
    return step if (step.isdecimal() and len(step) < 6) or _NAME.fullmatch(step) else "*"
