"""A line understands the answers however they arrive, tells apart lost and refused, and holds nothing without an end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.line import LARGEST, Line, Lost, Place, Refused
from gateway.limits.wire import command
from kernel.settings import BadSettings

TEXTS = st.binary(max_size=30).map(lambda text: (b"$", text))
VALUES = st.lists(st.one_of(TEXTS, st.just((b"+", b"OK")), st.just((b":", b"12"))))


class Wire:
    """A transport that remembers."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.aborted = True


def line() -> tuple[Line, Wire, list[bytes]]:
    wire, unanswered = Wire(), list[bytes]()
    made = Line(unanswered.extend)
    made.connection_made(wire)  # type: ignore[arg-type]
    return made, wire, unanswered


def encoded(kind: bytes, value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value) if kind == b"$" else kind + value + b"\r\n"


@given(values=VALUES, cuts=st.sets(st.integers(0, 400)))
def test_answers_are_the_same_however_they_are_cut(values: list[tuple[bytes, bytes]], cuts: set[int]) -> None:
    async def answered() -> Sequence[bytes]:
        made, _, _ = line()
        replies = [made.ask(b"x") for _ in values]
        stream = b"".join(encoded(*value) for value in values)
        places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
        for start, end in pairwise(places):
            made.data_received(stream[start:end])
        return [await reply for reply in replies]

    assert asyncio.run(answered()) == [value for _, value in values]


async def test_what_is_asked_in_one_turn_is_one_write() -> None:
    made, wire, _ = line()
    for number in range(5):
        made.tell(b"%d" % number)
    await asyncio.sleep(0)

    assert wire.written == [b"01234"]


async def test_a_refusal_is_told_in_redis_own_words_and_the_next_answer_is_the_next_one_s() -> None:
    made, _, _ = line()
    first, second = made.ask(b"a"), made.ask(b"b")
    made.data_received(b"-OOM command not allowed\r\n+OK\r\n")
    with pytest.raises(Refused, match="OOM command not allowed"):
        await first

    assert await second == b"OK"


async def test_who_waits_learns_that_the_line_is_lost_and_what_nobody_waits_for_is_kept() -> None:
    made, _, unanswered = line()
    reply = made.ask(b"asked")
    made.tell(b"told")
    made.connection_lost(None)
    with pytest.raises(Lost):
        await reply

    assert unanswered == [b"told"]
    assert made.lost


async def test_an_answer_whose_caller_left_is_dropped() -> None:
    made, _, _ = line()
    left, stayed = made.ask(b"a"), made.ask(b"b")
    left.cancel()
    made.data_received(b"+one\r\n+two\r\n")

    assert await stayed == b"two"


@pytest.mark.parametrize("sent", [b"*1\r\n", b"!what\r\n", b"+OK\r\n+nobody asked\r\n", b"$9\r\n" + b"x" * (LARGEST + 10)])
async def test_what_is_no_answer_of_ours_ends_the_line(sent: bytes) -> None:
    made, wire, _ = line()
    if sent.startswith(b"$"):
        sent = sent.replace(b"$9", b"$99999999", 1)
    made.ask(b"a").add_done_callback(lambda reply: reply.exception() if not reply.cancelled() else None)
    made.data_received(sent)

    assert wire.aborted


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://127.0.0.1:6379/0", Place("127.0.0.1", 6379)),
        ("redis://cache", Place("cache", 6379)),
        ("redis://cache/9", Place("cache", 6379, "", (command(b"SELECT", b"9"),))),
        ("redis://:s%40cret@cache:7000", Place("cache", 7000, "", (command(b"AUTH", b"s@cret"),))),
        ("redis://me:x@cache/1", Place("cache", 6379, "", (command(b"AUTH", b"me", b"x"), command(b"SELECT", b"1")))),
        ("unix:///run/redis.sock?db=2", Place("127.0.0.1", 6379, "/run/redis.sock", (command(b"SELECT", b"2"),))),
    ],
)
def test_a_url_says_where_and_how(url: str, place: Place) -> None:
    assert Place.of(url) == place


def test_a_password_is_not_shown() -> None:
    assert "cret" not in repr(Place.of("redis://:s%40cret@cache"))


def test_tls_checks_the_certificate_and_its_name() -> None:
    place = Place.of("rediss://cache")

    assert place.tls is not None
    assert place.tls.check_hostname


@pytest.mark.parametrize("url", ["http://cache", "cache:6379", "redis://cache/x", "redis://cache?timeout=1", "redis://cache:x"])
def test_a_url_that_means_nothing_to_us_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadSettings, match="redis_url: "):
        Place.of(url)


class Strict:
    """Signs in who knows the password, and answers PONG then."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            for part in data.split(b"*")[1:]:
                refused = b"AUTH" in part and b"right" not in part
                writer.write(b"-WRONGPASS invalid\r\n" if refused else b"+OK\r\n")
        writer.close()


@pytest.fixture
async def strict() -> AsyncIterator[Any]:
    server = await asyncio.start_server(Strict().serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_line_is_open_once_it_is_signed_in(strict: int) -> None:
    made = await Line.open(Place.of(f"redis://:right@127.0.0.1:{strict}/3"), lambda _: None)
    answer = await made.ask(command(b"PING"))
    made.abort()
    with pytest.raises(Refused, match="WRONGPASS"):
        await Line.open(Place.of(f"redis://:false@127.0.0.1:{strict}/3"), lambda _: None)

    assert answer == b"OK"
