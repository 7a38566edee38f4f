"""Whatever is done to the log afterwards is found, at the first place where it was done."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.audit.chain import Place
from gateway.audit.verification import verify


async def test_an_untouched_log_is_whole(ledger: Any) -> None:
    await ledger.chain(5)
    await ledger.chain(0)
    verdict = await ledger.verdict()

    assert verdict.breaks == []
    assert (verdict.chains, verdict.entries, verdict.open) == (2, 5 + 2 + 2, [])


HARM = {
    "an entry changed": ("UPDATE audit_entries SET entry = replace(entry, 'acme', 'eve') WHERE seq = 3", 3),
    "a status changed": ("UPDATE audit_entries SET entry = replace(entry, '201', '403') WHERE seq = 3", 3),
    "a seal changed": ("UPDATE audit_entries SET seal = replace(seal, substr(seal, 1, 1), 'x') WHERE seq = 3", 3),
    "a column changed": ("UPDATE audit_entries SET client = 'eve' WHERE seq = 3", 3),
    "a time changed": ("UPDATE audit_entries SET at = at - 1 WHERE seq = 3", 3),
    "an entry removed": ("DELETE FROM audit_entries WHERE seq = 3", 3),
    "the first removed": ("DELETE FROM audit_entries WHERE seq = 0", 0),
    "the last removed": ("DELETE FROM audit_entries WHERE seq = 6", 6),
    "the end cut off": ("DELETE FROM audit_entries WHERE seq > 3", 4),
    "all of it removed": ("DELETE FROM audit_entries", -1),
    "moved up": ("UPDATE audit_entries SET seq = seq + 100 WHERE seq > 2", 3),
}


@pytest.mark.parametrize("name", HARM)
async def test_what_is_done_to_a_chain_is_found_where_it_was_done(ledger: Any, name: str) -> None:
    chain = await ledger.chain(5)
    statement, place = HARM[name]
    await ledger.harm(statement)
    verdict = await ledger.verdict()

    assert [(one.chain, one.seq) for one in verdict.breaks] == [(chain, place)]


async def test_two_entries_that_change_places_are_found(ledger: Any) -> None:
    chain = await ledger.chain(5)
    for old, new in ((2, 99), (3, 2), (99, 3)):
        await ledger.harm("UPDATE audit_entries SET seq = :new WHERE seq = :old", old=old, new=new)
    verdict = await ledger.verdict()

    assert [(one.chain, one.seq) for one in verdict.breaks] == [(chain, 2)]


async def test_an_entry_that_is_added_is_found(ledger: Any) -> None:
    chain = await ledger.chain(2)
    await ledger.harm(
        "INSERT INTO audit_entries (chain, seq, at, client, operation, entry, seal) "
        "SELECT chain, 4, at, client, operation, entry, seal FROM audit_entries WHERE seq = 1"
    )
    verdict = await ledger.verdict()

    assert [(one.chain, one.seq) for one in verdict.breaks] == [(chain, 4)]


async def test_a_chain_that_is_sealed_anew_without_the_key_is_found(ledger: Any) -> None:
    chain = await ledger.chain(3)
    verdict = await ledger.verdict(b"another key of thirty-two bytes!")

    assert [(one.chain, one.seq) for one in verdict.breaks] == [(chain, 0)]


async def test_the_next_chain_is_a_witness_where_the_anchors_are_gone(ledger: Any) -> None:
    old = await ledger.chain(4)
    await ledger.chain(1)
    (ledger.folder / "audit-anchors.jsonl").unlink()
    await ledger.harm("DELETE FROM audit_entries WHERE chain = :chain AND seq > 2", chain=old)
    cut = await ledger.verdict()
    await ledger.harm("DELETE FROM audit_entries WHERE chain = :chain", chain=old)
    gone = await ledger.verdict()

    assert [(one.chain, one.seq) for one in cut.breaks] == [(old, 3)]
    assert [(one.chain, one.seq) for one in gone.breaks] == [(old, -1)]


async def test_a_chain_that_is_not_ended_is_said_to_be_open_and_is_no_break(ledger: Any) -> None:
    async with ledger.log() as log:
        chain = log.chain
    await ledger.harm("DELETE FROM audit_entries WHERE seq = 1")
    (ledger.folder / "audit-anchors.jsonl").unlink()
    verdict = await ledger.verdict()

    assert (verdict.breaks, verdict.open) == ([], [chain])


async def test_anchors_that_were_changed_are_named(ledger: Any) -> None:
    await ledger.chain(3)
    file = ledger.folder / "audit-anchors.jsonl"
    said = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text(json.dumps({**said[-1], "seq": 2}) + "\n" + "half a line")
    places, wrong = ledger.anchors.read()

    assert places == []
    assert wrong == ["line 1 of audit-anchors.jsonl is none of ours"]


async def test_witnesses_that_contradict_each_other_are_told(ledger: Any) -> None:
    chain = await ledger.chain(3)
    verdict = await verify(ledger.store, b"k" * 32, [Place(chain, 1, "a" * 64)])

    assert [(one.chain, one.seq) for one in verdict.breaks] == [(chain, 1)]


COLUMNS = st.sampled_from(["entry", "seal", "client", "operation"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seq=st.integers(0, 6), column=COLUMNS, place=st.integers(0, 999), new=st.sampled_from("x7 {"), width=st.integers(0, 1))
async def test_no_byte_can_be_changed_unnoticed(ledger: Any, seq: int, column: str, place: int, new: str, width: int) -> None:
    chain = await ledger.chain(5)
    rows = [row async for row in ledger.store.rows(chain)]
    was = getattr(rows[seq], column)
    at = place % (len(was) + 1)
    other = (was[:at] + new + was[at + width :])[: len(was) if column == "seal" else None]
    statement = f"UPDATE audit_entries SET {column} = :value WHERE chain = :chain AND seq = :seq"  # noqa: S608 - a column's name
    await ledger.harm(statement, value=other, chain=chain, seq=seq)
    verdict = await ledger.verdict()
    await ledger.harm(statement, value=was, chain=chain, seq=seq)

    assert ((chain, seq) in [(one.chain, one.seq) for one in verdict.breaks]) == (other != was)
