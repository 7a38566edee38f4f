"""A vendor that remembers what it did under which key, and the shapes the test stories are told in."""

from collections import Counter
from collections.abc import Awaitable, Callable

from pydantic import BaseModel

from kernel.durable.port import Run


class Request(BaseModel):
    quote: str = "Q-1"


class Result(BaseModel):
    id: str


class Vendor:
    """Fails as told, then answers; counts the calls under each idempotency key."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls: list[str] = []

    def makes(self, what: str) -> Callable[[str], Awaitable[Result]]:
        async def make(key: str) -> Result:
            self.calls.append(key)
            if self.failures:
                raise self.failures.pop(0)
            return Result(id=what)

        return make

    async def unmake(self, made: Result, key: str) -> None:
        self.calls.append(key)
        if self.failures:
            raise self.failures.pop(0)

    @property
    def times(self) -> Counter[str]:
        return Counter(self.calls)


def order(vendor: Vendor, *names: str) -> Callable[[Run, Request], Awaitable[Result]]:
    """One step per name, each with its undo; the result is what the last one made."""

    async def story(run: Run, request: Request) -> Result:
        made = Result(id=request.quote)
        for name in names:
            made = await run.step(name, vendor.makes(f"{name} of {request.quote}"), Result, undo=vendor.unmake)
        return made

    return story
