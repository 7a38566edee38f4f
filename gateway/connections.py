"""A connection that keeps us waiting is ended: its head, its body and the reading of our answer each have to get on.

uvicorn alone waits for ever for the rest of a head, for a body that does not come, and for a caller that does not read. Nothing
is timed per request: every connection of a server is looked at about once a second. While an application does not want a body,
or has nothing to say, nobody is blamed.
"""

import asyncio
from array import array
from collections import Counter
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kernel.sections.shedding import Shedding

try:
    import fcntl
    import termios
except ImportError:  # Windows has none
    termios = None  # type: ignore[assignment]

SLOWEST = 240  # bytes a second, both ways, on the average of a stall's length
_TRIES = 64


class _Mark(NamedTuple):
    """Since when a connection has been waiting, for what, and how far it was then."""

    what: str
    since: float
    amount: int


def _in_kernel(transport: asyncio.Transport) -> int:
    """Bytes written that the other end has not taken yet: a slow reader empties the kernel's buffer long before ours moves."""
    if termios is None:
        return 0
    size = array("i", [0])
    try:
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, size)
    except OSError:  # not a socket of that kind, or gone
        return 0
    return size[0]


class Watch:
    """The connections of one server. `ended` counts those that were: by head, body or answer, or for want of room."""

    def __init__(self, settings: Shedding) -> None:
        self.head, self.stall, self.keep_alive, self.most = (
            settings.head,
            settings.stall,
            settings.keep_alive,
            settings.connections,
        )
        self.ended: Counter[str] = Counter()
        self._pause = min(1.0, self.head / 4, self.stall / 4)
        self._timer: asyncio.TimerHandle | None = None

    def opened(self, connection: "Timed") -> bool:
        """Whether there is room for it: else the first idle one that is found has to make room."""
        if self._timer is None:
            self._timer = connection.loop.call_later(self._pause, self._look, connection)
        if len(connection.connections) <= self.most:
            return True
        for other, _ in zip(connection.connections, range(_TRIES), strict=False):
            if isinstance(other, Timed) and other is not connection and other.idle:
                other.transport.close()
                return True
        self.ended["room"] += 1
        return False

    def _look(self, one: "Timed") -> None:
        """`one` of the connections leads to all: the server has them in one set."""
        self._timer = None
        now = one.loop.time()
        for connection in tuple(one.connections):
            if isinstance(connection, Timed):
                connection.look(now)
        if one.connections:
            self._timer = one.loop.call_later(self._pause, self._look, one)


class Timed(HttpToolsProtocol):
    """One connection."""

    too_slow = b""  # what is answered to a request that does not arrive
    no_room = b""  # what is answered to a connection too many
    _in_head = False
    _since = _begun = 0.0  # when it began to wait for a request, and when the request began
    _received = 0
    _refused = _drained = False
    _mark = _Mark("", 0.0, 0)

    def __init__(self, *given: Any, watch: Watch, **named: Any) -> None:
        super().__init__(*given, **named)
        self._watch = watch

    @property
    def idle(self) -> bool:
        """Whether it is kept for a further request, of which nothing has come."""
        return self.cycle is not None and bool(self.cycle.response_complete) and not self._in_head

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        if not self._watch.opened(self):
            self._refused = True
            transport.write(self.no_room)
            transport.close()

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._received += len(data)
            super().data_received(data)

    def on_message_begin(self) -> None:
        self._begun = self.loop.time()
        super().on_message_begin()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()

    def resume_writing(self) -> None:
        self._drained = True
        super().resume_writing()

    def look(self, now: float) -> None:
        """Ends the connection if it has been kept waiting for too long."""
        unread = self.transport.get_write_buffer_size()
        if unread:
            self._expect(now, "answer", -unread - _in_kernel(self.transport))
        elif self.transport.is_closing():
            return
        elif self._in_head:
            if now - self._begun > self._watch.head:
                self._end("head")
        elif self.cycle is None or self.cycle.response_complete:
            patience = self._watch.head + (self._watch.keep_alive if self.cycle is not None else 0)
            if now - self._since > patience:  # bytes that begin no request put off the end of idle connections
                self._end("head")
        elif self._wanting:
            self._expect(now, "body", self._received)
        else:
            self._mark = _Mark("", now, 0)

    @property
    def _wanting(self) -> bool:
        """Whether the caller owes us more of its request."""
        cycle = self.cycle
        begun = cycle.response_started or cycle.waiting_for_100_continue or self.flow.read_paused
        return bool(cycle.more_body) and not begun

    def _expect(self, now: float, what: str, amount: int) -> None:
        """Gets on by SLOWEST, or is ended."""
        mark = self._mark
        if mark.what != what or self._drained:
            self._mark, self._drained = _Mark(what, now, amount), False
        elif now - mark.since >= self._watch.stall:
            if amount - mark.amount < SLOWEST * self._watch.stall:
                self._end(what)
            else:
                self._mark = _Mark(what, now, amount)

    def _end(self, what: str) -> None:
        self._watch.ended[what] += 1
        if what == "answer":
            self.transport.abort()
            return
        if self._in_head or what == "body":
            self.transport.write(self.too_slow)
        self.transport.close()
