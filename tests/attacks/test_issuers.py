"""An issuer whose key endpoint fails, stalls, lies or floods costs its own callers a "not now", and nobody else anything."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.oauth.jwks import RETRY_AFTER, SEEK_AFTER
from gateway.oauth.server import AuthorizationServer, open_server
from gateway.policies.authenticate import authenticate
from kernel.db import Database
from kernel.sections.issuers import Issuer
from tests.gateway.conftest import Answer
from tests.gateway.oauth.holding import Holder

OWN, TARGET = "https://api.example.test", "/process/orders/v1/orders"


class Authority:
    """Another authorization server, as well or ill as the test wants it."""

    def __init__(self) -> None:
        self.holder, self.how, self.asked, self.url = Holder("ES256", "k1"), "well", 0, ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        if self.how == "stalled":
            await receive()
            await receive()
            return
        said: Any = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        if scope["path"] == "/keys":
            said = {"empty": {"keys": []}, "garbage": "<html>", "huge": "x" * 10_000_000}.get(
                self.how, {"keys": [self.holder.jwk]}
            )
        body, status = json.dumps(said).encode(), 500 if self.how == "failing" else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


class Scene:
    """Our door, which trusts the authority beside ourselves."""

    def __init__(self, authority: Authority, server: AuthorizationServer, app: Any, asking: Any, clock: Any) -> None:
        self.authority, self.server, self._app, self._asking, self.clock = authority, server, app, asking, clock
        self._number = 0

    async def ask(self, token: str) -> Answer:
        answer: Answer = await self._asking(self._app, "GET", TARGET, {"authorization": f"Bearer {token}"})
        return answer

    async def theirs(self, kid: str = "k1", by: Holder | None = None) -> Answer:
        """A call with a token that was never seen before."""
        now, self._number = int(self.clock.now().timestamp()), self._number + 1
        claims = {
            "iss": self.authority.url, "aud": OWN, "sub": "ann", "client_id": "app", "scope": "orders:read", "iat": now,
            "exp": now + 600, "jti": str(self._number),
        }  # fmt: skip
        return await self.ask((by or self.authority.holder).token(claims, kid=kid))

    async def ours(self) -> Answer:
        return await self.ask(self.server.tokens.issue("tvc_desk", ["orders:read"]))


@pytest.fixture
async def scene(build, served, asking, clock, tmp_path: Path) -> AsyncIterator[Scene]:
    authority = Authority()
    authority.url = f"http://127.0.0.1:{served(authority)}"
    said = Issuer.model_validate(
        {"name": "there", "url": authority.url, "algorithms": ["ES256"], "scopes": {"orders:read": ["orders:read"]}}
    )
    database = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    authority.how = "failing"  # at the start, always: a start must not depend on others
    server = await open_server(database, public_url=OWN, data=tmp_path, clock=clock, issuers=[said])
    yield Scene(authority, server, build(authenticate=authenticate(server.verifier)).app, asking, clock)
    await server.close()
    await database.close()


@pytest.mark.parametrize("how", ["failing", "empty", "garbage", "huge"])
async def test_while_its_keys_cannot_be_had_its_callers_are_told_not_now_and_ours_notice_nothing(scene, how) -> None:
    scene.authority.how = how
    scene.clock.pass_seconds(RETRY_AFTER)
    theirs, ours = await scene.theirs(), await scene.ours()
    scene.authority.how = "well"
    scene.clock.pass_seconds(RETRY_AFTER)
    recovered = await scene.theirs()

    assert (theirs.status, theirs.headers["content-type"]) == (503, "application/problem+json")
    assert int(theirs.headers["retry-after"]) >= 1
    assert "there" in theirs.json()["detail"]
    assert (ours.status, recovered.status) == (200, 200)


async def test_a_storm_of_calls_while_it_fails_is_not_passed_on_to_it(scene) -> None:
    await scene.theirs()
    before = scene.authority.asked
    answers = [await scene.theirs() for _ in range(100)]

    assert {answer.status for answer in answers} == {503}
    assert scene.authority.asked <= before + 2


async def test_a_key_endpoint_that_stalls_holds_its_callers_shortly_and_ours_not_at_all(scene) -> None:
    scene.authority.how = "stalled"
    scene.clock.pass_seconds(RETRY_AFTER)
    began = time.monotonic()
    theirs = asyncio.create_task(scene.theirs())
    await asyncio.sleep(0)
    ours = await scene.ours()
    ours_took = time.monotonic() - began
    answer = await theirs

    assert (ours.status, answer.status) == (200, 503)
    assert ours_took < 2
    assert time.monotonic() - began < 6


async def test_known_keys_go_on_working_while_the_endpoint_fails_and_a_new_key_is_found_when_it_is_back(scene) -> None:
    scene.authority.how = "well"
    scene.clock.pass_seconds(RETRY_AFTER)
    first = await scene.theirs()
    scene.authority.how = "failing"
    scene.clock.pass_seconds(3600)
    stale = await scene.theirs()
    scene.authority.holder, old = Holder("ES256", "k2"), scene.authority.holder
    rotated = await scene.theirs("k2")
    scene.authority.how = "well"
    scene.clock.pass_seconds(SEEK_AFTER)
    back = await scene.theirs("k2")
    withdrawn = await scene.theirs("k1", old)

    assert [answer.status for answer in (first, stale, rotated, back, withdrawn)] == [200, 200, 503, 200, 401]


async def test_random_key_names_are_refused_without_a_storm(scene) -> None:
    scene.authority.how = "well"
    scene.clock.pass_seconds(RETRY_AFTER)
    await scene.theirs()
    before = scene.authority.asked
    answers = [await scene.theirs(f"random-{n}") for n in range(100)]

    assert {answer.status for answer in answers} == {401}
    assert scene.authority.asked == before + 2  # once: its metadata and its keys
