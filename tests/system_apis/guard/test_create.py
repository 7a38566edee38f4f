"""A guarded create makes at most one object, and looks before it sends again."""

from collections import deque
from collections.abc import Callable

import pytest

from contracts.ports.effects import Capability, Safety
from kernel.context import correlation_id
from kernel.problem import Conflict, OutcomeUnknown, Problem, Refused
from kernel.settings import Connection
from system_apis.guard import Guard, Journal, NeedsPerson, State
from tests.system_apis.guard.shop import (
    BROKEN,
    BUSY,
    DOWN,
    KEYED,
    LOOK_UP,
    LOST,
    NO,
    PERSON,
    REMEMBERING,
    UPSERT,
    FreeBudget,
    NewOrder,
    Open,
    OwnedClock,
    Platform,
    Shop,
    new,
)


async def test_a_confirmed_create_is_answered_from_the_journal(process: Open, journal: Journal, connection: Connection) -> None:
    platform = Platform(KEYED)
    correlation_id.set("trace-7")

    first = await process(platform).create_order(new(), "k")
    again = await process(platform).create_order(new(), "k")

    row = await journal.find(connection.id, "shop.create_order", "order-1")
    assert first == again
    assert platform.keys == ["k"]
    assert row is not None
    assert (row["state"], row["attempts"], row["correlation_id"], row["owner"]) == (State.CONFIRMED, 1, "trace-7", None)


async def test_other_content_under_a_confirmed_key_is_a_conflict(process: Open) -> None:
    shop = process(Platform(KEYED))
    await shop.create_order(new("10.00"), "k")

    with pytest.raises(Conflict, match="other data"):
        await shop.create_order(new("11.00"), "k2")


async def test_a_kind_that_keeps_what_exists_answers_it_whatever_the_content(process: Open) -> None:
    shop = process(Platform(KEYED))
    first = await shop.create_customer(new("10.00"), "k")

    assert await shop.create_customer(new("11.00"), "k2") == first


async def test_a_kind_that_keeps_what_exists_is_looked_for_before_the_first_send(process: Open) -> None:
    """The platform may have had it before us: the journal cannot know."""
    platform = Platform(KEYED)
    there = platform.make(new("10.00"))
    platform.land()

    found = await process(platform).create_customer(new("11.00"), "k")

    assert found == there
    assert platform.keys == []
    assert platform.count("order-1") == 1


@pytest.mark.parametrize("capability", [UPSERT, KEYED, REMEMBERING, LOOK_UP])
@pytest.mark.parametrize("fault", ["reply lost", "5xx after effect"])
async def test_a_lost_answer_is_found_and_not_sent_again(process: Open, capability: Capability, fault: str) -> None:
    platform = Platform(capability, faults=deque([fault]))

    order = await process(platform).create_order(new(), "k")

    assert order.key == "order-1"
    assert platform.count("order-1") == 1
    assert len(platform.keys) <= 2


async def test_a_keyed_platform_is_asked_again_under_the_same_key(process: Open) -> None:
    platform = Platform(KEYED, faults=deque([LOST]))

    await process(platform).create_order(new(), "k")

    assert platform.keys == ["k", "k"]
    assert platform.reads == 1


async def test_a_remembered_failure_gets_a_new_key_once_absence_is_sure(process: Open, clock: OwnedClock) -> None:
    platform = Platform(REMEMBERING, faults=deque([BROKEN]))
    began = clock.monotonic()

    await process(platform).create_order(new(), "k")

    assert platform.keys == ["k", "k", "k:1"]  # the second is told the failure again
    assert clock.monotonic() - began >= REMEMBERING.look_up_lag


async def test_a_proxys_failure_before_a_late_effect_does_not_double(process: Open) -> None:
    platform = Platform(REMEMBERING, faults=deque(["late"]))
    shop = process(platform)

    await until_done(lambda: shop.create_order(new(), "k"), platform.clock)

    assert platform.count("order-1") == 1


async def test_without_a_key_the_lag_of_the_look_up_is_waited_out(process: Open, clock: OwnedClock) -> None:
    platform = Platform(LOOK_UP, faults=deque([LOST]))
    began = clock.monotonic()

    await process(platform).create_order(new(), "k")

    assert clock.monotonic() - began >= LOOK_UP.look_up_lag
    assert platform.reads == 2
    assert len(platform.keys) == 2


async def test_a_lag_longer_than_the_deadline_is_left_to_a_later_attempt(process: Open, clock: OwnedClock) -> None:
    platform = Platform(Capability(Safety.LOOK_UP, look_up_lag=60), faults=deque(["reply lost"]))
    shop = process(platform)

    with pytest.raises(OutcomeUnknown) as caught:
        await shop.create_order(new(), "k")
    clock.seconds += caught.value.retry_after or 0
    order = await shop.create_order(new(), "k")

    assert 55 <= (caught.value.retry_after or 0) <= 61
    assert order.id == "order-1"
    assert len(platform.keys) == 1


