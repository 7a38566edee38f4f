"""One connection to a Redis, on which many commands are under way at once and are answered in order (RESP2, without arrays).

Commands that are sent in one turn of the event loop are one write. Nothing is sent twice: what became of a command whose answer
is lost is not known.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from gateway.limits.wire import command
from kernel.settings import BadSettings

LARGEST = 1_048_576  # bytes of answers that are not whole yet
_SCHEMES = ("redis", "rediss", "unix")


class Lost(Exception):
    """The connection ended before the answer came."""


class Refused(Exception):
    """Redis says no; its own words."""


class _Owed(NamedTuple):
    since: float
    reply: asyncio.Future[bytes] | None  # None: nobody waits for it
    sent: bytes


@dataclass(frozen=True)
class Place:
    """Where a Redis is, and how it is signed in to."""

    host: str
    port: int
    socket: str = ""  # the path of a Unix socket
    sign_in: tuple[bytes, ...] = field(default=(), repr=False)  # commands
    tls: ssl.SSLContext | None = None

    @classmethod
    def of(cls, url: str) -> "Place":
        """redis://user:password@host:port/number, rediss:// for TLS (?ca=FILE), unix://path?db=number. Raises BadSettings."""
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            path, port = parts.path, parts.port
        except ValueError as error:
            raise BadSettings(f"redis_url: {error}") from None
        if parts.scheme not in _SCHEMES:
            raise BadSettings(f"redis_url: it begins with one of {', '.join(_SCHEMES)} and ://")
        number = query.pop("db", "0") if parts.scheme == "unix" else path.strip("/") or query.pop("db", "0")
        tls = ssl.create_default_context(cafile=query.pop("ca", None)) if parts.scheme == "rediss" else None
        if query or not number.isdigit():
            raise BadSettings("redis_url: after the host comes the number of a database, and ?ca=FILE for rediss alone")
        commands = []
        if parts.password is not None:
            user = [unquote(parts.username).encode()] if parts.username else []
            commands.append(command(b"AUTH", *user, unquote(parts.password).encode()))
        if number != "0":
            commands.append(command(b"SELECT", number.encode()))
        socket = path if parts.scheme == "unix" else ""
        return cls(parts.hostname or "127.0.0.1", port or 6379, socket, tuple(commands), tls)


class Line(asyncio.Protocol):
    """`on_lost` is given the commands that nobody waits for and that were not answered."""

    def __init__(self, on_lost: Callable[[Sequence[bytes]], None]) -> None:
        self._loop, self._on_lost = asyncio.get_running_loop(), on_lost
        self._transport: asyncio.Transport | None = None
        self._owed: deque[_Owed] = deque()
        self._out: list[bytes] = []
        self._buffer = b""
        self.lost = False

    @classmethod
    async def open(cls, place: Place, on_lost: Callable[[Sequence[bytes]], None]) -> "Line":
        """Raises OSError, Lost or Refused."""
        loop, line = asyncio.get_running_loop(), cls(on_lost)
        if place.socket:
            await loop.create_unix_connection(lambda: line, place.socket)
        else:
            await loop.create_connection(lambda: line, place.host, place.port, ssl=place.tls)
        try:
            await asyncio.gather(*[line.ask(each) for each in place.sign_in])
        except BaseException:
            line.abort()
            raise
        return line

    def ask(self, sent: bytes) -> asyncio.Future[bytes]:
        """The answer to come; it may also be Lost or Refused."""
        reply: asyncio.Future[bytes] = self._loop.create_future()
        self._send(_Owed(self._loop.time(), reply, sent))
        return reply

    def tell(self, sent: bytes) -> None:
        """What the answer is does not matter."""
        self._send(_Owed(self._loop.time(), None, sent))

    def overdue(self, seconds: float) -> bool:
        """Whether the oldest answer has been owed for so long."""
        return bool(self._owed) and self._loop.time() - self._owed[0].since >= seconds

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        owed, self._owed = self._owed, deque()
        for each in owed:
            if each.reply is not None and not each.reply.done():
                each.reply.set_exception(Lost())
        self._on_lost([each.sent for each in owed if each.reply is None])

    def data_received(self, data: bytes) -> None:
        buffer, position = self._buffer + data if self._buffer else data, 0
        while (end := buffer.find(b"\r\n", position)) >= 0:
            kind, start, after = buffer[position : position + 1], position + 1, end + 2
            if kind == b"$" and buffer[start:end] != b"-1":
                start, end = after, after + int(buffer[start:end])
                after = end + 2
                if len(buffer) < after:
                    break
            self._answer(kind, buffer[start:end])
            position = after
        self._buffer = buffer[position:]
        if len(self._buffer) > LARGEST:
            self.abort()

    def _send(self, owed: _Owed) -> None:
        self._owed.append(owed)
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(owed.sent)

    def _flush(self) -> None:
        if self._transport is not None and not self.lost:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _answer(self, kind: bytes, value: bytes) -> None:
        if not self._owed or kind not in (b"$", b"+", b"-", b":"):
            self.abort()
            return
        reply = self._owed.popleft().reply
        if reply is None or reply.done():
            return
        if kind == b"-":
            reply.set_exception(Refused(value.decode("utf-8", "replace")))
        else:
            reply.set_result(value)
