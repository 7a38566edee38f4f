"""The body of an answer on its way to the caller: no faster than the caller takes it, no longer than somebody waits for it."""

import asyncio

from gateway.deadline import Deadline
from gateway.pipeline import Call
from gateway.upstreams.exchange import Exchange
from gateway.upstreams.failures import LeaseEnded
from gateway.upstreams.lease import Lease


async def stream(call: Call, begun: Exchange, *, stall: float) -> None:
    """Everything but the end. `stall`: seconds for the next bytes to arrive, and for the caller to take them.

    Raises Failure or TimeoutError when the answer is cut short, CallerLeft when nobody waits for it any more.
    """
    watch: asyncio.Task[None] | None = None
    try:
        while True:
            if not begun.at_hand:
                watch = watch or asyncio.create_task(begun.watch(call.receive))
            with Deadline(stall):
                chunk = await begun.read()
                if not chunk:
                    return
                await call.send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        if watch is not None:
            watch.cancel()


async def stream_events(call: Call, begun: Exchange, lease: Lease, *, stall: float) -> None:
    """The same for text/event-stream: it may be silent for long, but ends with its token (readers come again with a new one)."""

    async def until_due() -> None:
        await lease.end(call)
        begun.stop(LeaseEnded("the token it was opened with"))

    tasks = [asyncio.create_task(begun.watch(call.receive)), asyncio.create_task(until_due())]
    try:
        while chunk := await begun.read():
            with Deadline(stall):
                await call.send({"type": "http.response.body", "body": chunk, "more_body": True})
    except LeaseEnded:
        return
    finally:
        for task in tasks:
            task.cancel()
