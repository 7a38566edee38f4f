"""Keys rotate on schedule, once for all processes, and nobody's token fails while they do."""

import asyncio

import httpx
import pytest

from gateway.oauth.app import oauth_app
from gateway.oauth.keys import JWKS_MAX_AGE, KeyStore
from gateway.oauth.rates import Rates
from gateway.oauth.rotation import Rotation
from tests.gateway.oauth.portal import ISSUER, SCOPES, claims

DAY = 86_400
GRANT = {"grant_type": "client_credentials"}


async def test_tokens_are_issued_and_checked_across_a_rotation_by_two_processes_without_a_failure(
    server, open_process, clock
) -> None:
    other = await open_process()
    client = await server.clients.add("desk", SCOPES)
    before, failed, kids = server.trust.active_key().kid, [], set()
    clock.pass_seconds(JWKS_MAX_AGE)

    async def issue_and_check() -> None:
        for issuing in (server, other):
            transport = httpx.ASGITransport(oauth_app(issuing, rates=Rates("10000/minute", "10000/minute")))
            async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as http:
                answer = await http.post("/oauth/token", data=GRANT, auth=tuple(client))
                published = {key["kid"] for key in (await http.get("/oauth/jwks.json")).json()["keys"]}
            token = answer.json()["access_token"].encode()
            for checking in (server, other):
                caller = await checking.verifier.verify(token)
                failed.append(caller.client != client.client_id)
            kids.add(caller.key_id or issuing.trust.active_key().kid)
            failed.append(issuing.trust.active_key().kid not in published)

    for second in range(6):
        if second == 2:
            await asyncio.gather(*(process.keys.rotate_when_due(JWKS_MAX_AGE) for process in (server, other)))
        await issue_and_check()
        clock.pass_seconds(0.5)

    assert not any(failed)
    assert server.trust.active_key().kid == other.trust.active_key().kid != before
    assert kids == {before, server.trust.active_key().kid}


async def test_of_any_number_of_processes_one_rotates(server, open_process, clock) -> None:
    processes = [server, *[await open_process() for _ in range(3)]]
    clock.pass_seconds(30 * DAY)
    done = await asyncio.gather(*(process.keys.rotate_when_due(30 * DAY) for process in processes))
    again = await server.keys.rotate_when_due(30 * DAY)
    states = [key.state for key in await server.keys.all()]

    assert sum(kid is not None for kid in done) == 1
    assert again is None
    assert sorted(states) == ["active", "next", "retired"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_key_signs_for_its_time_and_its_successor_is_published_before(server, clock) -> None:
    clock.pass_seconds(30 * DAY - 1)
    too_early = await server.keys.rotate_when_due(30 * DAY)
    clock.pass_seconds(1)
    rotated = await server.keys.rotate_when_due(30 * DAY)
    at_once = await server.keys.rotate_when_due(1)
    clock.pass_seconds(JWKS_MAX_AGE)

    assert too_early is None
    assert rotated is not None
    assert at_once is None  # the new next key is not known to everyone yet
    assert await server.keys.rotate_when_due(1) is not None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_process_that_was_quiet_for_long_signs_with_the_new_key_at_once(server, open_process, clock) -> None:
    quiet, client = await open_process(), await server.clients.add("desk", SCOPES)
    clock.pass_seconds(2 * DAY)
    active = await server.keys.rotate()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(oauth_app(quiet)), base_url=ISSUER) as http:
        token = (await http.post("/oauth/token", data=GRANT, auth=tuple(client))).json()["access_token"]

    assert quiet.trust.active_key().kid == active
    assert claims(token)["client_id"] == client.client_id


class Keys(KeyStore):
    """Fails at first, then rotates, and tells when."""

    def __init__(self) -> None:
        self.asked, self.rotated = 0, asyncio.Event()

    async def rotate_when_due(self, every: float) -> str | None:
        self.asked += 1
        if self.asked == 1:
            raise OSError("the database is away")
        self.rotated.set()
        return "kid"


async def test_the_task_outlives_a_failing_database_and_ends_when_told() -> None:
    keys = Keys()
    rotation = Rotation(keys, 1, pause=0.001)
    rotation.start()
    await asyncio.wait_for(keys.rotated.wait(), 5)
    await rotation.close()
    asked = keys.asked
    await rotation.close()

    assert keys.asked == asked >= 2
