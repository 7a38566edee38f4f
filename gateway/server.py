"""uvicorn as the door needs it: a request too broken to parse is answered with a problem too, and its head has an end.

Hand `Protocol` to uvicorn as `http=`. llhttp, under httptools, already refuses what RFC 9112 section 11.2 warns of.
"""

import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.ingress import LARGEST_HEAD, MOST_HEADERS
from kernel.problem import MEDIA_TYPE, BadRequest

_BODY = json.dumps(BadRequest("this is not HTTP as RFC 9112 has it").body()).encode()
_ANSWER = b"".join(
    [
        b"HTTP/1.1 400 Bad Request\r\ncontent-type: ", MEDIA_TYPE.encode(), b"\r\ncontent-length: ", str(len(_BODY)).encode(),
        b"\r\nconnection: close\r\n\r\n", _BODY,
    ]
)  # fmt: skip


class HeadTooLarge(ValueError):
    """Raised inside the parser, which takes it for a broken request."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head = 0

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        # Before the head was complete there is no call to answer; a call under way keeps its own answer.
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_ANSWER)
        self.transport.close()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > 2 * LARGEST_HEAD or len(self.headers or ()) > 2 * MOST_HEADERS:
            raise HeadTooLarge


def options() -> dict[str, Any]:
    """What uvicorn is to be configured with for the door."""
    return {"http": Protocol, "loop": "uvloop", "access_log": False, "server_header": False, "proxy_headers": False}
