"""Pages of the log go from the latest entry to the first without missing or repeating any."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.audit.entry import told
from gateway.audit.store import Wanted
from kernel.problem import Invalid
from tests.gateway.audit.conftest import DONE


async def _all(ledger: Any, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        links, cursor = await ledger.store.page(wanted, cursor, limit)
        assert len(links) <= limit
        found += [told(link.text) for link in links]
        if cursor is None:
            return found


async def _fill(ledger: Any) -> None:
    async with ledger.log() as log:
        for number in range(25):
            client, operation = f"c{number % 2}", f"o{number % 3}"
            log.add(DONE._replace(at=DONE.at + number // 5, client=client, operation=operation, request_id=str(number)))


@pytest.mark.parametrize("limit", [1, 4, 25, 200])
async def test_every_entry_is_on_one_page(ledger: Any, limit: int) -> None:
    await _fill(ledger)
    found = [entry for entry in await _all(ledger, Wanted(), limit) if entry["kind"] == "call"]

    assert [entry["request_id"] for entry in found] == [str(number) for number in reversed(range(25))]


async def test_what_is_asked_for_is_found_and_nothing_else(ledger: Any) -> None:
    await _fill(ledger)
    moment = datetime.fromtimestamp((DONE.at + 3) / 1_000_000, UTC)
    both = await _all(ledger, Wanted(client="c1", operation="o2"), 10)
    late = await _all(ledger, Wanted(client="c0", since=moment), 10)
    early = await _all(ledger, Wanted(until=moment), 10)

    assert {entry["request_id"] for entry in both} == {"5", "11", "17", "23"}
    assert {int(entry["request_id"]) for entry in late} == {16, 18, 20, 22, 24}
    assert {int(entry["request_id"]) for entry in early} == set(range(15))


@pytest.mark.parametrize("cursor", ["x", "e30", "WzEsMiwzXQ", "WyJhIiwiYiIsImMiXQ", "/"])
async def test_a_cursor_that_is_none_is_refused(ledger: Any, cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        await ledger.store.page(Wanted(), cursor, 10)
