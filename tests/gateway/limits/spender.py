"""One of several processes that spend the same quota as fast as they can; prints how many calls were admitted.

Arguments: the Redis URL, the client, calls to make. Calls that take a lease hold it to the end.
"""

import asyncio
import sys

from gateway.limits.allowance import Allowance
from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import redis_store
from gateway.pipeline import Limit

ALLOWANCE = Allowance(
    "op",
    (
        Limit("monthly", 300, kind="month"), Limit("even", 400, 31_000_000, kind="gcra", burst=400),
        Limit("window", 250, 31_000_000), Limit("parallel", 1000, kind="concurrent"),
    ),
)  # fmt: skip


async def main(url: str, client: str, calls: int) -> None:
    store = redis_store(url, patience=10)
    limiter = Limiter(store, patience=10, waiting=calls)
    charges = await asyncio.gather(*(limiter.spend(client, ALLOWANCE) for _ in range(calls)))
    sys.stdout.write(f"{sum(not charge.refused for charge in charges)} {sum(charge.uncounted for charge in charges)}\n")
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
