"""A share of the calls is repeated to a shadow, beside the real ones: its answers are compared, counted and thrown away.

What is repeated waits in a line that has an end; a shadow that is slow, dead or wrong costs the real call nothing but the copy.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.types import Message, Send

from gateway.pipeline import Call, Forward, Operation
from gateway.services.compare import Seen, differences
from gateway.upstreams.cluster import Cluster
from gateway.upstreams.exchange import Request
from gateway.upstreams.failures import Failure
from gateway.upstreams.headers import Passing
from gateway.upstreams.target import Proof
from gateway.upstreams.tunnel import SOCKET
from kernel.clock import Clock
from kernel.problem import Problem
from kernel.sections.services import Mirror as Rule

SAFE = frozenset({"GET", "HEAD"})
KEPT = 20  # differing answers of which the pointers are kept


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the shadow answered otherwise."""

    operation: str
    at: datetime
    real_status: int
    shadow_status: int
    pointers: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Copied:
    operation: str
    request: Request
    real: Seen


class Mirror:
    """One entry of `[[mirrors]]`. Outcomes: same, different, failed, skipped (it cannot be repeated), dropped (no room)."""

    def __init__(self, rule: Rule, cluster: Cluster, passing: Passing, proof: Proof | None, clock: Clock) -> None:
        self.rule, self.cluster = rule, cluster
        self._passing, self._proof, self._clock = passing, proof, clock
        self._line: asyncio.Queue[_Copied] = asyncio.Queue(rule.queue)
        self.counts: Counter[tuple[str, str]] = Counter()  # (operation, outcome)
        self.latest: deque[Difference] = deque(maxlen=KEPT)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self.rule.at_once)]

    async def stop(self) -> None:
        """What waits in line is given up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cluster.close()

    def around(self, operation: Operation, forward: Forward) -> Forward:
        """`forward`, with the share of its calls repeated."""
        share, name, largest = self.rule.share, operation.id, self.rule.largest

        async def dispatch(call: Call) -> None:
            if SOCKET in call.scope or (share < 1.0 and random.random() >= share):
                await forward(call)
                return
            request = await self._request(call)
            if request is None:
                self.counts[name, "skipped"] += 1
                await forward(call)
                return
            copy = _Copy(call.send, largest)
            call.send = copy.send
            try:
                await forward(call)
            except Problem as problem:
                copy.status, copy.refused = problem.status, True
                raise
            finally:
                call.send = copy.inner
                self._offer(name, request, copy)

        return dispatch

    async def _request(self, call: Call) -> Request | None:
        """None for a call that cannot be repeated: a body that streams, or one that is too large to be kept."""
        body = call.body or b""
        streams = call.body is None and (
            b"transfer-encoding" in call.headers or call.headers.get(b"content-length", b"0") != b"0"
        )
        if streams or len(body) > self.rule.largest:
            return None
        target = call.scope["raw_path"][len(self._passing.prefix) :] or b"/"
        query = call.scope["query_string"]
        headers = self._passing.outgoing(call)
        if self._proof is not None:
            headers += await self._proof(call)
        if body:
            headers.append((b"content-length", str(len(body)).encode()))
        return Request(call.scope["method"], target + b"?" + query if query else target, headers, body=body)

    def _offer(self, name: str, request: Request, copy: "_Copy") -> None:
        if not copy.status:
            return
        try:
            self._line.put_nowait(_Copied(name, request, copy.seen()))
        except asyncio.QueueFull:
            self.counts[name, "dropped"] += 1

    async def _work(self) -> None:
        while True:
            copied = await self._line.get()
            try:
                shadow = await self._answer(copied.request)
            except (Problem, Failure, TimeoutError):
                self.counts[copied.operation, "failed"] += 1
            else:
                self._judge(copied, shadow)

    async def _answer(self, request: Request) -> Seen:
        async with asyncio.timeout(self.rule.timeout):
            begun = await self.cluster.exchange(request, self.rule.timeout)
            try:
                body = b""
                while chunk := await begun.read():
                    body += chunk
                    if len(body) > self.rule.largest:
                        return Seen(begun.head.status, begun.head.headers, None)
                return Seen(begun.head.status, begun.head.headers, body)
            finally:
                begun.end()

    def _judge(self, copied: _Copied, shadow: Seen) -> None:
        headers = [name.lower() for name in self.rule.headers]
        found = differences(copied.real, shadow, headers, self.rule.ignore)
        self.counts[copied.operation, "different" if found else "same"] += 1
        if found:
            statuses = copied.real.status, shadow.status
            self.latest.append(Difference(copied.operation, self._clock.now(), *statuses, tuple(found)))

    def by_operation(self) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for (operation, outcome), count in sorted(self.counts.items()):
            found.setdefault(operation, {})[outcome] = count
        return found


class _Copy:
    """Lets an answer pass and keeps it, as long as it is small."""

    __slots__ = ("_chunks", "_headers", "_left", "inner", "refused", "status")

    def __init__(self, send: Send, largest: int) -> None:
        self.inner, self._left = send, largest
        self._chunks: list[bytes] | None = []
        self._headers: Sequence[tuple[bytes, bytes]] = ()
        self.status, self.refused = 0, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self._headers = message["status"], message.get("headers", ())
        elif self._chunks is not None and message.get("body"):
            self._left -= len(message["body"])
            if self._left >= 0:
                self._chunks.append(message["body"])
            else:
                self._chunks = None
        await self.inner(message)

    def seen(self) -> Seen:
        whole = self._chunks is not None and not self.refused
        return Seen(self.status, self._headers, b"".join(self._chunks or ()) if whole else None)
