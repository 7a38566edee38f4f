"""Connections to one address: so many at once, callers in a line that has an end, idle ones kept only for a while."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from gateway.upstreams.connection import Connection
from gateway.upstreams.failures import Full

Connect = Callable[[], Awaitable[Connection]]


class Pool:
    """`most` open at once, `waiting` callers in line, `keep` seconds idle. Whoever waits has a deadline of its own."""

    def __init__(self, connect: Connect, *, most: int, waiting: int, keep: float) -> None:
        self._connect, self._most, self._waiting, self._keep = connect, most, waiting, keep
        self._idle: deque[Connection] = deque()  # the one used last is the last one
        self._line: deque[asyncio.Future[Connection | None]] = deque()
        self._open, self._closed = 0, False
        self._sweeping: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        return self._open

    async def take(self) -> Connection:
        """Raises Unreachable, or Full when the line is as long as it may be."""
        oldest = asyncio.get_running_loop().time() - self._keep
        while self._idle:
            connection = self._idle.pop()
            if connection.fit and connection.idle_since >= oldest:
                return connection
            self._drop(connection)
        if self._open >= self._most:
            handed = await self._turn()
            if handed is not None:
                return handed
        else:
            self._open += 1
        return await self._opened()

    def give(self, connection: Connection) -> None:
        """Back after an exchange: to the next in line, or aside; one that is not fit is closed."""
        if not connection.fit or self._closed:
            self._drop(connection)
        elif not self._hand(connection):
            loop = asyncio.get_running_loop()
            connection.idle_since = loop.time()
            self._idle.append(connection)
            if self._sweeping is None:
                self._sweeping = loop.call_later(self._keep, self._sweep)

    def close(self) -> None:
        """Idle ones now, the others when they come back."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        while self._idle:
            self._drop(self._idle.pop())

    async def _opened(self) -> Connection:
        try:
            return await self._connect()
        except BaseException:
            self._vacate()
            raise

    async def _turn(self) -> Connection | None:
        if len(self._line) >= self._waiting:
            raise Full(f"{self._most} connections are taken and {self._waiting} calls wait for one")
        place: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            return await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was served in the same moment
                handed = place.result()
                self._vacate() if handed is None else self.give(handed)
            elif place in self._line:
                self._line.remove(place)
            raise

    def _hand(self, connection: Connection | None) -> bool:
        """To the next in line; None: the place of a connection, to open one."""
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_result(connection)
                return True
        return False

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._vacate()

    def _vacate(self) -> None:
        if not self._hand(None):
            self._open -= 1

    def _sweep(self) -> None:
        self._sweeping = None
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._keep
        while self._idle and (not self._idle[0].fit or self._idle[0].idle_since <= oldest):
            self._drop(self._idle.popleft())
        if self._idle:
            self._sweeping = loop.call_at(self._idle[0].idle_since + self._keep, self._sweep)
