"""With no room left for the log calls are answered as ever, what is lost is counted, and lines come again with room."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.observe import AccessLog, Record
from kernel.settings import Telemetry
from kernel.telemetry import configure_logs

ORDERS = "/process/orders/v1/orders"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Standard error on a full device; calling it makes room, and later calls tell what was written since."""
    kept, handlers = sys.stderr, logging.getLogger().handlers[:]
    stream = open("/dev/full", "w", buffering=1)  # noqa: SIM115 - closed below
    room = tmp_path / "room.log"
    target = os.open(room, os.O_WRONLY | os.O_CREAT)
    sys.stderr = stream
    configure_logs(Telemetry(log_level="info"))

    def free() -> str:
        os.dup2(target, stream.fileno())
        return room.read_text()

    yield free
    sys.stderr = kept
    structlog.reset_defaults()
    logging.basicConfig(handlers=handlers, force=True)
    free()
    stream.close()
    os.close(target)


def _write(log: AccessLog, lines: int) -> None:
    for _ in range(lines):
        log.add(Record("get_order", "GET", "/orders", 200, 0.001, "acme", "c-0000001", "00-a-b-00"))
    log.start()
    log.stop()


def test_a_full_disk_costs_lines_that_are_counted_and_with_room_they_come_again(disk: Callable[[], str]) -> None:
    lost: list[int] = []
    log = AccessLog(on_drop=lambda: lost.append(1))
    _write(log, 30)
    while_full = len(lost)
    disk()
    _write(log, 5)

    assert while_full >= 29  # one may wait in the stream's own buffer
    assert len(lost) - while_full <= 1
    assert disk().count('"event": "request"') >= 4


async def test_a_call_that_breaks_is_still_told_as_a_problem(disk: Callable[[], str], build: Callable[..., Any]) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("oops")

    house = build()
    fine = await house.ask("GET", f"{ORDERS}/o1")
    house.echo.instead = broken
    answer = await house.ask("GET", f"{ORDERS}/o1")

    assert fine.status == 200
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
