"""(f) A check of limits: CPU in this process and on a Redis that processes share, and how many round trips it takes there."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from statistics import median
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.measure import cpu_per_call
from gateway.limits.allowance import Allowance
from gateway.limits.limiter import Limiter
from gateway.limits.line import Line, Lost, Place, Refused
from gateway.limits.redis_store import redis_store
from gateway.pipeline import Limit

REDIS = os.environ.get("TRIVIUM_TEST_REDIS", "redis://127.0.0.1:6379/9")
PLENTY = 10**9
BURST = Limit("burst", PLENTY, 60)
ONE = Allowance("one", (BURST,))
SEVERAL = Allowance("several", (BURST, Limit("daily", PLENTY, kind="day"), Limit("parallel", 10**6, kind="concurrent")))
ROUNDS, CALLS, TOGETHER = 15, 600, 20
Check = Callable[[], Awaitable[None]]


async def measure(out: Console) -> None:
    table = Table(title=f"A check of limits, µs of CPU, {ROUNDS} rounds of {CALLS}")
    for column in ("where", "one limit", "burst, day and parallel"):
        table.add_column(column)
    table.add_row("in this process", *await _figures(Limiter()))
    try:
        (await Line.open(Place.of(REDIS), lambda _: None)).abort()
    except (OSError, Lost, Refused):
        out.print(table)
        out.print(f"no Redis at {REDIS}: the shared check is not measured")
        return
    store = redis_store(REDIS, patience=5)
    limiter = Limiter(store, patience=5)
    table.add_row("on Redis, one after the other", *await _figures(limiter))
    table.add_row(f"on Redis, {TOGETHER} at once", *await _figures(limiter, TOGETHER))
    out.print(table)
    await store.close()
    out.print(f"round trips of a check of all three: {await _round_trips():.2f}")


async def _figures(limiter: Limiter, together: int = 1) -> list[str]:
    checks = {allowance.operation: partial(_spend, limiter, allowance) for allowance in (ONE, SEVERAL)}
    raced = {name: partial(_repeat, check, together) for name, check in checks.items()}
    found = await cpu_per_call(raced, rounds=ROUNDS, calls=CALLS)
    return [f"{1e6 * median(figures):.1f}" for figures in found.values()]


async def _repeat(check: Check, together: int, calls: int) -> None:
    for _ in range(calls // together):
        if together == 1:
            await check()
        else:
            await asyncio.gather(*[check() for _ in range(together)])


async def _spend(limiter: Limiter, allowance: Allowance) -> None:
    charge = await limiter.spend("bench", allowance) if limiter.shared else limiter.spend_here("bench", allowance)
    if charge.release is not None:
        charge.release()


async def _round_trips() -> float:
    """Counted on the way: what is sent before something comes back is one."""
    parts, trips, answered = urlsplit(REDIS), 0, True

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal trips, answered
        there, onward = await asyncio.open_connection(parts.hostname, parts.port or 6379)

        async def back() -> None:
            nonlocal answered
            while data := await there.read(65_536):
                answered = True
                writer.write(data)

        returning = asyncio.create_task(back())
        while data := await reader.read(65_536):
            trips, answered = trips + answered, False
            onward.write(data)
        returning.cancel()
        onward.close()
        writer.close()

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        store = redis_store(parts._replace(netloc=f"127.0.0.1:{port}").geturl(), patience=5)
        held = [await store.charge("bench", SEVERAL)]
        before = trips
        held += [await store.charge("bench", SEVERAL) for _ in range(CALLS)]
        counted = (trips - before) / CALLS
        for charge in held:
            if charge.release is not None:
                charge.release()
        await store.close()
    return counted
