"""The body of a request on its way to an upstream, chunk for chunk: no more of it is here than one chunk and the socket's own."""

from asyncio import get_running_loop

from starlette.types import Receive

from gateway.deadline import Deadline
from gateway.upstreams.connection import Connection
from gateway.upstreams.failures import BrokenOff, CallerLeft
from kernel.problem import BadRequest

STALL = 30.0  # seconds without a byte of the body
SLOWEST = 1024  # bytes a second on average, once STALL has passed


class Upload:
    """`framed`: the length was announced and passes as it is; otherwise the body is sent in chunks."""

    def __init__(self, receive: Receive, *, framed: bool) -> None:
        self._receive, self._framed = receive, framed
        self.started = self.done = False

    async def run(self, connection: Connection) -> None:
        """Raises BadRequest for a body that does not arrive, CallerLeft, and whatever refuses the body on its way."""
        self.started = True
        begun, size, more = get_running_loop().time(), 0, True
        while more:
            data, more = await self._next()
            size += len(data)
            if data:
                await connection.send(data if self._framed else b"%x\r\n%b\r\n" % (len(data), data))
            passed = get_running_loop().time() - begun
            if more and passed > STALL and size < SLOWEST * (passed - STALL):
                raise _slow()
        if not self._framed:
            await connection.send(b"0\r\n\r\n")
        self.done = True

    async def _next(self) -> tuple[bytes, bool]:
        try:
            with Deadline(STALL):
                message = await self._receive()
        except TimeoutError:
            raise _slow() from None
        if message["type"] != "http.request":
            raise CallerLeft("in the middle of the body")
        return message.get("body", b""), message.get("more_body", False)


async def drain_quietly(upload: Upload, connection: Connection) -> None:
    """`run`, for an upstream that stopped listening: its answer says why, so that is not an error here."""
    try:
        await upload.run(connection)
    except BrokenOff:
        return


def _slow() -> BadRequest:
    return BadRequest(f"the body did not arrive: at least a byte in {STALL:g} s is expected, and {SLOWEST} a second over time",
                      headers={"Connection": "close"})  # fmt: skip
