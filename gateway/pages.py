"""The door's own pages: is it alive, is it ready, and what it measured. None of them needs a token or a contract."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.problem import Unavailable

Check = Callable[[], Awaitable[bool]]
PATIENCE = 1.0  # seconds a readiness check may take


def pages(
    checks: Mapping[str, Check], registry: CollectorRegistry, about: Callable[[], Mapping[str, Any]] | None = None
) -> dict[str, ASGIApp]:
    """By path, as `Door` takes them. A check answers whether its part is ready; one that raises or dawdles is not.

    `about`: what else the readiness page says.
    """
    return {"/health/live": _live, "/health/ready": _ready(checks, about), "/metrics": _metrics(registry)}


async def _live(scope: Scope, receive: Receive, send: Send) -> None:
    await _send(send, b"application/json", b'{"status":"live"}')


def _ready(checks: Mapping[str, Check], about: Callable[[], Mapping[str, Any]] | None) -> ASGIApp:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        found = dict(zip(checks, await asyncio.gather(*map(_passes, checks.values())), strict=True))
        if not all(found.values()):
            failed = ", ".join(sorted(name for name, passes in found.items() if not passes))
            raise Unavailable(f"not ready: {failed}", retry_after=1, checks=found)
        content: dict[str, Any] = {"status": "ready", "checks": found, **(about() if about else {})}
        await _send(send, b"application/json", json.dumps(content).encode())

    return page


async def _passes(check: Check) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check()
    except Exception:
        return False


def _metrics(registry: CollectorRegistry) -> ASGIApp:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await _send(send, CONTENT_TYPE_LATEST.encode(), generate_latest(registry))

    return page


async def _send(send: Send, media: bytes, body: bytes) -> None:
    headers = [(b"content-type", media), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
