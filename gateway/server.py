"""uvicorn as the door needs it: a request too broken to parse is answered with a problem too, and its head has an end.

Hand `Protocol` to uvicorn as `http=`. llhttp, under httptools, already refuses what RFC 9112 section 11.2 warns of.
"""

import json
import math
import re
from functools import partial
from http import HTTPStatus
from typing import Any

from gateway.connections import Timed, Watch
from kernel.problem import MEDIA_TYPE, BadRequest, HeadTooLarge, Problem, Shedding, TargetTooLong, TooSlow
from kernel.sections.shedding import Shedding as Settings

# What is held in memory before the door sees a request: more than any setting of the door's own limits allows.
MOST_HEADERS = 256
LARGEST_HEAD = 131_072  # bytes
LINGER = 1.0  # seconds a refused connection is listened to without being heard
_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{0,255}")
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
LARGEST_MESSAGE = 1_048_576  # bytes of one WebSocket message


def _written(problem: Problem) -> bytes:
    body = json.dumps(problem.body()).encode()
    head = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
    head += "".join(f"{name.lower()}: {value}\r\n" for name, value in problem.response_headers().items())
    return f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body


_NOT_HTTP = _written(BadRequest("this is not HTTP as RFC 9112 has it"))
_LONG_TARGET = _written(TargetTooLong(f"the request line is longer than {LARGEST_HEAD} bytes"))
_LARGE_HEAD = _written(HeadTooLarge(f"the headers are more than {MOST_HEADERS} or larger than {LARGEST_HEAD} bytes"))
_TOO_SLOW = _written(TooSlow("the request did not arrive in time"))
_BAD_HOST = _written(BadRequest("Host is sent once, and is a name or an address with or without a port (RFC 9112 section 3.2)"))
_OTHER_VERSION = _written(BadRequest("the versions spoken here are HTTP/1.0 and HTTP/1.1"))
_UPGRADE_WITH_BODY = _written(BadRequest("a request that asks for an upgrade has no body here; leave out one of the two"))
_NO_ROOM = _written(Shedding("too many connections are open", retry_after=2))


class Endless(ValueError):
    """Raised inside the parser, which takes it for a broken request."""


class Protocol(Timed):
    """One connection."""

    too_slow, no_room = _TOO_SLOW, _NO_ROOM
    _in_head = False
    _head = 0  # bytes that came since it began
    _hosts: list[bytes] | None = None  # of the last request: known to be good
    _refusal = _NOT_HTTP
    _refused = False

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._in_head:  # the parser keeps an unfinished header to itself
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self._refusal = _LONG_TARGET if len(self.url) > LARGEST_HEAD // 2 else _LARGE_HEAD
                self.send_400_response("the head never ends")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MOST_HEADERS:
            self._refusal = _LARGE_HEAD
            raise Endless
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._check_head()
        super().on_headers_complete()
        if self.parser.should_upgrade() and not self._should_upgrade():
            self.cycle.keep_alive = False  # the parser hears nothing of what follows

    def _check_head(self) -> None:
        """What llhttp lets pass although it can be read in two ways. Raises Endless."""
        version = self.parser.get_http_version()
        if version != "1.1" and version != "1.0":
            self._refuse(_OTHER_VERSION)
        hosts = [value for name, value in self.headers if name == b"host"]
        if hosts != self._hosts:
            if (len(hosts) != 1 and (hosts or version == "1.1")) or not all(map(_HOST.fullmatch, hosts)):
                self._refuse(_BAD_HOST)
            self._hosts = hosts
        if self.parser.should_upgrade() and any(name in _FRAMING and value != b"0" for name, value in self.headers):
            self._refuse(_UPGRADE_WITH_BODY)  # the parser takes the body for another request

    def _refuse(self, refusal: bytes) -> None:
        self._refusal = refusal
        raise Endless

    def send_400_response(self, msg: str) -> None:
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not cycle.more_body:
            self._refused, cycle.keep_alive = True, False  # what is broken comes after a call, which keeps its own answer
            return
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self._refused = True
            if cycle is not None:  # the call whose body this was has nobody left to answer
                cycle.disconnected = True
                cycle.message_event.set()
            self.transport.write(self._refusal)
            self.transport.write_eof()
            # Closed at once, what is still on its way would be answered with a reset, which takes our answer along.
            self.loop.call_later(LINGER, self.transport.close)
        else:
            self.transport.close()


def options(settings: Settings | None = None) -> dict[str, Any]:
    """What uvicorn is to be configured with for the door."""
    patience = settings or Settings()
    return {
        "http": partial(Protocol, watch=Watch(patience)), "timeout_keep_alive": math.ceil(patience.keep_alive),
        "ws": "websockets-sansio", "ws_max_size": LARGEST_MESSAGE, "ws_per_message_deflate": False,
        "loop": "uvloop", "access_log": False, "server_header": False, "proxy_headers": False,
    }  # fmt: skip
