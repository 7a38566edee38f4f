"""Faults on demand: what goes wrong with a platform, switched on through its control endpoint.

A fault matches requests by method and path; it fires for its next `count` matches (None: until cleared), each with
`probability`. What a platform answers for a refusal is its own business: its imitation renders the response.
"""

import asyncio
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal[
    "latency",  # answer `seconds` later
    "timeout",  # never answer, never act
    "reply_lost",  # act, then cut the connection before a byte of the answer
    "rate_limited",  # the vendor's own limit error
    "server_error",  # the vendor's own 500, nothing done
    "locked_record",  # the vendor's own "someone else has this record"
    "closed_period",  # the ERP's own refusal of a date in a closed period
    "duplicate_events",  # every event is delivered twice
    "reorder_events",  # events are delivered newest first
]
KINDS: tuple[str, ...] = get_args(Kind)
EVENT_FAULTS = frozenset({"duplicate_events", "reorder_events"})

# Renders the vendor's own refusal for a fault; None where the vendor knows no such refusal.
Refusal = Callable[[Kind, Request], Response | None]


@dataclass
class Fault:
    """One fault that is switched on, and how often it may still fire."""

    kind: Kind
    method: str = "*"
    path: str = ".*"
    count: int | None = 1
    probability: float = 1.0
    seconds: float = 0.1

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and re.search(self.path, path) is not None

    def fires(self, chance: random.Random) -> bool:
        """Spends one shot if the dice and the remaining count allow it."""
        if self.count == 0 or chance.random() >= self.probability:
            return False
        if self.count is not None:
            self.count -= 1
        return True


@dataclass
class Faults:
    """The faults of one platform that are switched on now; the dice are seeded, so a run can be repeated."""

    seed: int = 0
    active: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def add(self, fault: Fault) -> None:
        self.active.append(fault)

    def clear(self) -> None:
        self.active.clear()

    def firing(self, method: str, path: str) -> list[Fault]:
        """The request faults that hit this request, each having spent one shot."""
        hits = [f for f in self.active if f.kind not in EVENT_FAULTS and f.matches(method, path) and f.fires(self.chance)]
        self.active = [f for f in self.active if f.count != 0]
        return hits

    def event_fault(self, kind: Literal["duplicate_events", "reorder_events"]) -> bool:
        """Whether the next delivery suffers this; spends one shot."""
        fires = any(f.kind == kind and f.fires(self.chance) for f in self.active)
        self.active = [f for f in self.active if f.count != 0]
        return fires


class FaultyPlatform:
    """ASGI wrapper, outermost: lets the switched-on faults happen to the vendor's application."""

    def __init__(self, app: ASGIApp, faults: Faults, refusal: Refusal) -> None:
        self.app, self.faults, self.refusal = app, faults, refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/__sandbox__"):
            await self.app(scope, receive, send)
            return
        lose_reply = False
        for fault in self.faults.firing(scope["method"], scope["path"]):
            match fault.kind:
                case "latency":
                    await asyncio.sleep(fault.seconds)
                case "timeout":
                    await until_disconnected(receive)
                    return
                case "reply_lost":
                    lose_reply = True
                case kind:
                    response = self.refusal(kind, Request(scope, receive))
                    if response is not None:
                        await response(scope, receive, send)
                        return
        if lose_reply:
            await self.app(scope, receive, swallow)
            cut_connection(send)
            return
        await self.app(scope, receive, send)


async def until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def swallow(message: Message) -> None:
    """Takes an answer that nobody will see."""


def cut_connection(send: Send) -> None:
    """Resets the TCP connection. ASGI has no word for it, so this reaches for uvicorn's transport behind `send`."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("reply lost after the effect")
    transport.abort()
