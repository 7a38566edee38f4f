"""What is held back is held whole and within its size; everything else goes on its way as if nobody had looked."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from gateway.captured import Captured
from gateway.pipeline import Call
from kernel.problem import Conflict

LARGEST = 10
Send = Callable[[Message], Awaitable[None]]


class Caller:
    """The other end: what it was sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def receive(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent if message["type"] == "http.response.body")

    @property
    def whole(self) -> bool:
        return bool(self.sent) and not self.sent[-1].get("more_body", False)


def call(caller: Caller, operation: Any) -> Call:
    return Call({"type": "http", "headers": []}, caller.receive, caller.receive, operation(), {}, "")  # type: ignore[arg-type]


def answering(*chunks: bytes, status: int = 200, **headers: str) -> Callable[[Call], Awaitable[None]]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def forward(call: Call) -> None:
        await call.send({"type": "http.response.start", "status": status, "headers": named})
        for number, chunk in enumerate(chunks, 1):
            await call.send({"type": "http.response.body", "body": chunk, "more_body": number < len(chunks)})

    return forward


async def test_a_held_answer_is_sent_when_it_is_released_and_once(operation: Any) -> None:
    caller = Caller()
    answer = Captured(caller.receive, LARGEST)
    await answer.of(call(caller, operation), answering(b"hello", content_length="5", status=201))
    before = list(caller.sent)
    await answer.send([(b"etag", b'"x"')])
    await answer.send()

    assert before == []
    assert (answer.status, answer.body, answer.named(b"content-length")) == (201, b"hello", b"5")
    assert [message["type"] for message in caller.sent] == ["http.response.start", "http.response.body"]
    assert caller.sent[0]["headers"] == [(b"content-length", b"5"), (b"etag", b'"x"')]
    assert caller.body == b"hello"


@pytest.mark.parametrize("patient", [True, False])
async def test_an_answer_that_announces_more_than_is_held_is_never_held(operation: Any, patient: bool) -> None:
    caller = Caller()
    answer = Captured(caller.receive, LARGEST, patient=patient)
    await answer.of(call(caller, operation), answering(b"x" * 6, b"x" * 5, content_length="11"))

    assert (answer.passed, answer.body, caller.body, caller.whole) == (True, None, b"x" * 11, True)


async def test_an_answer_of_unknown_length_streams_unless_somebody_is_patient(operation: Any) -> None:
    streamed, held = Caller(), Caller()
    impatient, patient = Captured(streamed.receive, LARGEST), Captured(held.receive, LARGEST, patient=True)
    await impatient.of(call(streamed, operation), answering(b"a", b"b"))
    await patient.of(call(held, operation), answering(b"a", b"b"))

    assert (impatient.passed, streamed.body) == (True, b"ab")
    assert (patient.passed, patient.body, held.sent) == (False, b"ab", [])


async def test_events_stream_even_past_the_patient(operation: Any) -> None:
    caller = Caller()
    answer = Captured(caller.receive, LARGEST, patient=True)

    async def forward(call: Call) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await call.send({"type": "http.response.start", "status": 200, "headers": headers})
        assert len(caller.sent) == 1, "the head is not held back until the first event"
        await call.send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        assert caller.body == b"data: 1\n\n"
        await call.send({"type": "http.response.body", "body": b""})

    await answer.of(call(caller, operation), forward)

    assert caller.whole


async def test_no_more_than_the_size_is_ever_held(operation: Any) -> None:
    caller = Caller()
    answer = Captured(caller.receive, LARGEST, patient=True)
    held = []

    async def forward(call: Call) -> None:
        await call.send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await call.send({"type": "http.response.body", "body": b"xxxx", "more_body": True})
            held.append(400 - len(caller.body) if answer.passed else 0)
        await call.send({"type": "http.response.body", "body": b""})

    await answer.of(call(caller, operation), forward)

    assert caller.body == b"xxxx" * 100
    assert [len(message["body"]) for message in caller.sent[1:4]] == [8, 4, 4], "what was held, then each as it comes"


async def test_a_refusal_in_the_middle_of_a_held_answer_is_still_a_refusal(operation: Any) -> None:
    caller = Caller()
    answer = Captured(caller.receive, LARGEST, patient=True)

    async def forward(call: Call) -> None:
        await call.send({"type": "http.response.start", "status": 200, "headers": []})
        await call.send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise Conflict("no")

    with pytest.raises(Conflict):
        await answer.of(call(caller, operation), forward)

    assert caller.sent == []


async def test_of_an_answer_to_head_only_the_head_is_fetched_where_it_is_large(operation: Any) -> None:
    caller, after = Caller(), []

    async def forward(call: Call) -> None:
        await call.send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        after.append("the body is made")

    await Captured(caller.receive, LARGEST, headless=True).of(call(caller, operation), forward)

    assert (caller.sent[0]["headers"], caller.body, caller.whole) == ([(b"content-length", b"100")], b"", True)
    assert after == []


@given(chunks=st.lists(st.binary(max_size=7), min_size=1, max_size=8), patient=st.booleans(), announced=st.booleans())
async def test_whatever_way_it_takes_the_caller_gets_every_byte_in_its_order(
    chunks: list[bytes], patient: bool, announced: bool
) -> None:
    caller, whole = Caller(), b"".join(chunks)
    answer = Captured(caller.receive, LARGEST, patient=patient)
    one: Any = Call({"type": "http", "headers": []}, None, caller.receive, None, {}, "")  # type: ignore[arg-type]
    await answer.of(one, answering(*chunks, **({"content_length": str(len(whole))} if announced else {})))
    held = answer.body
    await answer.send()

    assert (caller.body, caller.whole) == (whole, True)
    assert held in (None, whole)
    assert (held is not None) == (len(whole) <= LARGEST and (patient or announced))
