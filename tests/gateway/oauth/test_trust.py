"""What one process calls back is refused by every other within a second, and a silent database shuts the door in time."""

import asyncio

import pytest

from gateway.oauth.trust import GRACE, STALE_AFTER, Trust
from gateway.oauth.trust_store import Reading, TrustStore
from gateway.oauth.verifier import Verifier
from kernel.problem import Unauthorized, Unavailable


class CountedStore(TrustStore):
    """The database, counting how often it is read; it fails while `silent`."""

    readings, silent = 0, False

    async def read(self, since: int) -> Reading:
        self.readings += 1
        if self.silent:
            raise OSError("connection reset")
        return await super().read(since)


@pytest.fixture
async def counted(database, here, clock) -> tuple[CountedStore, Trust, Verifier]:
    """A third process whose readings are counted from its start on."""
    store = CountedStore(database, here.keys, clock)
    trust = Trust(store, clock)
    await trust.start()
    store.readings = 0
    return store, trust, Verifier(here.names, trust, clock, resource_metadata="https://x.test")


@pytest.fixture
async def here(open_process):
    return await open_process()


@pytest.fixture
async def there(open_process):
    return await open_process()


@pytest.fixture
async def desk(here):
    return await here.clients.add("sales desk", ["quotes:read"])


async def test_processes_of_one_deployment_check_each_others_tokens(here, there) -> None:
    token = here.tokens.issue("tvc_desk", ["quotes:read"]).encode()

    assert (await there.verifier.verify(token)).client == "tvc_desk"


async def test_a_token_revoked_here_is_dead_there_within_a_second(here, there, clock) -> None:
    token = here.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    caller = await there.verifier.verify(token)
    await here.verifier.verify(token)
    await here.trust.revoke(caller.token_id, caller.expires_at)
    at_once = here.verifier.recall(token)
    clock.pass_seconds(STALE_AFTER)

    assert at_once is None
    assert there.verifier.recall(token) is None
    with pytest.raises(Unauthorized, match="revoked"):
        await there.verifier.verify(token)


async def test_under_steady_traffic_the_poll_runs_beside_the_requests(here, there, clock) -> None:
    token = here.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    caller = await there.verifier.verify(token)
    await here.trust.revoke(caller.token_id, caller.expires_at)
    clock.pass_seconds(0.6)
    not_waited = there.verifier.recall(token)
    await there.trust.close()  # the reading that this recall began

    assert not_waited == caller
    assert there.verifier.recall(token) is None


async def test_a_closed_client_is_shut_out_everywhere_and_its_old_tokens_stay_dead(here, there, clock, desk) -> None:
    old = here.tokens.issue(desk.client_id, ["quotes:read"]).encode()
    await there.verifier.verify(old)
    await here.clients.deactivate(desk.client_id)
    clock.pass_seconds(1)
    closed = there.verifier.recall(old)
    with pytest.raises(Unauthorized, match="revoked"):
        await there.verifier.verify(old)
    await here.clients.activate(desk.client_id)
    clock.pass_seconds(1)
    new = here.tokens.issue(desk.client_id, ["quotes:read"]).encode()

    assert closed is None
    assert (await there.verifier.verify(new)).client == desk.client_id
    with pytest.raises(Unauthorized, match="revoked"):
        await there.verifier.verify(old)


async def test_a_process_that_starts_later_knows_what_was_called_back_before(here, open_process, desk) -> None:
    token = here.tokens.issue("tvc_other", ["quotes:read"]).encode()
    caller = await here.verifier.verify(token)
    await here.trust.revoke(caller.token_id, caller.expires_at)
    await here.clients.deactivate(desk.client_id)
    late = await open_process()

    assert not late.trust.allows(caller.token_id, caller.client, 0)
    assert not late.trust.allows("another", desk.client_id, 2**40)


async def test_a_key_made_elsewhere_is_found_once_it_is_named(here, there, clock) -> None:
    await here.keys.rotate(early=True)
    await here.keys.rotate(early=True)
    clock.pass_seconds(0.3)
    await here.trust.key("look again")
    token = here.tokens.issue("tvc_desk", ["quotes:read"]).encode()

    assert (await there.verifier.verify(token)).client == "tvc_desk"


async def test_a_flood_of_unknown_keys_reads_the_database_once_a_second_for_all_of_them(counted, clock) -> None:
    store, trust, _ = counted
    await asyncio.gather(*(trust.key(f"unknown-{n}") for n in range(100)))
    for n in range(100):
        await trust.key(f"unknown-{n}")
    within_a_second = store.readings
    clock.pass_seconds(1)
    await trust.key("unknown-0")

    assert within_a_second == 1
    assert store.readings == 2


async def test_many_waiting_requests_share_one_reading(counted, here, clock) -> None:
    store, _, verifier = counted
    clock.pass_seconds(30)
    tokens = [here.tokens.issue(f"tvc_{n}", ["quotes:read"]).encode() for n in range(50)]
    await asyncio.gather(*(verifier.verify(token) for token in tokens))

    assert store.readings == 1


async def test_a_silent_database_is_bridged_for_a_few_seconds_then_the_door_is_shut_then_opens_again(
    counted, here, clock
) -> None:
    store, _, verifier = counted
    token = here.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    caller = await verifier.verify(token)
    store.silent = True
    clock.pass_seconds(STALE_AFTER)
    bridged = await verifier.verify(token)
    while_failing = verifier.recall(token)
    clock.pass_seconds(GRACE)
    after_grace = verifier.recall(token)
    with pytest.raises(Unavailable, match="does not answer"):
        await verifier.verify(token)
    store.silent = False
    clock.pass_seconds(0.3)

    assert bridged == while_failing == caller
    assert after_grace is None
    assert await verifier.verify(token) == caller


async def test_while_the_database_fails_it_is_asked_four_times_a_second_at_most(counted, here, clock) -> None:
    store, trust, verifier = counted
    token = here.tokens.issue("tvc_desk", ["quotes:read"]).encode()
    await verifier.verify(token)
    store.silent = True
    clock.pass_seconds(STALE_AFTER)
    for _ in range(100):
        await verifier.verify(token)
        await trust.close()

    assert store.readings == 1


async def test_a_revocation_is_kept_as_long_as_its_token_could_live_and_then_forgotten(here, open_process, clock) -> None:
    now = int(clock.now().timestamp())
    await here.trust.revoke("old", now + 10)
    clock.pass_seconds(200)
    await here.trust.revoke("new", now + 800)
    late = await open_process()

    assert set(late.trust.revoked) == {"new"}
