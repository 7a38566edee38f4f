"""Partners, their clients and usage over the gateway's own API, on the real stores."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest

from gateway.house import House
from gateway.oauth.server import AuthorizationServer, open_server
from gateway.ops.clients import declare_clients
from gateway.ops.partners import declare_partners
from gateway.ops.usage import declare_usage
from gateway.partners.usage import UsageBook
from gateway.pipeline import Operation
from kernel.api import Api
from kernel.context import Someone, caller
from kernel.db import Database
from tests.gateway.oauth.conftest import ISSUER, FakeClock

HERE = "/ops/gateway/v1"
ACME = {"id": "acme", "name": "Acme Ltd", "contact": "ops@acme.example", "plan": "gold", "accounts": ["salesforce/001A"]}
WHY = {"reason": "it was decided so"}


@dataclass
class Rooms:
    """As much of the house as these topics use."""

    database: Database
    oauth: AuthorizationServer
    clock: FakeClock
    promised: tuple[Operation, ...]

    @property
    def grantable(self) -> frozenset[str]:
        return frozenset(scope for each in self.promised for scope in each.scopes)


@pytest.fixture
async def rooms(tmp_path: Path, operation: Any) -> AsyncIterator[Rooms]:
    clock, database = FakeClock(), Database(f"sqlite:///{tmp_path / 'trivium.sqlite'}")
    await database.create_all()
    server = await open_server(database, public_url=ISSUER, data=tmp_path, clock=clock)
    yield Rooms(database, server, clock, (operation(scopes=frozenset({"orders:read"})),))
    await server.close()
    await database.close()


@pytest.fixture
async def http(rooms: Rooms) -> AsyncIterator[httpx.AsyncClient]:
    api = Api("ops", "gateway", "1.0.0", "Gateway", "", "team", {"gateway:read": "r", "gateway:write": "w"})
    for declare in (declare_partners, declare_clients, declare_usage):
        declare(api, cast(House, rooms))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url=f"http://gateway{HERE}") as client:
        yield client


async def post(http: httpx.AsyncClient, path: str, body: Any, status: int = 200) -> Any:
    answer = await http.post(path, json=body, headers={"Idempotency-Key": f"key-{uuid4()}"})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_partner_is_registered_shown_and_listed(http) -> None:
    made = await post(http, "/partners", ACME, 201)
    again = await post(http, "/partners", ACME, 201)
    shown = (await http.get("/partners/acme")).json()
    unknown = await http.get("/partners/globex")

    assert made == again == shown
    assert {name: shown[name] for name in ACME} == ACME
    assert (shown["state"], unknown.status_code) == ("active", 404)
    await post(http, "/partners", {**ACME, "plan": "default"}, 409)


async def test_partners_and_clients_are_listed_a_page_at_a_time(http) -> None:
    for id in ("aa", "bb", "cc"):
        await post(http, "/partners", {**ACME, "id": id}, 201)
        await post(http, f"/partners/{id}/clients", {"name": "portal", "scopes": ["orders:read"]}, 201)
    for path, name in (("/partners", "id"), ("/clients", "client_id")):
        first = await http.get(path, params={"limit": 2})
        second = await http.get(first.links["next"]["url"].removeprefix(HERE))
        assert [one[name] for one in [*first.json()["items"], *second.json()["items"]]] == sorted(
            one[name] for one in (await http.get(path)).json()["items"]
        )
        assert "next" not in second.links
    of_bb = (await http.get("/clients", params={"partner": "bb"})).json()["items"]

    assert [client["partner"] for client in of_bb] == ["bb"]


async def test_a_client_of_a_partner_has_its_plan_and_its_secret_is_told_once(http, rooms) -> None:
    await post(http, "/partners", ACME, 201)
    made = await post(http, "/partners/acme/clients", {"name": "portal", "scopes": ["orders:read"]}, 201)
    shown = (await http.get(f"/clients/{made['client_id']}")).json()

    assert await rooms.oauth.clients.prove(made["client_id"], made["client_secret"]) is not None
    assert (shown["partner"], shown["plan"], shown["active"], shown["secrets"]) == ("acme", "gold", True, 1)
    assert made["client_secret"] not in str(shown)
    await post(http, "/partners/acme/clients", {"name": "portal", "scopes": ["orders:read"]}, 409)
    await post(http, "/partners/acme/clients", {"name": "batch", "scopes": ["moon:walk"]}, 422)
    await post(http, "/partners/acme/clients", {"name": "batch", "scopes": ["orders:read"], "addresses": ["nowhere"]}, 422)
    await post(http, "/partners/globex/clients", {"name": "portal", "scopes": ["orders:read"]}, 404)


async def test_a_secret_is_replaced_without_a_moment_in_which_none_is_good(http, rooms) -> None:
    await post(http, "/partners", ACME, 201)
    made = await post(http, "/partners/acme/clients", {"name": "portal", "scopes": ["orders:read"]}, 201)
    id, first = made["client_id"], made["client_secret"]
    second = (await post(http, f"/clients/{id}/secrets", WHY, 201))["client_secret"]
    both = [await rooms.oauth.clients.prove(id, secret) for secret in (first, second)]
    await post(http, f"/clients/{id}/secrets", WHY, 409)
    await post(http, f"/clients/{id}/secret-withdrawals", {"keep": "tvs_of_somebody_else_entirely"}, 409)
    withdrawn = await post(http, f"/clients/{id}/secret-withdrawals", {"keep": second})
    after = [await rooms.oauth.clients.prove(id, secret) for secret in (first, second)]

    assert all(both)
    assert withdrawn == {"secrets": 1}
    assert [client is not None for client in after] == [False, True]


@pytest.mark.parametrize("path", ["secrets", "closures"])
async def test_a_client_that_is_not_there_is_not_found(http, path) -> None:
    await post(http, f"/clients/tvc_nobody/{path}", WHY, 404)


async def test_a_client_is_closed(http, rooms) -> None:
    await post(http, "/partners", ACME, 201)
    made = await post(http, "/partners/acme/clients", {"name": "portal", "scopes": ["orders:read"]}, 201)
    closed = await post(http, f"/clients/{made['client_id']}/closures", WHY)

    assert closed["active"] is False
    assert await rooms.oauth.clients.prove(made["client_id"], made["client_secret"]) is None


async def test_nobody_locks_themselves_out(http, rooms) -> None:
    await post(http, "/partners", ACME, 201)
    made = await post(http, "/partners/acme/clients", {"name": "portal", "scopes": ["orders:read"]}, 201)
    caller.set(Someone(made["client_id"]))
    refused = await post(http, f"/clients/{made['client_id']}/closures", WHY, 409)

    assert "cannot close itself" in refused["detail"]
    assert await rooms.oauth.clients.prove(made["client_id"], made["client_secret"]) is not None


async def test_a_partner_is_suspended_resumed_changed_and_closed(http) -> None:
    await post(http, "/partners", ACME, 201)
    suspended = await post(http, "/partners/acme/suspensions", WHY)
    resumed = await post(http, "/partners/acme/resumptions", WHY)
    planned = (await http.put("/partners/acme/plan", json={"plan": "silver"})).json()
    widened = (await http.put("/partners/acme/accounts", json={"accounts": ["salesforce/001B"]})).json()
    closed = await post(http, "/partners/acme/closures", WHY)
    late = await http.put("/partners/acme/plan", json={"plan": "gold"})

    assert [partner["state"] for partner in (suspended, resumed, closed)] == ["suspended", "active", "closed"]
    assert (suspended["reason"], planned["plan"], widened["accounts"]) == (WHY["reason"], "silver", ["salesforce/001B"])
    assert late.status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Acme"},
        {"id": "a"},
        {"name": "two\nlines"},
        {"plan": "very good"},
        {"accounts": ["001A"]},
        {"accounts": ["sf/a/b"]},
    ],
)
async def test_a_partner_that_cannot_be_is_refused_by_its_field(http, wrong) -> None:
    answer = await post(http, "/partners", {**ACME, **wrong}, 422)

    assert answer["errors"][0]["pointer"].startswith(f"/{next(iter(wrong))}")


@pytest.fixture
async def used(rooms: Rooms) -> None:
    lines = {("2026-03-01", client, partner, "o", 2): 3 for client, partner in (("a", "acme"), ("g", "globex"), ("own", ""))}
    await UsageBook(rooms.database).record(lines)


@pytest.mark.parametrize(
    ("whom", "shown"),
    [
        (Someone("own"), {"a", "g", "own"}),
        (Someone("a", frozenset(), "acme"), {"a"}),
        (Someone("portal", frozenset(), "globex"), {"g"}),
        (Someone("own", frozenset({"salesforce/1"})), {"own"}),
        (Someone("a", frozenset({"salesforce/1"})), set()),
    ],
)
async def test_everybody_sees_the_usage_that_is_theirs(http, used, whom, shown) -> None:
    caller.set(whom)
    found = (await http.get("/usage")).json()["items"]
    asked_for_all = [
        line["client_id"] for id in ("acme", "globex") for line in (await http.get(f"/usage?partner={id}")).json()["items"]
    ]

    assert {line["client_id"] for line in found} == shown
    assert set(asked_for_all) <= shown


async def test_usage_is_paged_with_the_same_question(http, used) -> None:
    first = await http.get("/usage", params={"limit": 1, "status": "2xx", "since": "2026-03-01", "until": "2026-03-01"})
    second = await http.get(first.links["next"]["url"].removeprefix(HERE))

    assert [line["client_id"] for answer in (first, second) for line in answer.json()["items"]] == ["a", "g"]
    assert (await http.get("/usage", params={"since": "2026-03-02"})).json()["items"] == []
    assert (await http.get("/usage", params={"status": "none"})).json()["items"] == []
    assert (await http.get("/usage", params={"cursor": "nonsense"})).status_code == 422
