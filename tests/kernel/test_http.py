"""Ids enter URLs as one segment, and transport failures say whether anything may have been done."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import http
from kernel.problem import BadRequest, OutcomeUnknown, PlatformDown, PlatformTimeout


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_an_id_stays_one_segment_whatever_it_holds(text):
    path = http.path("/accounts/{id}/quotes", id=text)

    assert path.count("/") == 3
    assert not set(path) & set("?#\\ \r\n")


@pytest.mark.parametrize("attack", ["", ".", ".."])
def test_an_id_that_walks_is_refused(attack):
    with pytest.raises(BadRequest):
        http.path("/accounts/{id}", id=attack)


async def test_a_platform_that_is_not_there_was_not_told_anything():
    async with http.client("http://127.0.0.1:9", timeout=1) as client:
        with pytest.raises(PlatformDown) as failure:
            await http.send(client, client.build_request("POST", "/x"), system="ledger")

    assert not failure.value.ambiguous
    assert failure.value.retryable


@asynccontextmanager
async def serving(misbehave):
    """A server whose every connection is answered by misbehaving; its end waits for them."""
    handlers = set()

    async def handle(reader, writer):
        handlers.add(asyncio.current_task())
        await misbehave(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*handlers)
        await asyncio.sleep(0)


async def test_a_platform_that_does_not_answer_leaves_the_outcome_unknown():
    async def hang(reader, writer):
        await reader.read()

    async with serving(hang) as url, http.client(url, timeout=0.1) as client:
        with pytest.raises(PlatformTimeout) as failure:
            await http.send(client, client.build_request("POST", "/x"), system="ledger")

    assert failure.value.ambiguous


async def test_a_connection_cut_after_sending_leaves_the_outcome_unknown():
    async def cut(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with serving(cut) as url, http.client(url, timeout=2) as client:
        with pytest.raises(OutcomeUnknown) as failure:
            await http.send(client, client.build_request("POST", "/x"), system="ledger")

    assert failure.value.ambiguous
    assert not isinstance(failure.value, PlatformTimeout)


async def test_no_cookie_of_one_answer_goes_out_with_the_next_call():
    heads = []

    async def answer(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            heads.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\nset-cookie: session=of-another; Path=/\r\ncontent-length: 0\r\n\r\n")
            if len(heads) == 2:
                return

    async with serving(answer) as url, http.client(url.replace("127.0.0.1", "localhost"), timeout=2) as client:
        for _ in range(2):
            await http.send(client, client.build_request("GET", "/"), system="ledger")

    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()
