"""(a) once more with a server: CPU per request of the serving process, asked by this one over kept-alive connections."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from benchmarks.asgi import Unexpected
from benchmarks.door import Contestants
from benchmarks.processes import ROOT
from benchmarks.served import CPU
from kernel import http

NAMES = ("bare", "governed", "peer")
ROUNDS, CALLS, IN_FLIGHT = 9, 400, 8


@dataclass(frozen=True)
class Served:
    """A contestant in its process."""

    client: httpx.AsyncClient
    token: str

    async def cpu_of(self, name: str, calls: int) -> float:
        """Seconds of the server's CPU per call of this request."""
        request = Contestants(None, None, None, self.token).requests()[name]  # type: ignore[arg-type]
        headers = {**request.headers, **({"Content-Type": "application/json"} if request.body else {})}
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def one() -> None:
            async with slots:
                answer = await self.client.request(request.method, request.path, headers=headers, content=request.body)
            if answer.status_code != request.expect:
                raise Unexpected(f"{request.path} answered {answer.status_code}: {answer.text[:500]}")

        before = await self._used()
        await asyncio.gather(*(one() for _ in range(calls)))
        return (await self._used() - before) / calls

    async def _used(self) -> float:
        return float((await self.client.get(CPU)).json())


async def measure(rounds: int = ROUNDS, calls: int = CALLS) -> dict[str, dict[str, list[float]]]:
    """Seconds per call and round: request → contestant → figures. The first round is not counted."""
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(_served(name)) for name in NAMES}
        found = {request: {name: list[float]() for name in NAMES} for request in ("read", "write")}
        for number in range(rounds + 1):
            for request, figures in found.items():
                for name, server in servers.items():
                    seconds = await server.cpu_of(request, calls)
                    if number:
                        figures[name].append(seconds)
    return found


@asynccontextmanager
async def _served(name: str) -> AsyncIterator[Served]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.served", name, cwd=ROOT, stdin=pipe, stdout=pipe
    )
    try:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the process has no pipes")
        said = json.loads(await process.stdout.readline())
        async with http.client(f"http://127.0.0.1:{said['port']}", timeout=30) as client:
            yield Served(client, said["token"])
        process.stdin.close()
    finally:
        if process.returncode is None and process.stdin is not None:
            process.stdin.close()
        await process.wait()
