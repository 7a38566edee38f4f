"""The lessons of other gateways' issue trackers, one test each, by the name of the rule; each asks a running door.

The rules are tested in depth where they are kept; what stands here is the list, and that nothing on it is forgotten.
"""

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cache import AnswerCache
from gateway.contracts import BadContract
from gateway.limits.limiter import Limiter
from gateway.limits.redis_store import redis_store
from gateway.pipeline import Caller
from kernel.problem import Invalid
from kernel.sections.limits import Limits
from kernel.sections.replays import Cache
from kernel.settings import Settings
from tests.attacks.process import EchoUpstream, GatewayProcess
from tests.attacks.test_issuers import scene
from tests.contract_tests.contract_files import promises
from tests.contract_tests.door import Entrance, entrance
from tests.gateway.configuration.conftest import Estate, single
from tests.gateway.conftest import Answer

__all__ = ["scene", "single"]
ORDERS = "/process/orders/v1/orders"
LIST = next(promise for promise in promises() if promise.id == "process/orders: list_orders")
UNRESOLVED = """
[[services]]
name = "guarded"
contract = "echo.json"
prefix = "/guarded/v1"
upstreams = ["http://127.0.0.1:{port}"]
token = {{ secret = {{ env = "TRIVIUM_TEST_NO_SUCH_SECRET" }} }}
"""


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Entrance]:
    async with entrance(tmp_path) as opened:
        yield opened


def left(answer: Answer) -> int:
    return int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0])


