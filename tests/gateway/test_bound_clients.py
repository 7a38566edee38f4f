"""A client bound to networks is shut out elsewhere within a second of the change, in every process, behind a real token."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.oauth.server import AuthorizationServer, open_server
from gateway.policies.authenticate import authenticate
from kernel.db import Database

ORDER = "/process/orders/v1/orders/o1"
URL = "https://api.example.test"


@pytest.fixture
async def processes(tmp_path: Path, clock: Any) -> AsyncIterator[list[AuthorizationServer]]:
    """Two of one deployment."""
    database = Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    opened = [await open_server(database, public_url=URL, data=tmp_path, clock=clock) for _ in range(2)]
    yield opened
    for server in opened:
        await server.close()
    await database.close()


async def test_a_change_of_its_networks_is_known_everywhere_within_a_second(
    build: Callable[..., Any], processes: list[AuthorizationServer], clock: Any
) -> None:
    here, there = processes
    made = await here.clients.add("acme", ["orders:read"])
    headers = {"authorization": f"Bearer {here.tokens.issue(made.client_id, ['orders:read'])}"}
    doors = [build(authenticate=authenticate(server.verifier), means={"networks": server.trust.networks}) for server in processes]

    async def statuses() -> list[int]:
        return [(await door.ask("GET", ORDER, headers)).status for door in doors]

    before = await statuses()
    await there.clients.bind(made.client_id, ["198.51.100.0/24"])
    clock.pass_seconds(1)
    elsewhere = await statuses()
    await here.clients.bind(made.client_id, ["192.0.2.0/24", "198.51.100.0/24"])
    clock.pass_seconds(1)
    inside = await statuses()
    await here.clients.bind(made.client_id, None)
    clock.pass_seconds(1)

    assert (before, elsewhere, inside, await statuses()) == ([200, 200], [403, 403], [200, 200], [200, 200])
