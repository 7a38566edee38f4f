"""A WebSocket's handshake goes through the door as the GET it is; what the chain answers, it is answered with.

A 101 accepts it, anything else is the answer to the handshake (the ASGI extension `websocket.http.response`).
"""

import asyncio

from starlette.types import Message, Receive, Scope, Send

from gateway.upstreams.tunnel import SOCKET, Socket

_SCHEMES = {"ws": "http", "wss": "https"}
_NOT_FOR_SOCKETS = frozenset({b"cache-control", b"content-length", b"x-content-type-options"})


def handshake(scope: Scope, receive: Receive, send: Send) -> tuple[Scope, Receive, Send]:
    """The same as an HTTP request; the socket itself is in its scope, for whoever can take it."""
    scheme = str(scope.get("scheme", "ws"))
    asked: Scope = {
        **scope,
        "type": "http",
        "method": "GET",
        "scheme": _SCHEMES.get(scheme, scheme),
        SOCKET: Socket(scope, receive, send),
    }
    return asked, _Empty().receive, _Reply(scope, send).send


class _Empty:
    """No body, and a caller who stays."""

    def __init__(self) -> None:
        self._given = False

    async def receive(self) -> Message:
        if self._given:
            await asyncio.Event().wait()
        self._given = True
        return {"type": "http.request", "body": b"", "more_body": False}


class _Reply:
    def __init__(self, scope: Scope, send: Send) -> None:
        self._send, self._accepted = send, False
        self._tells = "websocket.http.response" in scope.get("extensions", {})

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 101:
            self._accepted = True
            await self._send(_acceptance(message))
        elif self._accepted:
            return
        elif self._tells:
            await self._send({**message, "type": f"websocket.{message['type']}"})
        elif message["type"] == "http.response.start":
            await self._send({"type": "websocket.close", "code": 1008, "reason": f"refused ({message['status']})"})


def _acceptance(message: Message) -> Message:
    headers = [header for header in message["headers"] if header[0] not in _NOT_FOR_SOCKETS]
    chosen = [value.decode("ascii") for name, value in headers if name == b"sec-websocket-protocol"]
    rest = [header for header in headers if header[0] != b"sec-websocket-protocol"]
    return {"type": "websocket.accept", "subprotocol": chosen[0] if chosen else None, "headers": rest}
