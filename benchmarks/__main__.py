"""`python -m benchmarks [a] [b] [c] [d] [e] [f] [g]`: all of them without an argument."""

import sys
from collections.abc import Awaitable, Callable, Mapping

import uvloop
from rich.console import Console

from benchmarks import limits, orders, proxied, quotes, requests, scale, start

PARTS: Mapping[str, Callable[[Console], Awaitable[object]]] = {
    "a": requests.measure,
    "b": quotes.measure,
    "c": orders.measure,
    "d": start.measure,
    "e": proxied.measure,
    "f": limits.measure,
    "g": scale.measure,
}


async def measure(parts: list[str], out: Console) -> None:
    for part in parts:
        await PARTS[part](out)


def main() -> None:
    wanted = sys.argv[1:] or list(PARTS)
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        sys.exit(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(PARTS)}")
    uvloop.run(measure(wanted, Console(width=140)))


if __name__ == "__main__":
    main()
