"""More calls than a process can do: what it takes is answered in time, health and tokens always are, and it recovers."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.shedding import Load
from kernel.sections.limits import Granted, Limits
from kernel.sections.shedding import Shedding
from kernel.settings import Settings
from tests.attacks.serving import serving

ORDER = "/process/orders/v1/orders/o1"
PLENTY = Limits(default=(Granted(policy="burst", quota=10**9, window=60),))


def answers(status: int, seconds: float = 0.0, *, blocking: bool = False) -> Any:
    """An application that answers after so many seconds, in which it waits or keeps the processor."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if blocking:
            time.sleep(seconds)  # noqa: ASYNC251 - keeping the loop from everything else is what is tried here
        else:
            await asyncio.sleep(seconds)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app


class Crowd:
    """Callers who each ask again as soon as they are answered; who is refused waits a little."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.seconds: list[tuple[int, float]] = []  # status and duration, in the order of the answers

    async def press(self, callers: int, seconds: float, path: str = ORDER) -> None:
        connections = [await asyncio.open_connection("127.0.0.1", self._port) for _ in range(callers)]
        await asyncio.gather(*(ask(*connection, "/health/live") for connection in connections))  # all are let in
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._call(*connection, path, end) for connection in connections))

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, end: float) -> None:
        while time.monotonic() < end:
            self.seconds.append(await ask(reader, writer, path))
            if self.seconds[-1][0] == 503:
                await asyncio.sleep(0.05)
        writer.close()

    def statuses(self) -> Counter[int]:
        return Counter(status for status, _ in self.seconds)

    def slowest(self, share: float = 0.95) -> float:
        """So many of the admitted calls were answered within these seconds."""
        served = sorted(duration for status, duration in self.seconds if status == 200)
        return served[int(len(served) * share)] if served else 0.0


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> tuple[int, float]:
    begun = time.monotonic()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12]), time.monotonic() - begun


async def once(port: int, path: str) -> tuple[int, float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = await ask(reader, writer, path)
    writer.close()
    return answer


async def until_calm(load: Load) -> None:
    async with asyncio.timeout(20):
        while load.share:  # noqa: ASYNC110 - the load is another thread's
            await asyncio.sleep(0.05)


@pytest.fixture
def house(build: Any, contract: Any) -> Any:
    def plenty(document: Any) -> None:
        for item in document["paths"].values():
            for said in item.values():
                said["x-trivium-limits"] = {"default": [{"policy": "burst", "quota": 10**9, "window": 60}]}

    def make(app: Any, load: Load | None) -> Any:
        means = {"load": load, "settings": Settings.model_construct(limits=PLENTY)}
        built = build(contract(plenty), means=means, mounts={"oauth": answers(200)})
        built.echo.instead = app
        return built

    return make


@pytest.mark.slow
async def test_a_process_without_a_moment_to_spare_answers_what_it_takes_in_time(house: Any) -> None:
    settings = Shedding(target=0.03, interval=0.1)
    load, busy = Load(settings), answers(200, 0.005, blocking=True)
    with serving(house(busy, None).app, settings, Load(settings)) as port:
        patient = Crowd(port)
        await patient.press(160, 2.5)
    with serving(house(busy, load).app, settings, load) as port:
        crowd, important = Crowd(port), Crowd(port)
        pressing = asyncio.create_task(crowd.press(160, 5.0))
        await asyncio.sleep(2.5)  # by then the share has found its measure
        crowd.seconds.clear()
        for _ in range(10):
            important.seconds += [await once(port, path) for path in ("/health/live", "/oauth/token", "/metrics")]
        await pressing
        under_load = crowd.seconds
        await until_calm(load)
        afterwards = [(await once(port, ORDER))[0] for _ in range(30)]

    assert patient.statuses()[503] == 0  # where nothing is refused, everybody waits for all others
    assert {status for status, _ in under_load} == {200, 503}
    assert crowd.slowest(0.5) < patient.slowest(0.5) / 2
    assert crowd.slowest(0.9) < patient.slowest(0.5)
    assert important.statuses() == {200: 30}
    assert important.slowest(0.5) < patient.slowest(0.9)
    assert afterwards == [200] * 30
    assert load.in_flight == 0


async def test_a_slow_upstream_fills_the_places_and_no_more(house: Any) -> None:
    settings = Shedding(in_flight=20)
    load = Load(settings)
    with serving(house(answers(200, 0.4), load).app, settings, load) as port:
        crowd = Crowd(port)
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, load.in_flight)
                await asyncio.sleep(0.005)

        watching = asyncio.create_task(watch())
        pressing = asyncio.create_task(crowd.press(100, 2.0))
        await asyncio.sleep(0.5)
        important = [await once(port, path) for _ in range(5) for path in ("/health/live", "/oauth/token", "/metrics")]
        await pressing
        watching.cancel()
        after = [await once(port, ORDER) for _ in range(3)]

    assert most in (18, 19)  # nine tenths; the rest is for what matters more
    assert crowd.statuses()[200] >= 18
    assert crowd.statuses()[503] > 100
    assert crowd.slowest() < 0.8
    assert {status for status, _ in important} == {200}
    assert max(seconds for _, seconds in important) < 0.4
    assert {status for status, _ in after} == {200}
