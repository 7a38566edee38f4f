"""Lifecycle: a version that goes says when and what follows it; one that is gone says that and nothing else, whoever asks.

Deprecation is RFC 9745, Sunset RFC 8594, the link relations are theirs and RFC 5829's.
"""

from datetime import UTC
from email.utils import format_datetime

from gateway.contracts import BadContract
from gateway.lifecycle import BadLifecycle, Lifecycle
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from kernel.clock import Clock
from kernel.problem import Gone

EXTENSION = "x-trivium-lifecycle"
Headers = list[tuple[bytes, bytes]]


def announce_lifecycle(clock: Clock) -> Factory:
    known: dict[str, Lifecycle] = {}  # by operation; methods that are not promised come through a chain of the door's own

    def build(operation: Operation) -> Policy | None:
        if operation.layer == "door":
            return aside
        lifecycle = _lifecycle(operation)
        known[operation.id] = lifecycle
        return _telling(lifecycle, clock) if lifecycle.announces else None

    async def aside(call: Call, forward: Forward) -> None:
        lifecycle = known.get(call.operation.id)
        if lifecycle is not None and lifecycle.is_over(clock.now()):
            raise gone(lifecycle)
        await forward(call)

    return build


def _telling(lifecycle: Lifecycle, clock: Clock) -> Policy:
    headers = announcement(lifecycle)

    async def policy(call: Call, forward: Forward) -> None:
        if lifecycle.is_over(clock.now()):
            raise gone(lifecycle)
        call.response_headers += headers
        await forward(call)

    return policy


def announcement(lifecycle: Lifecycle) -> Headers:
    """What every answer of a version that goes carries."""
    headers: Headers = []
    if lifecycle.deprecated is not None:
        headers.append((b"deprecation", f"@{int(lifecycle.deprecated.timestamp())}".encode()))  # RFC 9651 section 3.3.7
    if lifecycle.sunset is not None:
        headers.append((b"sunset", format_datetime(lifecycle.sunset.replace(microsecond=0), usegmt=True).encode()))
    links = _links(lifecycle)
    return [*headers, (b"link", links.encode())] if links else headers


def _links(lifecycle: Lifecycle) -> str:
    links = [f'<{lifecycle.successor}>; rel="successor-version"'] if lifecycle.successor else []
    if lifecycle.documentation:
        relations = [("deprecation", lifecycle.deprecated), ("sunset", lifecycle.sunset)]
        links += [f'<{lifecycle.documentation}>; rel="{relation}"; type="text/html"' for relation, told in relations if told]
    return ", ".join(links)


def gone(lifecycle: Lifecycle) -> Gone:
    when = f" on {lifecycle.sunset.astimezone(UTC):%Y-%m-%d}" if lifecycle.sunset is not None else ""
    fix = f"use {lifecycle.successor}" if lifecycle.successor else "there is no successor; ask the API's owner"
    headers = {name.decode().title(): value.decode() for name, value in announcement(lifecycle)}
    return Gone(f"this version was retired{when}", fix=fix, successor=lifecycle.successor or None, headers=headers)


def _lifecycle(operation: Operation) -> Lifecycle:
    try:
        return Lifecycle.of(operation.extensions.get(EXTENSION, operation.lifecycle))
    except BadLifecycle as error:
        raise BadContract(f"{operation.method} {operation.path}: {EXTENSION}: {error}") from None