@pytest.fixture
def stalled() -> Any:
    """A store that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


async def test_only_a_call_that_was_found_authenticated_allowed_and_valid_is_charged(gate: Entrance) -> None:
    token, none = gate.token(client="one"), gate.forged(client_id="one", scope="none:granted")
    first = left(await gate.ask(LIST, token=token))
    refused = [
        await gate.ask(LIST, token=token, target="/process/orders/v1/nothing"),
        await gate.ask(LIST, token="garbage"),
        await gate.ask(LIST, token=none),
        await gate.ask(LIST, token=token, target=f"{LIST.target}?unknown=1"),
    ]

    assert [answer.status for answer in refused] == [404, 401, 403, 422]
    assert left(await gate.ask(LIST, token=token)) == first - 1


async def test_what_the_header_says_is_what_was_decided(gate: Entrance) -> None:
    quota = LIST.said["x-trivium-limits"]["default"][0]["quota"]
    gate.spend("racer", LIST, quota - 20)
    token = gate.token(client="racer")
    answers = await asyncio.gather(*(gate.ask(LIST, token=token) for _ in range(50)))
    served, refused = ([a for a in answers if (a.status == 200) is good] for good in (True, False))

    assert sorted(left(answer) for answer in served) == list(range(20))  # each number once: no two read the same count
    assert {(answer.status, left(answer)) for answer in refused} == {(429, 0)}


@pytest.mark.parametrize(("outage", "expected"), [("deny", {503}), ("allow", {200}), ("local", {200, 429})])
async def test_what_a_limit_does_without_its_store_is_said_and_done(
    build: Any, clock: Any, outage: Any, expected: set[int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = f"redis://127.0.0.1:{probe.getsockname()[1]}/0"
    store = redis_store(nobody, patience=0.05)
    settings = Settings.model_construct(limits=Limits(outage=outage, processes=20))
    house = build(limiter=Limiter(store, clock=clock), means={"settings": settings})
    statuses = {(await house.ask("GET", ORDERS)).status for _ in range(12)}
    await store.close()

    assert statuses == expected


async def test_a_stalled_store_holds_few_calls_and_those_briefly(build: Any, clock: Any, stalled: str) -> None:
    store = redis_store(stalled, patience=0.05)
    settings = Settings.model_construct(limits=Limits(outage="allow"))
    house = build(limiter=Limiter(store, clock=clock, patience=0.05, waiting=16), means={"settings": settings})
    begun = time.monotonic()
    answers = await asyncio.gather(*(house.ask("GET", ORDERS) for _ in range(300)))
    took = time.monotonic() - begun
    await store.close()

    assert {answer.status for answer in answers} == {200}
    assert took < 2


async def test_a_key_nobody_knows_is_looked_for_once_and_not_for_every_token(scene: Any) -> None:
    scene.authority.how = "well"
    scene.clock.pass_seconds(60)
    assert (await scene.theirs()).status == 200
    before = scene.authority.asked
    scene.clock.pass_seconds(60)
    refused = await asyncio.gather(*(scene.theirs(kid=f"unknown-{number}") for number in range(50)))

    assert {answer.status for answer in refused} <= {401, 503}
    assert scene.authority.asked <= before + 4  # metadata and keys, once more
    assert (await scene.theirs()).status == 200


async def test_a_remembered_token_is_refused_as_soon_as_it_is_called_back_or_over(gate: Entrance) -> None:
    token, other = gate.token(), gate.token()
    seen = [(await gate.ask(LIST, token=each)).status for each in (token, token, other)]
    await gate.server.trust.revoke(json.loads(_decoded(token))["jti"], int(gate.clock.now().timestamp()) + 600)
    revoked = (await gate.ask(LIST, token=token)).status
    gate.clock.pass_seconds(11 * 60)

    assert seen == [200, 200, 200]
    assert revoked == 401
    assert (await gate.ask(LIST, token=other)).status == 401


def _decoded(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def test_who_somebody_says_to_be_in_a_header_is_dropped_before_anything(house: Any) -> None:
    claimed = {"x-consumer-id": "root", "X-Consumer-Username": "root", "x_remote_user": "root", "x-authenticated-userid": "root"}
    await house.ask("GET", f"{ORDERS}/o1", claimed)
    seen = {name for name, _ in house.echo.scopes[0]["headers"]}

    assert seen.isdisjoint({name.lower().encode() for name in claimed})


@pytest.mark.parametrize(
    "target",
    [f"{ORDERS}%2fo1", f"{ORDERS}/../orders", f"{ORDERS}/%2e%2e/orders", f"{ORDERS}/%252e%252e", f"/{ORDERS}", f"{ORDERS}/"],
)
async def test_a_path_has_one_reading_or_none(house: Any, target: str) -> None:
    assert (await house.ask("GET", target)).status == 400
    assert house.echo.scopes == []


@pytest.mark.parametrize("twice", [("host", "x"), ("content-length", "0"), ("authorization", "Bearer a")])
async def test_a_header_that_decides_is_there_once(house: Any, twice: tuple[str, str]) -> None:
    assert (await house.ask("GET", ORDERS, [twice, (twice[0], twice[1])])).status == 400
    assert house.echo.scopes == []


async def test_a_new_deployment_has_no_client_and_no_secret_that_others_know(gate: Entrance) -> None:
    ours = [promise for promise in promises() if promise.api == "ops/gateway"]
    known = ["Basic YWRtaW46YWRtaW4=", "Bearer admin", "Bearer edd1c9f034335f136f87ad84b625c8f1"]
    statuses = {(await gate.ask(promise, token=None, authorization=said)).status for promise in ours for said in known}

    assert await gate.server.clients.all() == []
    assert statuses == {401}


async def test_a_kept_answer_is_for_whom_it_was_made(build: Any, contract: Any, clock: Any) -> None:
    def kept(document: Any) -> None:
        document["paths"][ORDERS]["get"] |= {"x-trivium-cache": {"ttl": 60}}

    house = build(contract(kept), means={"answers": AnswerCache(Cache(), clock)})
    for client in ("ann", "ann", "bob", "bob", "ann"):
        house.caller = Caller(client, client, frozenset({"orders:read"}))
        assert (await house.ask("GET", ORDERS)).status == 200

    assert len(house.echo.scopes) == 2  # once for each


async def test_a_configuration_is_built_aside_and_the_last_good_one_survives_a_bad_one_and_a_restart(single: Estate) -> None:
    process = await single.start()
    single.write("openapi: [")
    with pytest.raises(Invalid, match="the one in force stays"):
        await process.control.apply("ann")
    still = await process.ask("GET", "/process/orders/v1/hello")
    again = await single.start()

    assert still.status == 200
    assert (await again.ask("GET", "/process/orders/v1/hello")).status == 200


async def test_no_path_makes_a_series_of_its_own(house: Any) -> None:
    async def series() -> int:
        page = (await house.ask("GET", "/metrics")).body.decode()
        return len([line for line in page.splitlines() if line and not line.startswith("#")])

    async def calls(numbers: range) -> None:
        for number in numbers:
            await house.ask("GET", f"{ORDERS}/o{number}")
            await house.ask("GET", f"/nowhere/{number}")
            await house.ask(f"METHOD{number}", "/nowhere")

    await calls(range(5))
    await series()
    before = await series()
    await calls(range(5, 90))

    assert await series() == before
    assert b"/nowhere/" not in (await house.ask("GET", "/metrics")).body


def test_a_secret_that_does_not_resolve_stops_the_start(tmp_path: Path) -> None:
    upstream = EchoUpstream()
    gateway = GatewayProcess(tmp_path, upstream, UNRESOLVED.format(port=upstream.port))
    gateway.environment.pop("TRIVIUM_TEST_NO_SUCH_SECRET", None)
    with pytest.raises(AssertionError):
        gateway.start()
    upstream.close()

    assert gateway.running.returncode not in (0, None)
    assert "TRIVIUM_TEST_NO_SUCH_SECRET" in gateway.log()
    assert "Traceback" not in gateway.log()


async def test_nothing_is_unlimited_by_accident(build: Any, contract: Any) -> None:
    def silent(document: Any) -> None:
        del document["paths"][ORDERS]["get"]["x-trivium-limits"]

    nothing = Settings.model_construct(limits=Limits(default=()))
    inherited = await build(contract(silent)).ask("GET", ORDERS)

    assert left(inherited) > 0
    with pytest.raises(BadContract, match=r"nothing limits process\.orders\.v1\.list_orders"):
        build(contract(silent), means={"settings": nothing})
