"""Bodies end where the contract says: by the announced length before a byte is read, by counting where none is announced."""

from starlette.types import Message, Receive, Send

from gateway.pipeline import Call, Forward, Operation, Policy
from kernel.problem import TooLarge


def limit_body(operation: Operation) -> Policy | None:
    largest = operation.max_body
    if largest < 0:  # nobody will read one
        return None

    async def policy(call: Call, forward: Forward) -> None:
        announced = call.headers.get(b"content-length")
        if announced is None:
            if b"transfer-encoding" in call.headers:
                counter = _Counter(call.receive, call.send, largest)
                call.receive, call.send = counter.receive, counter.send
        elif int(announced) > largest:
            raise _too_large(largest)
        await forward(call)

    return policy


def _too_large(largest: int) -> TooLarge:
    # The rest of the body is still on its way: the connection cannot serve another request.
    return TooLarge(f"the body may have {largest} bytes", headers={"Connection": "close"})


class _Counter:
    """Counts what is received. Frameworks turn a failing read into an answer of their own: that one is kept back."""

    __slots__ = ("_exceeded", "_largest", "_receive", "_send", "_size")

    def __init__(self, receive: Receive, send: Send, largest: int) -> None:
        self._receive, self._send, self._largest = receive, send, largest
        self._size, self._exceeded = 0, False

    async def receive(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self._largest:
            self._exceeded = True
            raise _too_large(self._largest)
        return message

    async def send(self, message: Message) -> None:
        if self._exceeded and message["type"] == "http.response.start":
            raise _too_large(self._largest)
        await self._send(message)
