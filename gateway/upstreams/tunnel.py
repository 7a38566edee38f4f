"""A WebSocket passes through: opened once the whole chain of its GET operation agreed, closed with the code the other end gave.

Messages pass one at a time in each direction, so neither end is read faster than the other one writes.
"""

import asyncio
from dataclasses import dataclass

from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from gateway.answers import named, send_body, told
from gateway.pipeline import Call
from gateway.upstreams.cluster import Cluster
from gateway.upstreams.endpoint import Endpoint
from gateway.upstreams.exchange import Request
from gateway.upstreams.lease import Lease
from kernel.problem import BadPlatformAnswer, PlatformDown, PlatformTimeout
from kernel.sections.services import WebSockets

SOCKET = "trivium.websocket"  # where a call's scope has its Socket
PING = 20.0  # seconds between pings to the upstream, and for each pong; the server does the same towards the caller
GOING_AWAY, POLICY, BAD_GATEWAY = 1001, 1008, 1014  # RFC 6455 section 7.4.1, and the registry
_NEVER_SENT = frozenset({1005, 1006, 1015})


@dataclass(frozen=True, slots=True)
class Socket:
    """The server's side of it, not accepted yet."""

    scope: Scope
    receive: Receive
    send: Send


class _Connect(connect):
    """Where an upstream sends us elsewhere, we do not go."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Tunnels:
    """To the upstreams of one cluster."""

    def __init__(self, cluster: Cluster, rule: WebSockets | None = None, lease: Lease | None = None) -> None:
        self._cluster, self._rule, self._lease = cluster, rule or WebSockets(), lease or Lease()

    async def open(self, call: Call, request: Request, seconds: float) -> None:
        """`seconds`: for the upstream to accept. Raises a Problem when it does not."""
        socket: Socket = call.scope[SOCKET]
        endpoint = self._cluster.choose()
        try:
            upstream = await self._connected(endpoint, request, socket, seconds)
        except InvalidStatus as refusal:
            endpoint.condition.succeeded()
            status = refusal.response.status_code
            if status < 400:
                raise self._odd(f"it answered {status} to a handshake") from None
            await send_body(call.send, status, named(told(status, self._cluster.name), call), [])
            return
        call.note("upstream", endpoint.address.authority)
        endpoint.under_way += 1
        try:
            chosen = [(b"sec-websocket-protocol", upstream.subprotocol.encode())] if upstream.subprotocol else []
            await call.send({"type": "http.response.start", "status": 101, "headers": chosen})
            await _Session(call, socket, upstream, self._rule.idle, self._lease).run()
            await call.send({"type": "http.response.body", "body": b""})
        finally:
            endpoint.under_way -= 1
            upstream.transport.abort()

    async def _connected(self, endpoint: Endpoint, request: Request, socket: Socket, seconds: float) -> ClientConnection:
        name, address = self._cluster.name, endpoint.address
        scheme = {"http": "ws", "https": "wss"}[address.scheme]
        host = (request.host or endpoint.host).decode("ascii")
        endpoint.condition.begin()
        try:
            connection = await _Connect(
                f"{scheme}://{host}{address.path}{request.target.decode('ascii')}",
                host=address.host, port=address.port, proxy=None, compression=None, user_agent_header=None,
                subprotocols=[Subprotocol(each) for each in socket.scope.get("subprotocols", ())] or None,
                additional_headers=[(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers],
                open_timeout=seconds, close_timeout=2.0, ping_interval=PING, ping_timeout=PING, max_size=self._rule.largest,
            )  # fmt: skip
        except InvalidStatus:
            raise
        except (TimeoutError, OSError, EOFError, InvalidHandshake) as error:
            self._cluster.failed(endpoint)
            if isinstance(error, TimeoutError):
                raise PlatformTimeout(f"{name} did not accept within {seconds:g} s", system=name) from None
            if isinstance(error, InvalidHandshake):
                raise self._odd(type(error).__name__) from None
            raise PlatformDown(f"{name} cannot be reached", system=name) from None
        except BaseException:
            endpoint.condition.abandoned()
            raise
        endpoint.condition.succeeded()
        return connection

    def _odd(self, why: str) -> BadPlatformAnswer:
        return BadPlatformAnswer(f"{self._cluster.name} did not open a WebSocket: {why}", system=self._cluster.name)


class _Session:
    """One open WebSocket in both directions."""

    def __init__(self, call: Call, socket: Socket, upstream: ClientConnection, idle: float, lease: Lease) -> None:
        self._call, self._socket, self._upstream, self._idle, self._lease = call, socket, upstream, idle, lease
        self._heard_at = asyncio.get_running_loop().time()

    async def run(self) -> None:
        steps = (self._from_caller(), self._from_upstream(), self._until_idle(), self._until_due())
        tasks = [asyncio.create_task(step) for step in steps]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except OSError:  # the caller is gone, the server says
            await self._upstream.close(GOING_AWAY)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _from_caller(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                await self._upstream.close(_sendable(message.get("code", 1005), 1000), message.get("reason") or "")
                return
            if message["type"] == "websocket.receive":
                self._heard()
                try:
                    await self._upstream.send(_content(message))
                except ConnectionClosed:  # the other direction says why
                    await asyncio.Event().wait()

    async def _from_upstream(self) -> None:
        try:
            while True:
                content = await self._upstream.recv()
                self._heard()
                kind = "text" if isinstance(content, str) else "bytes"
                await self._socket.send({"type": "websocket.send", kind: content})
        except ConnectionClosed as closed:
            ended = closed.rcvd or closed.sent
            await self._close(_sendable(ended.code if ended else 1006, BAD_GATEWAY), closed.rcvd.reason if closed.rcvd else "")

    async def _until_idle(self) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._heard_at + self._idle - loop.time()) > 0:  # noqa: ASYNC110 - every message moves it
            await asyncio.sleep(left)
        await self._close(GOING_AWAY, f"nothing was said for {self._idle:g} s")

    async def _until_due(self) -> None:
        await self._lease.end(self._call)
        await self._close(POLICY, "the token it was opened with is no longer good")

    async def _close(self, code: int, reason: str) -> None:
        await self._socket.send({"type": "websocket.close", "code": code, "reason": reason})
        await self._upstream.close(GOING_AWAY)

    def _heard(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()


def _content(message: Message) -> str | bytes:
    content: str | bytes | None = message.get("text")
    return message.get("bytes", b"") if content is None else content


def _sendable(code: int, otherwise: int) -> int:
    """RFC 6455 section 7.4.1: some codes only say what happened here."""
    return 1000 if code == 1005 else otherwise if code in _NEVER_SENT else code
