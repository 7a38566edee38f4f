"""One of many does what a key names; the others get its answer, or are told to wait, in every process on one database."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from gateway.replays.kept import Kept
from gateway.replays.store import BATCH, Claim, Replays
from gateway.replays.tables import replays
from kernel.db import Database
from kernel.problem import Conflict, InProgress, KeyReused, NeedsPerson, Unavailable

ANSWER = Kept(201, ((b"location", b"/orders/1"),), b'{"id": "1"}', frozenset({"orders:write"}))
ID, ASKED = "a" * 64, "f" * 64
LEASE, DAY = 5.0, 86_400
Opening = Callable[..., Replays]


async def claimed(of: Replays, asked: str = ASKED, *, again: bool = False) -> Claim:
    found = await of.claim(ID, asked, again=again)
    assert isinstance(found, Claim)
    return found


async def rows(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(replays))).scalar_one())


async def test_a_kept_answer_is_given_to_every_process(opening: Opening) -> None:
    one, other = opening(), opening()
    await one.settle(await claimed(one), done=True, kept=ANSWER)

    assert await one.claim(ID, ASKED, again=False) == ANSWER
    assert await other.claim(ID, ASKED, again=True) == ANSWER


async def test_another_request_under_the_key_is_refused_before_and_after(opening: Opening) -> None:
    one, other = opening(), opening()
    claim = await claimed(one)
    with pytest.raises(KeyReused):
        await other.claim(ID, "0" * 64, again=True)
    await one.settle(claim, done=True, kept=ANSWER)

    with pytest.raises(KeyReused) as told:
        await other.claim(ID, "0" * 64, again=True)
    assert (told.value.status, told.value.field) == (422, "Idempotency-Key")


@pytest.mark.parametrize("again", [True, False])
async def test_while_it_runs_the_others_are_told_to_wait(opening: Opening, again: bool) -> None:
    one, other = opening(), opening()
    await claimed(one)

    for process in (one, other):
        with pytest.raises(InProgress) as told:
            await process.claim(ID, ASKED, again=again)
        assert (told.value.status, told.value.response_headers()) == (409, {"Retry-After": "1"})


async def test_of_many_at_once_one_gets_the_claim(opening: Opening) -> None:
    processes = [opening() for _ in range(3)]
    asked = [process.claim(ID, ASKED, again=True) for process in processes for _ in range(8)]
    found = await asyncio.gather(*asked, return_exceptions=True)

    assert sum(isinstance(one, Claim) for one in found) == 1
    assert sum(isinstance(one, InProgress) for one in found) == 23


async def test_what_was_refused_leaves_the_key_as_good_as_new(opening: Opening, database: Database) -> None:
    one = opening()
    await one.release(await claimed(one))

    assert await rows(database) == 0
    assert isinstance(await one.claim(ID, "0" * 64, again=False), Claim)


async def test_what_nobody_knows_is_asked_again_where_the_upstream_knows_the_key(opening: Opening) -> None:
    one, other = opening(), opening()
    await one.settle(await claimed(one), done=False)

    with pytest.raises(NeedsPerson) as told:
        await other.claim(ID, ASKED, again=False)
    assert told.value.status == 409
    with pytest.raises(KeyReused):
        await other.claim(ID, "0" * 64, again=True)
    assert isinstance(await other.claim(ID, ASKED, again=True), Claim)


async def test_what_was_done_without_an_answer_to_keep_is_not_done_again(opening: Opening) -> None:
    one = opening()
    await one.settle(await claimed(one), done=True)

    with pytest.raises(Conflict, match="not kept"):
        await one.claim(ID, ASKED, again=False)
    assert isinstance(await one.claim(ID, ASKED, again=True), Claim)


async def test_a_process_that_dies_leaves_the_key_when_its_lease_ends(database: Database, opening: Opening, clock: Any) -> None:
    dead, other = opening(), opening()
    await claimed(dead)
    clock.pass_seconds(LEASE - 0.1)
    with pytest.raises(InProgress):
        await other.claim(ID, ASKED, again=True)
    clock.pass_seconds(0.2)

    with pytest.raises(NeedsPerson):
        await other.claim(ID, ASKED, again=False)
    assert isinstance(await other.claim(ID, ASKED, again=True), Claim)


async def test_on_one_machine_a_new_process_need_not_wait_for_the_one_before(
    database: Database, opening: Opening, clock: Any
) -> None:
    await claimed(opening())
    clock.pass_seconds(0.5)
    new = opening()

    if database.embedded:
        assert isinstance(await new.claim(ID, ASKED, again=True), Claim)
    else:
        with pytest.raises(InProgress):
            await new.claim(ID, ASKED, again=True)


async def test_the_lease_of_a_long_call_is_renewed(opening: Opening, clock: Any) -> None:
    one, other = opening(), opening()
    claim = await claimed(one)
    for _ in range(5):
        clock.pass_seconds(LEASE * 0.8)
        await one.renew()
    with pytest.raises(InProgress):
        await other.claim(ID, ASKED, again=True)
    await one.settle(claim, done=True, kept=ANSWER)
    await one.renew()

    assert await other.claim(ID, ASKED, again=True) == ANSWER


async def test_one_who_is_called_off_renews_nothing(opening: Opening, clock: Any) -> None:
    one, other = opening(), opening()
    one.abandon(await claimed(one))
    clock.pass_seconds(LEASE + 1)
    await one.renew()

    assert isinstance(await other.claim(ID, ASKED, again=True), Claim)


async def test_who_lost_the_claim_has_no_say(opening: Opening, clock: Any) -> None:
    late, heir = opening(), opening()
    lost = await claimed(late, again=True)
    clock.pass_seconds(LEASE + 1)
    held = await claimed(heir, again=True)
    await late.settle(lost, done=True, kept=Kept(201, (), b"the late one's", frozenset()))
    await late.release(lost)
    await heir.settle(held, done=True, kept=ANSWER)

    assert await late.claim(ID, ASKED, again=True) == ANSWER


async def test_answers_are_kept_for_a_day_and_then_deleted(opening: Opening, clock: Any, database: Database) -> None:
    one = opening()
    await one.settle(await claimed(one), done=True, kept=ANSWER)
    clock.pass_seconds(DAY - 1)
    kept, early = await one.claim(ID, "f" * 64, again=False), await one.purge()
    clock.pass_seconds(1)
    late = await one.purge()

    assert (kept, early, late) == (ANSWER, 0, 1)
    assert await rows(database) == 0


async def test_a_key_whose_time_is_over_is_new_even_before_it_is_deleted(opening: Opening, clock: Any) -> None:
    one = opening(keep_hours=48)
    await one.settle(await claimed(one), done=True, kept=ANSWER)
    clock.pass_seconds(2 * DAY)

    assert isinstance(await one.claim(ID, "0" * 64, again=False), Claim)


async def test_old_rows_are_deleted_in_bounded_batches(opening: Opening, clock: Any, database: Database) -> None:
    one, count = opening(), BATCH + 20
    row = {"fingerprint": ASKED, "state": "done", "holder": "x", "claimed_at": 0, "lease_until": 0, "expires_at": 1}
    async with database.transaction() as connection:
        await connection.execute(replays.insert(), [{"id": f"{number:064}", **row} for number in range(count)])

    assert await one.purge() == count
    assert await rows(database) == 0


async def test_in_the_background_leases_are_renewed_and_old_rows_deleted(
    opening: Opening, clock: Any, database: Database
) -> None:
    one, other = opening(lease=1.0), opening(lease=1.0)
    await claimed(one)
    old = {
        "id": "0" * 64,
        "fingerprint": ASKED,
        "state": "done",
        "holder": "x",
        "claimed_at": 0,
        "lease_until": 0,
        "expires_at": 1,
    }
    async with database.transaction() as connection:
        await connection.execute(replays.insert().values(old))
    clock.pass_seconds(0.9)
    one.start()
    one.start()
    await _until(lambda: rows(database), 1)
    await _until(lambda: _lease_of(database), int(clock.now().timestamp() * 1000) + 1000)
    clock.pass_seconds(0.2)

    with pytest.raises(InProgress):
        await other.claim(ID, ASKED, again=True)


async def test_a_database_that_fails_refuses_and_comes_back(opening: Opening, database: Database) -> None:
    one = opening()
    async with database.transaction() as connection:
        await connection.run_sync(replays.drop)
    with pytest.raises(Unavailable, match="nothing was done"):
        await one.claim(ID, ASKED, again=True)
    await database.create_all()

    assert isinstance(await one.claim(ID, ASKED, again=True), Claim)


async def test_a_row_that_was_tampered_with_is_not_believed(opening: Opening, database: Database) -> None:
    one = opening()
    await one.settle(await claimed(one), done=True, kept=ANSWER)
    async with database.transaction() as connection:
        await connection.execute(update(replays).values(sealed=b"x" * 100))

    with pytest.raises(ValueError):
        await one.claim(ID, ASKED, again=True)


async def _until(ask: Any, wanted: int) -> None:
    for _ in range(500):
        if await ask() == wanted:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"it never came to be {wanted}")


async def _lease_of(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(select(replays.c.lease_until).where(replays.c.id == ID))).scalar_one())
