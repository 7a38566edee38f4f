"""Runs of five steps a second: `python -m tests.kernel.durable.throughput [database URL] [runs] [in parallel]`."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from kernel.db import Database
from kernel.durable.engine import DbosDurable
from kernel.durable.port import Run, RunState, Start
from tests.kernel.durable.stories import Request, Result


async def story(run: Run, request: Request) -> Result:
    async def call(key: str) -> Result:
        return Result(id=key)

    for n in range(4):
        await run.step(f"system.operation{n}", call, Result)
    return await run.step("system.last", call, Result)


async def measure(url: str, data: Path, runs: int, parallel: int) -> None:
    database = Database(url)
    durable = DbosDurable(database, data)
    durable.register("bench", story, Request, Result)
    await durable.launch()
    stamp = time.time_ns()
    slots = asyncio.Semaphore(parallel)

    async def one(key: str) -> float:
        async with slots:
            begun = time.perf_counter()
            await durable.start("bench", f"{stamp}-{key}", Request(), Start("bench", f"{stamp}-{key}", "print", "corr"))
            ended = await durable.wait(f"bench:{stamp}-{key}", 60)
            assert ended.state is RunState.COMPLETED
            return time.perf_counter() - begun

    alone = sorted([await one(f"alone-{n}") for n in range(41)])
    begun, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(str(n)) for n in range(runs)))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    await durable.close()
    await database.close()
    figures = f"{runs / seconds:.0f} runs/s, {5 * runs / seconds:.0f} steps/s, {1000 * cpu / runs:.1f} ms CPU a run"
    print(f"{database.engine.dialect.name}: {figures}; one at a time p50 {1000 * alone[20]:.1f} ms")  # noqa: T201


def main() -> None:
    url, runs, parallel = [*sys.argv[1:], *["", "400", "8"][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        asyncio.run(measure(url or f"sqlite:///{data / 'trivium.sqlite'}", data, int(runs), int(parallel)))


if __name__ == "__main__":
    main()
