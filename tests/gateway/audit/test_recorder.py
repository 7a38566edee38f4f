"""Nothing is lost on an orderly way, in whatever order the database comes and goes; what is lost otherwise is counted."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.audit.entry import told
from tests.gateway.audit.conftest import DONE

Waiting = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


async def _kinds(ledger: Any, chain: str) -> list[str]:
    return [told(row.entry)["kind"] async for row in ledger.store.rows(chain)]


async def test_an_orderly_end_writes_everything_and_says_so(ledger: Any) -> None:
    async with ledger.log() as log:
        for _ in range(1_203):
            log.add(DONE)

    assert await _kinds(ledger, log.chain) == ["began", *["call"] * 1_203, "ended"]
    assert (await ledger.verdict()).breaks == []


async def test_entries_wait_while_the_database_is_away(ledger: Any, eventually: Waiting) -> None:
    registry = CollectorRegistry()
    async with ledger.log(registry) as log:
        ledger.store.away = True
        for _ in range(20):
            log.add(DONE)
        await asyncio.sleep(0)
        waiting = registry.get_sample_value("trivium_audit_entries_waiting")
        ledger.store.away = False

        async def written() -> bool:
            return len(await _kinds(ledger, log.chain)) == 21

        await eventually(written)

    assert waiting == 20
    assert (await ledger.verdict()).breaks == []


async def test_an_entry_whose_writing_was_not_confirmed_is_there_once(ledger: Any, eventually: Waiting) -> None:
    async with ledger.log() as log:
        ledger.store.deaf = True
        for _ in range(7):
            log.add(DONE)

        async def written() -> bool:
            return len(await _kinds(ledger, log.chain)) >= 8

        await eventually(written)
        for _ in range(3):
            log.add(DONE)
        ledger.store.deaf = False

    assert await _kinds(ledger, log.chain) == ["began", *["call"] * 10, "ended"]
    assert (await ledger.verdict()).breaks == []


async def test_with_a_full_buffer_no_write_is_admitted(ledger: Any) -> None:
    async with ledger.log(buffer=100, on_failure="refuse_writes") as log:
        ledger.store.away = True
        for _ in range(100):
            log.add(DONE)
        full = log.admits()
        log.add(DONE, admitted=True)  # it was let in before
        log.add(DONE)  # a failed authentication: nobody was let in
        ledger.store.away = False
    kinds = await _kinds(ledger, log.chain)

    assert full is False
    assert (kinds.count("call"), kinds.count("lost")) == (101, 1)
    assert (await ledger.verdict()).lost == 1


async def test_what_is_given_up_is_counted_in_the_chain_itself(ledger: Any) -> None:
    registry = CollectorRegistry()
    async with ledger.log(registry, buffer=100, on_failure="drop_and_count") as log:
        ledger.store.away = True
        for _ in range(150):
            log.add(DONE, admitted=True)
        admits = log.admits()
        ledger.store.away = False
    verdict = await ledger.verdict()

    assert admits is True
    assert (verdict.lost, verdict.breaks) == (50, [])
    assert registry.get_sample_value("trivium_audit_entries_lost_total") == 50


async def test_a_database_that_stays_away_does_not_hold_up_the_end(ledger: Any) -> None:
    ledger.deadline = 0.05
    registry = CollectorRegistry()
    async with ledger.log(registry) as log:
        ledger.store.away = True
        log.add(DONE)

    assert (registry.get_sample_value("trivium_audit_entries_waiting") or 0) >= 1


async def test_several_processes_write_at_once(ledger: Any) -> None:
    async def process(client: str) -> None:
        async with ledger.log() as log:
            for _ in range(50):
                log.add(DONE._replace(client=client))
                await asyncio.sleep(0)

    await asyncio.gather(*(process(f"c{number}") for number in range(4)))
    verdict = await ledger.verdict()

    assert verdict.breaks == []
    assert (verdict.chains, verdict.entries) == (4, 4 * 52)


async def test_anchors_are_written_now_and_then_and_at_the_end(ledger: Any, eventually: Waiting) -> None:
    async with ledger.log(anchors=60) as log:

        async def anchored() -> bool:
            return len(ledger.anchors.read()[0]) == 1

        await eventually(anchored)
        log.add(DONE)
        ledger.clock.pass_seconds(61)

        async def again() -> bool:
            return len(ledger.anchors.read()[0]) == 2

        await eventually(again)
        log.add(DONE)
    places, wrong = ledger.anchors.read()

    assert ([place.seq for place in places], wrong) == ([0, 1, 3], [])
    assert (ledger.folder / "audit-anchors.jsonl").stat().st_mode & 0o777 == 0o600


async def test_a_full_disk_for_anchors_does_not_stop_the_log(ledger: Any) -> None:
    (ledger.folder / "audit-anchors.jsonl").symlink_to("/dev/full")
    chain = await ledger.chain(3)

    assert await _kinds(ledger, chain) == ["began", "call", "call", "call", "ended"]


async def test_a_long_text_is_cut_and_nothing_empty_is_kept(ledger: Any) -> None:
    async with ledger.log() as log:
        log.add(DONE._replace(ids={"order_id": "x" * 5_000}))
    said = [told(row.entry) async for row in ledger.store.rows(log.chain)][1]

    assert said["ids"] == {"order_id": "x" * 200}
    assert not {"partner", "digest", "problem"} & said.keys()