async def test_where_nothing_can_tell_a_person_declares_the_object_absent(
    process: Open, journal: Journal, connection: Connection
) -> None:
    platform = Platform(PERSON, faults=deque([LOST]))
    shop = process(platform)

    with pytest.raises(NeedsPerson, match="order-1") as caught:
        await shop.create_order(new(), "k")
    await journal.declare(connection.id, "shop.create_order", "order-1", None)
    await shop.create_order(new(), "k")

    assert (caught.value.retryable, caught.value.ambiguous) == (False, True)
    assert "declare" in (caught.value.fix or "")
    assert platform.keys == ["k", "k:1"]


async def test_what_a_person_found_is_the_answer(process: Open, journal: Journal, connection: Connection) -> None:
    platform = Platform(PERSON, faults=deque(["reply lost"]))
    shop = process(platform)
    with pytest.raises(NeedsPerson):
        await shop.create_order(new(), "k")

    await journal.declare(connection.id, "shop.create_order", "order-1", platform.records[0].order.model_dump())

    assert await shop.create_order(new(), "k") == platform.records[0].order
    with pytest.raises(Conflict, match="not in doubt"):
        await journal.declare(connection.id, "shop.create_order", "order-1", None)


async def test_a_refusal_is_kept_and_a_corrected_request_starts_again(
    process: Open, journal: Journal, connection: Connection
) -> None:
    platform = Platform(KEYED, faults=deque([NO]))
    shop = process(platform)

    with pytest.raises(Refused):
        await shop.create_order(new("10.00"), "k")
    row = await journal.find(connection.id, "shop.create_order", "order-1")
    order = await shop.create_order(new("11.00"), "k")

    assert row is not None
    assert (row["state"], row["problem"]["title"]) == (State.REJECTED, Refused.title)
    assert order.amount == "11.00"
    assert platform.keys == ["k", "k:1"]


@pytest.mark.parametrize("nothing_done", [BUSY, DOWN])
async def test_when_nothing_was_done_it_is_sent_again_without_a_look_up(process: Open, nothing_done: Problem) -> None:
    platform = Platform(PERSON, faults=deque([nothing_done, nothing_done]))

    await process(platform).create_order(new(), "k")

    assert platform.keys == ["k", "k", "k"]
    assert platform.reads == 0


async def test_attempts_come_to_an_end_and_the_row_stays_intended(
    process: Open, journal: Journal, connection: Connection
) -> None:
    platform = Platform(KEYED, faults=deque([BUSY] * 9))

    with pytest.raises(type(BUSY)):
        await process(platform).create_order(new(), "k")

    row = await journal.find(connection.id, "shop.create_order", "order-1")
    assert row is not None
    assert (row["state"], row["attempts"], len(platform.keys)) == (State.INTENDED, 4, 4)


async def test_a_busy_platform_after_a_lost_answer_leaves_the_write_in_doubt(
    process: Open, journal: Journal, connection: Connection
) -> None:
    platform = Platform(KEYED, faults=deque([LOST, *[BUSY] * 9]))

    with pytest.raises(type(BUSY)):
        await process(platform).create_order(new(), "k")

    row = await journal.find(connection.id, "shop.create_order", "order-1")
    assert row is not None
    assert row["state"] == State.UNKNOWN


async def test_a_look_up_that_fails_sends_nothing(process: Open) -> None:
    platform = Platform(UPSERT, faults=deque([LOST]), read_faults=deque([DOWN] * 9))

    with pytest.raises(OutcomeUnknown, match="cannot be looked up"):
        await process(platform).create_order(new(), "k")

    assert len(platform.keys) == 1


async def test_a_look_up_that_is_refused_needs_a_person(process: Open) -> None:
    platform = Platform(UPSERT, faults=deque([LOST]), read_faults=deque([NO]))

    with pytest.raises(NeedsPerson, match="look-up failed"):
        await process(platform).create_order(new(), "k")


async def test_a_mistake_in_the_connector_leaves_the_write_in_doubt(
    connection: Connection, journal: Journal, clock: OwnedClock
) -> None:
    class Mistaken(Platform):
        async def create_order(self, new: NewOrder, idempotency_key: str) -> None:  # type: ignore[override]
            await super().create_order(new, idempotency_key)
            raise KeyError("id")

    platform = Mistaken(UPSERT, clock=clock)
    guard = Guard(connection, budget=FreeBudget(), journal=journal, clock=clock, sleep=clock.sleep)
    shop = guard.bind(Shop, platform, {"create_order": UPSERT, "create_customer": UPSERT})

    with pytest.raises(KeyError):
        await shop.create_order(new(), "k")

    row = await journal.find(connection.id, "shop.create_order", "order-1")
    assert row is not None
    assert row["state"] == State.UNKNOWN
    assert (await shop.create_order(new(), "k")).key == "order-1"
    assert len(platform.keys) == 1


async def until_done(create: Callable[[], object], clock: OwnedClock) -> object:
    """As a durable step does: again, after the pause that is asked for."""
    for _ in range(9):
        try:
            return await create()  # type: ignore[misc]
        except Problem as problem:
            if not problem.retryable:
                raise
            clock.seconds += problem.retry_after or 1
    raise AssertionError("it does not end")
