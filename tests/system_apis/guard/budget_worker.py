"""One process of a deployment: calls through the shared budget and counts, in the database, how many are under way.

Arguments: URL, connection, concurrency, calls, "hold" to take every place and keep it. Prints the most it ever saw.
"""

import asyncio
import sys

import psycopg

from kernel.settings import Budget
from system_apis.guard import SharedBudgets


async def main(url: str, connection: str, concurrency: int, calls: int, hold: bool) -> None:
    shared = SharedBudgets(url)
    budget = shared.budget(connection, Budget(concurrency=concurrency, per_second=10_000, burst=10_000))
    if hold:
        for _ in range(concurrency):
            await budget.enter(10)
        print("holding", flush=True)  # noqa: T201
        await asyncio.Event().wait()
    most = 0
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as gauge:

        async def call() -> None:
            nonlocal most
            place = await budget.enter(60)
            row = await (await gauge.execute("update gauge set now = now + 1 returning now")).fetchone()
            most = max(most, row[0] if row else 0)
            await asyncio.sleep(0.005)
            await gauge.execute("update gauge set now = now - 1")
            budget.leave(place)

        await asyncio.gather(*(call() for _ in range(calls)))
    await shared.close()
    print(most, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), "hold" in sys.argv[5:]))
